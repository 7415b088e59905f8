/** `kez sigchain set-next`: which key alone may become the next primary. SPEC CHAIN-13 */
import { type ChainReplay, commitmentTo, isDigest, KezError } from "@kez/core"
import { assertCommittable, assertTakes } from "../chain-refusal.ts"
import type { Context } from "../context.ts"
import { readKey } from "../find-chain.ts"
import { currentIdentity } from "../keys/signers.ts"
import { chainOfKey } from "../own-chain.ts"
import type { Handler } from "../run.ts"
import { readStore } from "../store/access.ts"
import { appendAsSelf } from "./sigchain-append.ts"

export interface SetNextOptions {
  readonly commitment?: string
  readonly yes?: boolean
}

export const run: Handler<SetNextOptions> = async (context, { args: [typed], commitment, yes }) => {
  if ((typed === undefined) === (commitment === undefined)) {
    throw new KezError("usage", "Cannot commit to the next key: expected a name, a key, or --commitment sha256:…")
  }
  const next = await readNext(context, commitment ?? typed ?? "")
  const { key } = await currentIdentity(context)
  const check = (chain: ChainReplay | undefined): void => {
    // A commitment in force is the first thing that stands in the way.
    if (chain?.state.next === undefined) assertCommittable(chain, next, [chain?.state.primary ?? key])
  }
  await readStore(context, undefined, (store) => {
    const chain = chainOfKey(store, key)
    if (chain !== undefined) assertTakes(context, chain, { op: "set_next", next }, key)
    check(chain)
  })
  if (yes !== true) await assertSure(context)
  return appendAsSelf(context, {
    isLasting: true,
    plan: (chain) => {
      check(chain)
      return { operations: [{ op: "set_next", next }] }
    },
    notes: [
      "  From now on only that key can become your next primary, even if somebody steals the one in use.",
      "  Keep it somewhere else, on paper. Losing it costs the ability to rotate, not the identity.",
    ],
  })
}

/** Throws `input.missing` where nobody can be asked: no script commits for ever by an oversight. */
async function assertSure({ terminal }: Context): Promise<void> {
  const text = "Only that key will ever be able to follow your primary, and this cannot be undone. Commit to it?"
  if (await terminal.confirm({ text, flag: "--yes" })) return
  throw new KezError("input.cancelled", "Cancelled: nothing was committed to")
}

/** A commitment as typed, or that to the key of a name or of a key identity. */
export async function readNext(context: Context, typed: string): Promise<string> {
  if (!typed.startsWith("sha256:")) return commitmentTo(await readKey(context, typed))
  if (isDigest(typed)) return typed
  throw new KezError("usage", "Cannot read the commitment: expected sha256: and 64 hex digits")
}

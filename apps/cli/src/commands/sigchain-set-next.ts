/** `kez sigchain set-next`: which key alone may become the next primary. SPEC CHAIN-13 */
import { commitmentTo, isDigest, KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { readKey } from "../find-chain.ts"
import type { Handler } from "../run.ts"
import { always, appendAsSelf } from "./sigchain-append.ts"

export interface SetNextOptions {
  readonly commitment?: string
}

export const run: Handler<SetNextOptions> = async (context, { args: [typed], commitment }) => {
  if ((typed === undefined) === (commitment === undefined)) {
    throw new KezError("usage", "Cannot commit to the next key: expected a name, a key, or --commitment sha256:…")
  }
  return appendAsSelf(context, {
    plan: always({ op: "set_next", next: await readNext(context, commitment ?? typed ?? "") }),
    notes: [
      "  From now on only that key can become your next primary, even if somebody steals the one in use.",
      "  Keep it somewhere else, on paper. Losing it costs the ability to rotate, not the identity.",
    ],
  })
}

/** A commitment as typed, or that to the key of a name or of a key identity. */
export async function readNext(context: Context, typed: string): Promise<string> {
  if (!typed.startsWith("sha256:")) return commitmentTo(await readKey(context, typed))
  if (isDigest(typed)) return typed
  throw new KezError("usage", "Cannot read the commitment: expected sha256: and 64 hex digits")
}

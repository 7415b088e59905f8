/** `kez sigchain rotate`: another key becomes the primary; the identity, its devices and its subjects stay. SPEC CHAIN-14 */
import type { ChainReplay } from "@kez/core"
import { chainBeforeBurned } from "../burned-next.ts"
import { assertCommittable } from "../chain-refusal.ts"
import type { Context } from "../context.ts"
import { findCurrentName, tryReadIdentity, useIdentity } from "../keys/identities.ts"
import { currentIdentity, signerFor, wholeSignerFor } from "../keys/signers.ts"
import { extendChain } from "../own-chain.ts"
import type { Handler } from "../run.ts"
import { readStore } from "../store/access.ts"
import { appendOutcome } from "./sigchain-append.ts"
import { readNext } from "./sigchain-set-next.ts"

export interface RotateOptions {
  /** Which key alone may follow the new one: a name, a key, or a commitment. */
  readonly next?: string
}

export const run: Handler<RotateOptions> = async (context, { args: [name = ""], next: following }) => {
  const { key } = await currentIdentity(context)
  const next: { readonly next?: string } = following === undefined ? {} : { next: await readNext(context, following) }
  const isCommitted = await readStore<boolean>(context, false, async (store) => {
    const { chainOfKey } = await import("../own-chain.ts")
    return chainOfKey(store, key)?.state.next !== undefined
  })
  // Under a commitment the new key signs alone: the old one may be lost, or in a thief's hands.
  const newPrimary = await (isCommitted ? wholeSignerFor(context, name) : signerFor(context, name))
  const signer = isCommitted ? newPrimary : await wholeSignerFor(context)
  const extended = await extendChain(context, {
    key,
    signer,
    headSigner: newPrimary,
    plan: (chain) => {
      if (next.next !== undefined) assertCommittable(chain, next.next, [newPrimary.key])
      const onto = chain === undefined ? undefined : chainBeforeBurned(chain, newPrimary.key)
      const warnings = onto === undefined ? [] : [leftBehind(onto)]
      return { operations: [{ op: "rotate", newPrimary, ...next }], onto, warnings }
    },
  })
  const old = extended.events[0]?.payload.primary
  const isUsed = old !== undefined && (await useInstead(context, old, name))
  const accounts = await rotateAccounts(context, extended.replay, name)
  return appendOutcome(extended, {
    notes: [
      "  Claims of the old key stay valid where the chain names them; it can sign nothing new.",
      ...(isUsed ? [`  Commands now act as ${name}.`] : []),
      ...accounts.map(
        (account) => `  ${account}: the words of ${name} read its history once kez chat was online here.`,
      ),
    ],
    ...(isUsed ? {} : { next: `kez identity use ${name}` }),
  })
}

/** [FORK-6] */
function leftBehind({ head: { seq } }: ChainReplay): string {
  return (
    `event ${seq + 1} revoked the key that you committed to: the rotation follows event ${seq} instead, and of what came after that only ` +
    "revocations count. kez sigchain settle lists them; --lift lifts them"
  )
}

/** Chat accounts of the chain follow: their primary is the new one, and its words read their history. Their names. */
async function rotateAccounts(context: Context, replay: ChainReplay, name: string): Promise<readonly string[]> {
  const { listAccounts, nameOfAccount, writeAccount } = await import("../account/records.ts")
  const rotated: string[] = []
  for (const record of listAccounts(context.paths)) {
    if (record.chain !== replay.chain) continue
    const [{ tryArchiveKey }, { primaryNamed }] = await Promise.all([
      import("../account/archive-key.ts"),
      import("../account/primary.ts"),
    ])
    const followed = { ...record, chain: replay.chain, identity: name, primary: replay.state.primary }
    const kept = writeAccount(context.paths, await tryArchiveKey(context, followed, primaryNamed(context, name)))
    if (kept.archive_key !== record.archive_key) rotated.push(nameOfAccount(kept))
  }
  return rotated
}

/** Commands act as the new key where they acted as the old one, which nobody accepts any more. */
async function useInstead({ paths, warn }: Context, old: string, name: string): Promise<boolean> {
  const current = findCurrentName(paths)
  if (current === undefined || tryReadIdentity(paths, current)?.identity !== old) return false
  try {
    await useIdentity(paths, name)
    return true
  } catch {
    warn(`the key is rotated, and the identity in use is still ${current}`)
    return false
  }
}

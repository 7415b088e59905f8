/** `kez sigchain rotate`: another key becomes the primary; the identity, its devices and its subjects stay. SPEC CHAIN-14 */
import { currentIdentity, signerFor } from "../keys/signers.ts"
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
  const next = following === undefined ? {} : { next: await readNext(context, following) }
  const newPrimary = await signerFor(context, name)
  const isCommitted = await readStore<boolean>(context, false, async (store) => {
    const { chainOfKey } = await import("../own-chain.ts")
    return chainOfKey(store, key)?.state.next !== undefined
  })
  // Under a commitment the new key signs alone: the old one may be lost, or in a thief's hands.
  const signer = isCommitted ? newPrimary : await signerFor(context)
  const extended = await extendChain(context, {
    key,
    signer,
    headSigner: newPrimary,
    plan: () => ({ operations: [{ op: "rotate", newPrimary, ...next }] }),
  })
  return appendOutcome(extended, {
    notes: ["  Claims of the old key stay valid where the chain names them; it can sign nothing new."],
    next: `kez identity use ${name}`,
  })
}

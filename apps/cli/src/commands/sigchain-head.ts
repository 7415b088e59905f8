/** `kez sigchain head`: a signed statement of where the chain ends, against places that hide its newest events. SPEC §5.8 */
import { formatEnvelope, KezError, limits } from "@kez/core"
import { readDuration } from "../expiry.ts"
import { currentIdentity, signerFor } from "../keys/signers.ts"
import { existingChainOfKey, refreshHead } from "../own-chain.ts"
import { deliver } from "../own-claims.ts"
import type { Handler } from "../run.ts"
import { withStore } from "../store/access.ts"
import { inTransaction } from "../store/database.ts"

export interface HeadOptions {
  readonly expires?: string
  readonly out?: string
  readonly force?: boolean
}

export const run: Handler<HeadOptions> = async (context, { expires = "7d", ...options }) => {
  const lifetimeSeconds = readDuration(expires)
  if (lifetimeSeconds > limits.maxHeadLifetimeSeconds) {
    throw new KezError("usage", "Cannot sign the head: expected --expires of at most 7d")
  }
  const { key } = await currentIdentity(context)
  const signer = await signerFor(context)
  const head = await withStore(context, (store) =>
    inTransaction(store, () =>
      refreshHead(store, existingChainOfKey(store, key), { signer, now: context.now(), lifetimeSeconds }),
    ),
  )
  if (head === undefined) {
    throw new KezError(
      "head.not_authorised",
      "Cannot sign the head: expected a current key and a chain without a fork",
      {
        hint: "kez sigchain show tells which.",
      },
    )
  }
  const { chain, seq, digest, issued_at, expires_at } = head.payload
  const text = formatEnvelope(head)
  return {
    schema: "kez.head/1",
    data: {
      chain,
      seq,
      digest,
      signer: key,
      issued_at,
      expires_at,
      text,
      file: options.out ?? null,
    },
    text: deliver(context, text, options),
    ...(options.out === undefined || options.out === "-"
      ? {}
      : { next: `where your chain is known already: kez sigchain import ${options.out}` }),
  }
}

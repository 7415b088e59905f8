/**
 * The key of an account's archive: made of the primary, so that the words alone read the history. Its public half, signed by the primary, stands in
 * the account's record; the private half is nowhere but in the words.
 */
import { archiveKeyPairOfWords, signArchiveKey } from "@kez/chat"
import { type Digest, formatEnvelope, KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { identityOf, type KeyMaterial } from "../keys/key-text.ts"
import { archiveKeyOf, hasArchiveKey } from "./archive-state.ts"
import { type Primary, signerOf } from "./primary.ts"
import { type AccountRecord, nameOfAccount } from "./records.ts"

/** The record with a statement of this key, which has to be the primary in force. Signs nothing where it has one. */
export async function withArchiveKey<R extends AccountRecord>(
  context: Context,
  record: R & { readonly chain: Digest },
  key: KeyMaterial,
): Promise<R & { readonly archive_key: string }> {
  const before = archiveKeyOf(record)
  const known = record.archive_key
  if (before !== undefined && known !== undefined && before.signature.key === identityOf(key)) {
    return { ...record, archive_key: known }
  }
  const epoch = before === undefined ? 0 : before.payload.epoch + 1
  const statement = { chain: record.chain, epoch, now: context.now() }
  const envelope = await signArchiveKey(key.secret, statement, signerOf(key))
  return { ...record, archive_key: formatEnvelope(envelope) }
}

/** The same where the key may be out of reach: then the account works without, and it is said how to get one. */
export async function tryArchiveKey<R extends AccountRecord>(
  context: Context,
  record: R & { readonly chain: Digest },
  { key, material }: Primary,
): Promise<R> {
  if (hasArchiveKey(record, key)) return record
  try {
    return await withArchiveKey(context, record, await material())
  } catch (error) {
    if (!(error instanceof KezError) || !error.code.startsWith("key.")) throw error
    context.warn(
      `the words cannot read your messages yet: the key itself is needed for that once. Later: kez account archive ${nameOfAccount(record)}`,
    )
    return record
  }
}

/** What opens the archive: given to an engine for one run, and stored nowhere. */
export async function archiveSecretOf({ secret }: KeyMaterial): Promise<Uint8Array> {
  return (await archiveKeyPairOfWords(secret)).secretKey
}

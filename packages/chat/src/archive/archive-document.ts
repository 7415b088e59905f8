/** The document of an archive epoch: the signed statement, and the keys whose digest it names. */
import {
  assertSignature,
  canonicalize,
  type Digest,
  decodeEnvelope,
  decodeText,
  digestOf,
  type Envelope,
  type Json,
  KezError,
  parseJson,
} from "@kez/core"
import {
  anyString,
  assertObject,
  type Check,
  count,
  digest,
  fault,
  hex32,
  keyIdentity,
  record,
  required,
} from "@kez/core/schema"
import { maxArchiveEntryBytes, maxArchiveHeads, maxArchiveRecipients, maxEarlierEpochs } from "../limits.ts"

export interface SealedKey {
  /** A device, or `words`. */
  readonly to: string
  readonly enc: string
  readonly key: string
}

/** The key of an earlier epoch, under this one. */
export interface EarlierKey {
  readonly id: Digest
  readonly epoch: number
  readonly box: string
}

/** The newest entry of a device that the maker of an epoch had read: what is missing up to there was dropped, and a revoked device adds nothing behind it. */
export interface ArchiveHead {
  readonly device: string
  readonly number: number
  readonly digest: Digest
}

export interface ArchiveKeys {
  readonly sealed: readonly SealedKey[]
  readonly before: readonly EarlierKey[]
  readonly heads: readonly ArchiveHead[]
}

export interface ArchiveEpochDocument {
  readonly envelope: Envelope<"archive_epoch">
  readonly keys: ArchiveKeys
}

function hexText(bytes: number): Check<string> {
  return (value, name) => {
    const text = anyString(value, name)
    if (text.length !== 2 * bytes || !/^[0-9a-f]*$/.test(text))
      throw fault("schema.value", name, `${bytes} bytes in hex`)
    return text
  }
}

function listOf<T>(check: Check<T>, min: number, max: number): Check<readonly T[]> {
  return (value, name) => {
    if (!Array.isArray(value)) throw fault("schema.type", name, "an array")
    if (value.length < min || value.length > max) throw fault("schema.value", name, `${min} to ${max} entries`)
    return value.map((entry: Json) => check(entry, name))
  }
}

const keysCheck = record<ArchiveKeys>({
  sealed: required(
    listOf(
      record<SealedKey>({ to: required(anyString), enc: required(hex32), key: required(hexText(48)) }),
      1,
      maxArchiveRecipients,
    ),
  ),
  before: required(
    listOf(
      record<EarlierKey>({ id: required(digest), epoch: required(count), box: required(hexText(72)) }),
      0,
      maxEarlierEpochs,
    ),
  ),
  heads: required(
    listOf(
      record<ArchiveHead>({ device: required(keyIdentity), number: required(count), digest: required(digest) }),
      0,
      maxArchiveHeads,
    ),
  ),
})

export function encodeArchiveDocument(document: ArchiveEpochDocument): string {
  return canonicalize(document)
}

/** Size, structure, signature, digest. Throws the codes of decoding, or `chat.archive`. */
export function decodeArchiveDocument(text: string | Uint8Array): ArchiveEpochDocument {
  const value = parseJson(decodeText(text, maxArchiveEntryBytes))
  assertObject(value, "archive")
  const { envelope, keys, ...rest } = value
  if (envelope === undefined || keys === undefined) throw fault("schema.missing_member", "archive", "envelope and keys")
  if (Object.keys(rest).length > 0) throw fault("schema.unknown_member", "archive", "envelope and keys alone")
  const read = { envelope: decodeEnvelope(canonicalize(envelope), "archive_epoch"), keys: keysCheck(keys, "keys") }
  return assertDocument(read)
}

export function assertDocument(document: ArchiveEpochDocument): ArchiveEpochDocument {
  assertSignature(document.envelope)
  if (digestOf(canonicalize(document.keys)) === document.envelope.payload.keys) return document
  throw new KezError("chat.archive", "Cannot use the archive: its keys are not those that were signed", {
    hint: "The server gave something else. Ask it again.",
  })
}

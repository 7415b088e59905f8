/** What a new member gets beside the Welcome: every state of the conversation, the chain heads named so far, and what the engine adds. */
import { type Digest, KezError, sha256 } from "@kez/core"
import type { Extension, GroupInfo } from "ts-mls"
import { ByteReader, encodeText, equalBytes, joinBytes, sized, uintBytes } from "../bytes.ts"
import type { NamedHead } from "../chains.ts"
import { decodeStateEntry, encodeStateEntry, type StateEntry, type StateLog } from "../conversation/state-log.ts"
import { bytesOfDigest, digestBytes, digestOfBytes } from "../digests.ts"
import { maxConversationMembers, maxJoinBundleBytes, maxStateEntryBytes, maxStateVersions } from "../limits.ts"

export interface JoinBundle {
  readonly entries: readonly StateEntry[]
  readonly heads: readonly NamedHead[]
  /** Of the engine: where the messages of each device stand, history as the policy says. */
  readonly extra: Uint8Array
}

const version = 1
/** Of the private range, RFC 9420 §17.3. */
const bundleExtensionType = 0xf4b1
/** Members of the past are named too. */
const maxBundleHeads = 4 * maxConversationMembers

export function encodeEntries(entries: readonly StateEntry[]): Uint8Array {
  return joinBytes(uintBytes(entries.length, 2), ...entries.map((entry) => sized(encodeText(encodeStateEntry(entry)))))
}

export function readEntries(reader: ByteReader): readonly StateEntry[] {
  const count = reader.uint(2)
  if (count > maxStateVersions) throw tooMany(count)
  return Array.from({ length: count }, () => decodeStateEntry(reader.sized(maxStateEntryBytes)))
}

export function encodeHeads(heads: Iterable<NamedHead>): Uint8Array {
  const list = [...heads]
  const parts = list.map(({ chain, seq, digest }) => [bytesOfDigest(chain), uintBytes(seq, 4), bytesOfDigest(digest)])
  return joinBytes(uintBytes(list.length, 2), ...parts.flat())
}

export function readHeads(reader: ByteReader): readonly NamedHead[] {
  const count = reader.uint(2)
  if (count > maxBundleHeads) throw tooMany(count)
  return Array.from({ length: count }, () => ({
    chain: digestOfBytes(reader.bytes(digestBytes)),
    seq: reader.uint(4),
    digest: digestOfBytes(reader.bytes(digestBytes)),
  }))
}

export function encodeJoinBundle(log: StateLog, heads: Iterable<NamedHead>, extra: Uint8Array): Uint8Array {
  const bundle = joinBytes(Uint8Array.of(version), encodeEntries(log.entries), encodeHeads(heads), sized(extra))
  if (bundle.length <= maxJoinBundleBytes) return bundle
  throw new KezError(
    "limit.size",
    `Cannot add a device: what it needs to join is more than ${maxJoinBundleBytes} bytes`,
    {
      hint: "Send less history with it, or begin a new conversation.",
    },
  )
}

export function decodeJoinBundle(bytes: Uint8Array): JoinBundle {
  const reader = new ByteReader(bytes, "what came with the Welcome")
  if (reader.uint(1) !== version)
    throw new KezError("chat.encoding", "Cannot read what came with the Welcome: update KEZ")
  const bundle = { entries: readEntries(reader), heads: readHeads(reader), extra: reader.sized(maxJoinBundleBytes) }
  reader.end()
  return bundle
}

/** In a group info the bundle is in nobody's ciphertext: its digest stands among the extensions that the member signs. */
export function bundleExtension(bundle: Uint8Array): Extension {
  return { extensionType: bundleExtensionType, extensionData: new Uint8Array(sha256(bundle)) }
}

/** Throws `chat.commit` unless the signed group info is that of the bundle. Its signature is checked by the library. */
export function assertBundle({ extensions }: Pick<GroupInfo, "extensions">, bundle: Uint8Array): void {
  const signed = extensions.find(({ extensionType }) => extensionType === bundleExtensionType)
  if (signed !== undefined && equalBytes(signed.extensionData, sha256(bundle))) return
  throw new KezError(
    "chat.commit",
    "Cannot join the conversation: what came with the group info is not what a member signed",
    {
      hint: "Ask for it again.",
    },
  )
}

export function headsByChain(heads: Iterable<NamedHead>): ReadonlyMap<Digest, NamedHead> {
  return new Map([...heads].map((head) => [head.chain, head]))
}

function tooMany(count: number): KezError {
  return new KezError("limit.size", `Cannot read what came with the Welcome: ${count} entries are too many`)
}

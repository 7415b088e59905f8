/** A conversation as it is saved: one record, replaced whole. It holds secrets; whoever stores it encrypts it. */
import { type Digest, KezError, sha256 } from "@kez/core"
import { decodeGroupState, encodeGroupState, type GroupState } from "ts-mls"
import { ByteReader, equalBytes, joinBytes, sized, uintBytes } from "../bytes.ts"
import { verifyStateLog } from "../conversation/state-log.ts"
import { bytesOfDigest, digestBytes, digestOfBytes } from "../digests.ts"
import { maxHandshakeBytes, maxJoinBundleBytes, maxSavedBytes } from "../limits.ts"
import type { EpochMark, GroupRecord, PendingCommit } from "./group-record.ts"
import { encodeEntries, encodeHeads, headsByChain, readEntries, readHeads } from "./join-bundle.ts"

const version = 1
const maxWelcomeBytes = maxHandshakeBytes + maxJoinBundleBytes

export function encodeRecord(record: GroupRecord): Uint8Array {
  const { pending } = record
  const body = joinBytes(
    Uint8Array.of(version),
    bytesOfDigest(record.log.group),
    encodeCore(record),
    Uint8Array.of(pending === undefined ? 0 : 1),
    ...(pending === undefined ? [] : [encodePending(pending)]),
  )
  return joinBytes(sha256(body), body)
}

/** Throws `store.corrupt` or `store.newer`.  */
export function decodeRecord(bytes: Uint8Array): GroupRecord {
  const body = bytes.subarray(digestBytes)
  if (bytes.length > maxSavedBytes || !equalBytes(sha256(body), bytes.subarray(0, digestBytes))) throw corrupt()
  const reader = new ByteReader(body, "a saved conversation")
  if (reader.uint(1) !== version) {
    throw new KezError("store.newer", "Cannot read the saved conversation: a newer version wrote it", {
      hint: "Update KEZ.",
    })
  }
  try {
    const group = digestOfBytes(reader.bytes(digestBytes))
    const core = readCore(reader, group)
    const pending = reader.uint(1) === 1 ? readPending(reader, group) : undefined
    reader.end()
    return pending === undefined ? core : { ...core, pending }
  } catch (cause) {
    if (cause instanceof KezError && cause.code !== "chat.encoding") throw cause
    throw corrupt(cause)
  }
}

function encodeCore({ state, log, heads, marks }: GroupRecord): Uint8Array {
  return joinBytes(
    sized(encodeGroupState(state)),
    encodeEntries(log.entries),
    encodeHeads(heads.values()),
    uintBytes(marks.length, 2),
    ...marks.map(encodeMark),
  )
}

function readCore(reader: ByteReader, group: Digest): GroupRecord {
  const state = readState(reader.sized(maxSavedBytes))
  const log = verifyStateLog(readEntries(reader), group, undefined)
  const heads = headsByChain(readHeads(reader))
  const marks = Array.from({ length: reader.uint(2) }, () => readMark(reader))
  return { state, log, heads, marks }
}

function readState(bytes: Uint8Array): GroupState {
  const decoded = decodeGroupState(bytes, 0)
  if (decoded === undefined || decoded[1] !== bytes.length) throw corrupt()
  return decoded[0]
}

function encodeMark({ epoch, transcript, state, endedBy, refused }: EpochMark): Uint8Array {
  return joinBytes(
    uintBytes(epoch, 8),
    bytesOfDigest(transcript),
    bytesOfDigest(state),
    sized(endedBy === undefined ? new Uint8Array() : bytesOfDigest(endedBy)),
    uintBytes(refused.length, 2),
    ...refused.map(bytesOfDigest),
  )
}

function readMark(reader: ByteReader): EpochMark {
  const epoch = reader.uint(8)
  const [transcript, state] = [digestOfBytes(reader.bytes(digestBytes)), digestOfBytes(reader.bytes(digestBytes))]
  const endedBy = reader.sized(digestBytes)
  const refused = Array.from({ length: reader.uint(2) }, () => digestOfBytes(reader.bytes(digestBytes)))
  return { epoch, transcript, state, refused, ...(endedBy.length === 0 ? {} : { endedBy: digestOfBytes(endedBy) }) }
}

function encodePending({ digest, message, welcome, next }: PendingCommit): Uint8Array {
  return joinBytes(bytesOfDigest(digest), sized(message), sized(welcome ?? new Uint8Array()), encodeCore(next))
}

function readPending(reader: ByteReader, group: Digest): PendingCommit {
  const digest = digestOfBytes(reader.bytes(digestBytes))
  const message = reader.sized(maxWelcomeBytes)
  const welcome = reader.sized(maxWelcomeBytes)
  const next = readCore(reader, group)
  return { digest, message, next, ...(welcome.length === 0 ? {} : { welcome }) }
}

function corrupt(cause?: unknown): KezError {
  return new KezError("store.corrupt", "Cannot read the saved conversation: it is damaged", {
    hint: "Join again with this device: another member or your own other device lets it in.",
    cause,
  })
}

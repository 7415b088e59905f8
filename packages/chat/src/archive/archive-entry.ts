/**
 * Entries of the archive: what a device decrypted, encrypted again under the account's archive key. Each device numbers its entries and
 * names the one before, so that a store that drops one is noticed.
 */
import { canonicalize, type Digest, digestOf, KezError } from "@kez/core"
import { ByteReader, encodeText, joinBytes, uintBytes } from "../bytes.ts"
import { bytesOfDigest, digestBytes, digestOfBytes } from "../digests.ts"
import { maxArchiveEntryBytes } from "../limits.ts"
import { openUnder, sealUnder } from "./archive-box.ts"
import type { ArchiveEpoch } from "./archive-keys.ts"

/** Where an entry stands. In the clear, and covered by the encryption. */
export interface ArchivePlace {
  readonly chain: Digest
  /** The device that wrote it. */
  readonly device: string
  /** From 0 on, by device. */
  readonly number: number
  /** Digest of the device's entry before; absent exactly at 0. */
  readonly prev?: Digest
}

export interface SealedEntry {
  readonly bytes: Uint8Array
  /** What the device's next entry names. */
  readonly digest: Digest
}

export interface OpenedEntry {
  readonly content: Uint8Array
  readonly number: number
  readonly prev: Digest | undefined
  readonly digest: Digest
}

const version = 1

/** 1 byte version ‖ 32 epoch ‖ 8 number ‖ 1 has prev ‖ 32 prev ‖ sealed content. */
export function sealArchiveEntry(epoch: ArchiveEpoch, place: ArchivePlace, content: Uint8Array): SealedEntry {
  const sealed = sealUnder(epoch.key, content, contextOf(epoch.id, place))
  const bytes = joinBytes(headerOf(epoch.id, place), sealed)
  if (bytes.length > maxArchiveEntryBytes) throw tooLong()
  return { bytes, digest: digestOf(bytes) }
}

/** `epochs` are those that this reader opened; `of` says whose entries were asked for. Throws `limit.size`, `chat.encoding`, `chat.archive`. */
export function openArchiveEntry(
  bytes: Uint8Array,
  epochs: readonly ArchiveEpoch[],
  of: Pick<ArchivePlace, "chain" | "device">,
): OpenedEntry {
  if (bytes.length > maxArchiveEntryBytes) throw tooLong()
  const reader = new ByteReader(bytes, "the archive entry")
  if (reader.uint(1) !== version) throw new KezError("chat.encoding", "Cannot read the archive entry: update KEZ")
  const id = digestOfBytes(reader.bytes(digestBytes))
  const number = reader.uint(8)
  const prev = readPrev(reader)
  const epoch = epochs.find((one) => one.id === id)
  if (epoch === undefined) {
    throw new KezError("chat.archive", "Cannot open the archive entry: this device has not got the key of its epoch", {
      hint: "Fetch the archive keys again. A device that was revoked gets no new ones.",
    })
  }
  const place = { ...of, number, ...(prev === undefined ? {} : { prev }) }
  const content = openUnder(epoch.key, bytes.subarray(headerBytes), contextOf(id, place))
  return { content, number, prev, digest: digestOf(bytes) }
}

/** The epoch that an entry names, in the clear; undefined: too short for one. */
export function epochOfEntry(bytes: Uint8Array): Digest | undefined {
  return bytes.length < headerBytes ? undefined : digestOfBytes(bytes.subarray(1, 1 + digestBytes))
}

const headerBytes = 1 + digestBytes + 8 + 1 + digestBytes

function headerOf(id: Digest, { number, prev }: ArchivePlace): Uint8Array {
  const before = prev === undefined ? new Uint8Array(digestBytes) : bytesOfDigest(prev)
  const flag = Uint8Array.of(prev === undefined ? 0 : 1)
  return joinBytes(Uint8Array.of(version), bytesOfDigest(id), uintBytes(number, 8), flag, before)
}

function readPrev(reader: ByteReader): Digest | undefined {
  const flag = reader.uint(1)
  const before = reader.bytes(digestBytes)
  if (flag === 1) return digestOfBytes(before)
  if (flag === 0 && before.every((byte) => byte === 0)) return undefined
  throw new KezError("chat.encoding", "Cannot read the archive entry: it is not in its only spelling")
}

function contextOf(id: Digest, place: ArchivePlace): Uint8Array {
  return encodeText(canonicalize({ type: "kez/archive-entry/v1", epoch: id, ...place }))
}

function tooLong(): KezError {
  return new KezError("limit.size", `Cannot use the archive entry: expected at most ${maxArchiveEntryBytes} bytes`)
}

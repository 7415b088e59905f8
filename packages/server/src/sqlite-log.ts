/**
 * Whether SQLite's write-ahead log is whole. SQLite ends it, without a word, at the first frame whose checksum is wrong: after a
 * power cut that is the transaction that was being written, and it belongs there. After a flipped bit everything acknowledged
 * since would be gone. Format: https://www.sqlite.org/fileformat2.html#walformat
 */

import { closeSync, existsSync, openSync, readSync } from "node:fs"
import { endianness } from "node:os"
import { KezError } from "@kez/core"
import { writeFault } from "./sqlite-fault.ts"

const headerBytes = 32
const frameHeaderBytes = 24
const usualPageBytes = 4_096
/** The last bit says in which order of bytes the checksums were made. */
const magic = 0x377f0682

type Pair = readonly [number, number]

interface Header {
  readonly isBigEndian: boolean
  readonly pageBytes: number
  /** Undefined where the header is damaged. */
  readonly start: { readonly salts: Pair; readonly sums: Pair } | undefined
}

interface Frame {
  readonly isCommit: boolean
  /** They change whenever the log begins anew: frames with others are of an older one. */
  readonly salts: Pair
  /** The checksums as they stand there. */
  readonly sums: Pair
  /** Those that the frame should have, after another with these: each continues the one before it. */
  after(sums: Pair): Pair
}

/** To be called before SQLite opens the file, which may throw the log away. Throws `store.corrupt` and `store.write`; changes nothing. */
export function assertWholeLog(path: string): void {
  const logPath = `${path}-wal`
  if (!existsSync(logPath)) return
  const place = findDamage(logPath)
  // Another process may be writing there, and a frame half written looks hurt: what is hurt stays so, at the same place.
  if (place === undefined || findDamage(logPath) !== place) return
  throw new KezError("store.corrupt", `Cannot open ${logPath}: expected a whole log, found damage before its end`, {
    hint: "Nothing was changed. Keep both files, and restore a backup beside them; without the log the newest events are missing.",
  })
}

/** The number of a frame behind the damage that proves it. */
function findDamage(path: string): number | undefined {
  let file: number
  try {
    file = openSync(path, "r")
  } catch (cause) {
    throw writeFault(path, cause)
  }
  try {
    const bytes = Buffer.alloc(headerBytes)
    if (readSync(file, bytes, 0, headerBytes, 0) < headerBytes) return undefined
    const header = readHeader(bytes)
    return findBehindEnd(header, framesOf(file, header))
  } finally {
    closeSync(file)
  }
}

/**
 * A transaction begins only after the one before it is on the disk: a power cut leaves no commit that another frame continues.
 * Where there is one at the end or behind it, the end is none.
 */
function findBehindEnd({ start }: Header, frames: Iterable<Frame>): number | undefined {
  let sums = start?.sums
  let before: { readonly frame: Frame; readonly sums: readonly Pair[] } | undefined
  let count = 0
  for (const frame of frames) {
    count += 1
    const isOfThisLog = start !== undefined && isEqual(frame.salts, start.salts)
    if (sums !== undefined) {
      const wanted = frame.after(sums)
      if (isOfThisLog && isEqual(wanted, frame.sums)) {
        sums = wanted
        continue
      }
      // The end. What is hurt may be the checksums alone: the next frame continues the right ones then.
      sums = undefined
      before = { frame, sums: [frame.sums, wanted] }
      continue
    }
    if (before?.frame.isCommit && (isOfThisLog || (start === undefined && isEqual(frame.salts, before.frame.salts)))) {
      if (before.sums.some((each) => isEqual(frame.after(each), frame.sums))) return count
    }
    before = { frame, sums: [frame.sums] }
  }
  return undefined
}

/** What is damaged there is taken as this version of the store writes it. */
function readHeader(bytes: Buffer): Header {
  const kind = bytes.readUInt32BE(0)
  const page = bytes.readUInt32BE(8)
  const isPage = page >= 512 && page <= 65_536 && (page & (page - 1)) === 0
  const isBigEndian = kind === magic ? false : kind === magic + 1 ? true : endianness() === "BE"
  const sums = sumUp(bytes.subarray(0, 24), [0, 0], isBigEndian)
  const isWhole = isEqual(sums, pairAt(bytes, 24))
  const start = isWhole ? { salts: pairAt(bytes, 16), sums } : undefined
  return { isBigEndian, pageBytes: isPage ? page : usualPageBytes, start }
}

/** Each is to be used before the next one is read. */
function* framesOf(file: number, { isBigEndian, pageBytes }: Header): Generator<Frame> {
  const bytes = Buffer.alloc(frameHeaderBytes + pageBytes)
  for (let at = headerBytes; readSync(file, bytes, 0, bytes.length, at) === bytes.length; at += bytes.length) {
    yield {
      isCommit: bytes.readUInt32BE(4) !== 0,
      salts: pairAt(bytes, 8),
      sums: pairAt(bytes, 16),
      after: (sums) =>
        sumUp(bytes.subarray(frameHeaderBytes), sumUp(bytes.subarray(0, 8), sums, isBigEndian), isBigEndian),
    }
  }
}

function pairAt(bytes: Buffer, at: number): Pair {
  return [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)]
}

function isEqual(one: Pair, other: Pair): boolean {
  return one[0] === other[0] && one[1] === other[1]
}

function sumUp(part: Buffer, [first, second]: Pair, isBigEndian: boolean): Pair {
  const words = new DataView(part.buffer, part.byteOffset, part.length)
  let [a, b] = [first, second]
  for (let i = 0; i < part.length; i += 8) {
    a = (a + words.getUint32(i, !isBigEndian) + b) >>> 0
    b = (b + words.getUint32(i + 4, !isBigEndian) + a) >>> 0
  }
  return [a, b]
}

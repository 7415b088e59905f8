/** zstd frames: every header is checked before a byte is decompressed. SPEC §4.2, RFC 8878 §3.1.1. */
import { backend } from "#backend"
import { KezError } from "../error.ts"
import { maxZstdWindowBytes } from "../limits.ts"

const maxBlockBytes = 131_072
const reservedBlock = 3
const rleBlock = 1
/** Exponent 10, mantissa 0. (RFC 8878 §3.1.1.1.2) */
const windowDescriptorOf1MiB = 10 << 3

interface FrameHeader {
  /** Undefined when the frame does not state it. */
  readonly contentBytes: number | undefined
  /** Offset of the first block. */
  readonly blocksAt: number
  readonly hasChecksum: boolean
  /** Single_Segment_flag: there is no window but the content. */
  readonly single: boolean
}

/**
 * Content of exactly one frame, at most `maxBytes` long.
 * Throws `zstd.frame`, `zstd.dictionary`, `zstd.trailing`, `limit.window` or `limit.decompressed`. [ZSTD-1] [ZSTD-2]
 */
export function decompressFrame(frame: Uint8Array, maxBytes: number): Uint8Array {
  const header = readHeader(frame, maxBytes)
  const end = walkBlocks(frame, header.blocksAt) + (header.hasChecksum ? 4 : 0)
  if (end > frame.length) throw malformed("it is cut off")
  if (end < frame.length) throw new KezError("zstd.trailing", "Cannot decompress: expected nothing after the frame")
  const content = header.contentBytes === 0 ? undefined : decompressBlocks(frame, header, maxBytes)
  if (content !== undefined) return content
  if (header.contentBytes === undefined) throw tooLong(maxBytes)
  throw malformed("its content is damaged")
}

export function compressFrame(bytes: Uint8Array): Uint8Array {
  return backend.compressZstd(bytes)
}

function decompressBlocks(frame: Uint8Array, header: FrameHeader, maxBytes: number): Uint8Array | undefined {
  const content = backend.decompressZstd(normalized(frame, header), header.contentBytes ?? maxBytes)
  if (content === undefined || header.contentBytes === undefined) return content
  return content.length === header.contentBytes ? content : undefined
}

function readHeader(frame: Uint8Array, maxBytes: number): FrameHeader {
  const descriptor = frame[4]
  if (descriptor === undefined || frame[0] !== 0x28 || frame[1] !== 0xb5 || frame[2] !== 0x2f || frame[3] !== 0xfd) {
    throw malformed("it does not begin like one")
  }
  const single = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >> 6
  const sizeBytes = sizeFlag === 0 ? (single ? 1 : 0) : 1 << sizeFlag
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  const sizeAt = 5 + (single ? 0 : 1) + dictionaryBytes
  const blocksAt = sizeAt + sizeBytes
  if ((descriptor & 0x08) !== 0 || blocksAt > frame.length) throw malformed("its header is damaged")
  if (dictionaryBytes > 0)
    throw new KezError("zstd.dictionary", "Cannot decompress: expected a frame without dictionary")
  const contentBytes = sizeBytes === 0 ? undefined : littleEndian(frame, sizeAt, sizeBytes) + (sizeFlag === 1 ? 256 : 0)
  // A frame of 14 bytes can claim 1.5 GiB: nothing is allocated by what a header says.
  if (single && contentBytes !== undefined && contentBytes > maxBytes) throw tooLong(maxBytes)
  const windowBytes = single ? (contentBytes ?? 0) : windowSize(frame[5] ?? 0)
  if (windowBytes > maxZstdWindowBytes) {
    throw new KezError("limit.window", `Cannot decompress: expected a window of at most ${maxZstdWindowBytes} bytes`)
  }
  if (contentBytes !== undefined && contentBytes > maxBytes) throw tooLong(maxBytes)
  return { contentBytes, blocksAt, single, hasChecksum: (descriptor & 0x04) !== 0 }
}

/** Window_Size of a Window_Descriptor. (RFC 8878 §3.1.1.1.2) */
function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

/** Walks the block headers to the last block; returns the offset after it. */
function walkBlocks(frame: Uint8Array, start: number): number {
  let at = start
  for (;;) {
    if (at + 3 > frame.length) throw malformed("it is cut off")
    const block = littleEndian(frame, at, 3)
    const type = (block >> 1) & 3
    const size = block >> 3
    if (type === reservedBlock || size > maxBlockBytes) throw malformed("a block header is damaged")
    at += 3 + (type === rleBlock ? 1 : size)
    if (at > frame.length) throw malformed("it is cut off")
    if ((block & 1) === 1) return at
  }
}

/**
 * The frame as every decoder reads it alike: without its checksum, which some check and some skip (the signature is the
 * check), and with a window of 1 MiB, because some bound blocks by a smaller window and some do not. [ZSTD-2]
 */
function normalized(frame: Uint8Array, header: FrameHeader): Uint8Array {
  if (!header.hasChecksum && header.single) return frame
  const copy = header.hasChecksum ? frame.slice(0, -4) : frame.slice()
  copy[4] = (copy[4] ?? 0) & ~0x04
  if (!header.single) copy[5] = windowDescriptorOf1MiB
  return copy
}

// By multiplication: eight bytes do not fit the bit operators. Above 2^53 it rounds, far above every cap.
function littleEndian(bytes: Uint8Array, at: number, length: number): number {
  let value = 0
  for (let i = length - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0)
  return value
}

function tooLong(maxBytes: number): KezError {
  return new KezError("limit.decompressed", `Cannot decompress: expected content of at most ${maxBytes} bytes`)
}

function malformed(why: string): KezError {
  return new KezError("zstd.frame", `Cannot decompress: expected one zstd frame, but ${why}`)
}

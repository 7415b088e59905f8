/** zstd frames, built byte by byte where a compressor would not write them. RFC 8878 §3.1.1. */
import { constants, zstdCompressSync } from "node:zlib"
import { encodeBase64Url } from "../../src/encoding/base64url.ts"

export const magic = [0x28, 0xb5, 0x2f, 0xfd]

export interface FrameParts {
  /** Frame_Content_Size; absent leaves it out, and needs a window. */
  readonly size?: number
  /** Window_Descriptor; absent makes a single segment. */
  readonly window?: number
  readonly dictionary?: boolean
  readonly checksum?: boolean
  readonly reserved?: boolean
  readonly blocks: readonly (readonly number[])[]
}

export function frameOf({ size, window, dictionary, checksum, reserved, blocks }: FrameParts): Uint8Array {
  const flags = (size === undefined ? 0 : 0xc0) | (window === undefined ? 0x20 : 0)
  const descriptor = flags | (reserved ? 8 : 0) | (checksum ? 4 : 0) | (dictionary ? 1 : 0)
  const sizes = size === undefined ? [] : Array.from({ length: 8 }, (_, i) => Math.floor(size / 256 ** i) % 256)
  const parts = [magic, [descriptor], window === undefined ? [] : [window], dictionary ? [7] : [], sizes, ...blocks]
  return Uint8Array.from([...parts.flat(), ...(checksum ? [1, 2, 3, 4] : [])])
}

/** A raw block of these bytes; `type` 1 repeats one byte `size` times, 2 is compressed, 3 is reserved. */
export function block(
  content: readonly number[],
  more: { last?: boolean; type?: number; size?: number } = {},
): number[] {
  const { last = true, type = 0, size = content.length } = more
  const header = (size << 3) | (type << 1) | (last ? 1 : 0)
  return [header & 255, (header >> 8) & 255, (header >> 16) & 255, ...content]
}

export function compressed(text: string, level = 3, more: { checksum?: boolean; sized?: boolean } = {}): Uint8Array {
  const bytes = Buffer.from(text)
  return zstdCompressSync(bytes, {
    ...(more.sized === false ? {} : { pledgedSrcSize: bytes.length }),
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_windowLog]: 20,
      [constants.ZSTD_c_checksumFlag]: more.checksum ? 1 : 0,
      [constants.ZSTD_c_contentSizeFlag]: more.sized === false ? 0 : 1,
    },
  })
}

export const compactOf = (frame: Uint8Array) => `kez:z1:${encodeBase64Url(frame)}`

/** Compact texts with one fault in the zstd frame or its base64url: part of vectors/encodings.json. SPEC §4.1 and §4.2. */
import { type Claim, encodeBase64Url, envelopeDigest, formatEnvelope } from "@kez/core"
import { storeZstd } from "../../packages/core/src/backend/store-zstd.ts"
import type { VectorCase } from "./vector-file.ts"

export const bytesOf = (text: string) => new TextEncoder().encode(text)
/** Compact text of a stored frame: the same bytes on every machine, whatever its compressor. */
export const stored = (json: string) => `kez:z1:${encodeBase64Url(storeZstd(bytesOf(json)))}`
const frame = (...bytes: readonly number[]) =>
  `kez:z1:${encodeBase64Url(Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, ...bytes]))}`

export function compact(claim: Claim): readonly VectorCase[] {
  const whole = storeZstd(bytesOf(formatEnvelope(claim)))
  const text = (bytes: Uint8Array) => `kez:z1:${encodeBase64Url(bytes)}`
  const digest = envelopeDigest(claim)
  // A stored frame has its descriptor at 4, a size of four bytes, and its block header at 9.
  const changed = (at: number, value: number) => text(whole.with(at, value))
  const checked = Uint8Array.from([...whole.with(4, 0xa4), 1, 2, 3, 4])
  return [
    {
      id: "zstd-claims-1.5-gib",
      why: "14 bytes that claim 1.5 GiB",
      text: frame(0xa0, 0, 0, 0, 0x60, 1, 0, 0, 0, 0),
      code: "limit.decompressed",
    },
    {
      id: "zstd-8-byte-size",
      why: "a size of eight bytes",
      text: frame(0xe0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 1, 0, 0),
      code: "limit.decompressed",
    },
    { id: "zstd-magic", why: "another magic number", text: text(whole.with(0, 0x29)), code: "zstd.frame" },
    {
      id: "zstd-skippable",
      why: "a skippable frame in front",
      text: text(Uint8Array.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0, ...whole])),
      code: "zstd.frame",
    },
    { id: "zstd-reserved", why: "the reserved bit", text: changed(4, 0xa8), code: "zstd.frame" },
    { id: "zstd-dictionary", why: "a dictionary id", text: frame(0x21, 1, 5, 1, 0, 0), code: "zstd.dictionary" },
    {
      id: "zstd-window",
      why: "a window of 2 MiB",
      text: frame(0x80, 11 << 3, 5, 0, 0, 0, 1, 0, 0),
      code: "limit.window",
    },
    {
      id: "zstd-checksum",
      why: "a wrong checksum is skipped: the signature is the check",
      text: text(checked),
      expect: digest,
    },
    {
      id: "zstd-checksum-cut",
      why: "a checksum that is missing",
      text: text(checked.subarray(0, -2)),
      code: "zstd.frame",
    },
    {
      id: "zstd-trailing",
      why: "a byte after the frame",
      text: text(Uint8Array.from([...whole, 0])),
      code: "zstd.trailing",
    },
    {
      id: "zstd-two-frames",
      why: "two frames",
      text: text(Uint8Array.from([...whole, ...whole])),
      code: "zstd.trailing",
    },
    { id: "zstd-cut", why: "the last byte is missing", text: text(whole.subarray(0, -1)), code: "zstd.frame" },
    { id: "zstd-header-only", why: "nothing but a header", text: frame(0x20), code: "zstd.frame" },
    {
      id: "zstd-block-type",
      why: "the reserved block type",
      text: changed(9, (whole[9] ?? 0) | 6),
      code: "zstd.frame",
    },
    {
      id: "zstd-size-larger",
      why: "a size larger than the content",
      text: changed(5, (whole[5] ?? 0) + 1),
      code: "zstd.frame",
    },
    {
      id: "zstd-size-smaller",
      why: "a size smaller than the content",
      text: changed(5, (whole[5] ?? 0) - 1),
      code: "zstd.frame",
    },
    { id: "zstd-empty", why: "no content", text: frame(0x20, 0, 1, 0, 0), code: "zstd.frame" },
    {
      id: "zstd-no-size-long",
      why: "no size, and 128 KiB of one byte",
      text: frame(0x00, 0x38, 0x03, 0x00, 0x10, 0x41),
      code: "limit.decompressed",
    },
    {
      id: "zstd-small-window",
      why: "a block larger than a window of 1 KiB: the window is taken as 1 MiB",
      text: text(smallWindow(formatEnvelope(claim))),
      expect: digest,
    },
    { id: "zstd-not-json", why: "a frame that holds no JSON", text: stored("hello"), code: "json.syntax" },
  ]
}

export function base64(): readonly VectorCase[] {
  const refused = (id: string, why: string, text: string): VectorCase => ({
    id: `b64-${id}`,
    why,
    text: `kez:z1:${text}`,
    code: "encoding.base64url",
  })
  return [
    refused("length", "length 1 mod 4", "AAAAA"),
    refused("padding", "padding", "AAA="),
    refused("standard", "the alphabet of plain base64", "AA+/"),
    refused("spare-bits", "bits that no byte uses", "AB"),
    refused("spare-bits-3", "two such bits", "AAB"),
    refused("non-ascii", "another letter", "AAAé"),
    { id: "b64-long", why: "87,383 characters", text: `kez:z1:${"A".repeat(87_383)}`, code: "limit.decompressed" },
  ]
}

/** A frame without content size whose window is 1 KiB, and whose one raw block, padded with spaces, is larger. */
function smallWindow(json: string): Uint8Array {
  const content = bytesOf(json + " ".repeat(2_000))
  const block = (content.length << 3) | 1
  return Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x00, block & 255, (block >> 8) & 255, block >> 16, ...content])
}

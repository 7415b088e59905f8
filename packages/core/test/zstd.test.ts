/** zstd frames and base64url. SPEC §4.1, §4.2; adversarial C.2, Z1 to Z10. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { zstdCompressSync } from "node:zlib"
import { storeZstd } from "../src/backend/store-zstd.ts"
import type { Code } from "../src/codes.ts"
import { decodeBase64Url, encodeBase64Url } from "../src/encoding/base64url.ts"
import { decodeProof } from "../src/encoding/proof.ts"
import { compressFrame, decompressFrame } from "../src/encoding/zstd.ts"
import { envelopeDigest, formatEnvelope } from "../src/envelope/envelope.ts"
import { assertSignature } from "../src/envelope/verify.ts"
import { claimOf } from "./support/chains.ts"
import { block, compactOf, compressed, frameOf, magic } from "./support/frames.ts"
import { keyNamed } from "./support/keys.ts"
import { codeOf, refuses } from "./support/throws.ts"

const cap = 65_536
const claim = claimOf("dns:a.example", keyNamed("alice"))
const json = formatEnvelope(claim)
const frame = compressed(json)
const raw = block([1, 2, 3])
const mebibyte = 10 << 3

const table: readonly (readonly [title: string, code: Code | undefined, frame: Uint8Array])[] = [
  [
    "Z1 14 bytes that claim 1.5 GiB",
    "limit.decompressed",
    frameOf({ size: 1.5 * 2 ** 30, blocks: [[1, 0, 0]] }).subarray(0, 14),
  ],
  ["Z1 a size of 2^63", "limit.decompressed", frameOf({ size: 2 ** 63, blocks: [raw] })],
  // By the order of ZSTD-1 the window is looked at first.
  ["Z2 100 MiB of zeros in a window of 2 MiB", "limit.window", zstdCompressSync(Buffer.alloc(100 * 2 ** 20))],
  ["Z2 100 MiB of zeros in a window of 1 MiB", "limit.decompressed", compressed("\0".repeat(100 * 2 ** 20))],
  ["Z2 the same without content size", "limit.decompressed", zerosWithoutSize()],
  ["content of the cap", undefined, frameOf({ size: cap, blocks: [block([7], { type: 1, size: cap })] })],
  [
    "content of the cap and one byte, stated",
    "limit.decompressed",
    frameOf({ size: cap + 1, blocks: [block([7], { type: 1, size: cap + 1 })] }),
  ],
  [
    "content of the cap and one byte, not stated",
    "limit.decompressed",
    frameOf({ window: mebibyte, blocks: [block([7], { type: 1, size: cap + 1 })] }),
  ],
  ["Z3 content size left out", undefined, frameOf({ window: mebibyte, blocks: [raw] })],
  ["Z3 content size too small", "zstd.frame", frameOf({ size: 2, blocks: [raw] })],
  ["Z3 content size too large", "zstd.frame", frameOf({ size: 4, blocks: [raw] })],
  ["Z3 content size 0", "zstd.frame", frameOf({ size: 0, blocks: [block([])] })],
  ["empty content without size", "limit.decompressed", frameOf({ window: mebibyte, blocks: [block([])] })],
  ["no bytes", "zstd.frame", new Uint8Array()],
  ["magic alone", "zstd.frame", Uint8Array.from(magic)],
  ["header cut", "zstd.frame", Uint8Array.from([...magic, 0xe0, 1, 2])],
  ["wrong magic of zstd v0.7", "zstd.frame", Uint8Array.from([0x27, ...frame.subarray(1)])],
  ["Z5 skippable frame in front", "zstd.frame", Uint8Array.from([0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9, ...frame])],
  ["reserved bit", "zstd.frame", frameOf({ size: 3, reserved: true, blocks: [raw] })],
  [
    "reserved bit before dictionary",
    "zstd.frame",
    frameOf({ size: 3, reserved: true, dictionary: true, blocks: [raw] }),
  ],
  ["Z6 dictionary", "zstd.dictionary", frameOf({ size: 3, dictionary: true, blocks: [raw] })],
  ["Z6 dictionary before window", "zstd.dictionary", frameOf({ window: 0xff, dictionary: true, blocks: [raw] })],
  ["Z7 window of 2^31", "limit.window", frameOf({ size: 3, window: 21 << 3, blocks: [raw] })],
  ["Z7 window of 1 MiB and an eighth", "limit.window", frameOf({ size: 3, window: mebibyte | 1, blocks: [raw] })],
  ["Z7 window before content size", "limit.window", frameOf({ size: 2 ** 40, window: 0xff, blocks: [raw] })],
  [
    "window of 1 MiB, content above the cap",
    "limit.decompressed",
    frameOf({ size: 2 ** 40, window: mebibyte, blocks: [raw] }),
  ],
  ["reserved block", "zstd.frame", frameOf({ size: 3, blocks: [block([1, 2, 3], { type: 3 })] })],
  ["block above 131,072", "zstd.frame", frameOf({ size: 3, blocks: [block([1], { type: 1, size: 131_073 })] })],
  [
    "block above 131,072, size not stated",
    "zstd.frame",
    frameOf({ window: mebibyte, blocks: [block([1], { type: 1, size: 131_073 })] }),
  ],
  ["block cut", "zstd.frame", frameOf({ size: 3, blocks: [block([1, 2], { size: 3 })] })],
  ["no last block", "zstd.frame", frameOf({ size: 3, blocks: [block([1, 2, 3], { last: false })] })],
  [
    "three blocks, one empty",
    undefined,
    frameOf({ size: 3, blocks: [block([1, 2], { last: false }), block([], { last: false }), block([3])] }),
  ],
  ["compressed block of garbage", "zstd.frame", frameOf({ size: 3, blocks: [block([0xff, 0xff, 0xff], { type: 2 })] })],
  [
    "compressed block of garbage, size not stated",
    "limit.decompressed",
    frameOf({ window: mebibyte, blocks: [block([0xff, 0xff, 0xff], { type: 2 })] }),
  ],
  ["checksum that is wrong: it is not compared", undefined, frameOf({ size: 3, checksum: true, blocks: [raw] })],
  ["checksum cut", "zstd.frame", frameOf({ size: 3, checksum: true, blocks: [raw] }).subarray(0, -1)],
  ["Z5 trailing byte", "zstd.trailing", frameOf({ size: 3, blocks: [raw, [0]] })],
  [
    "Z5 trailing byte after a checksum",
    "zstd.trailing",
    Uint8Array.from([...frameOf({ size: 3, checksum: true, blocks: [raw] }), 0]),
  ],
  ["Z5 two frames joined", "zstd.trailing", Uint8Array.from([...frame, ...frame])],
  [
    "trailing before what the blocks hold",
    "zstd.trailing",
    frameOf({ size: 3, blocks: [block([0xff], { type: 2 }), [0]] }),
  ],
]

for (const [title, code, bytes] of table) {
  test(`${title} -> ${code ?? "accepted"}`, () =>
    assert.equal(
      codeOf(() => decompressFrame(bytes, cap)),
      code,
    ))
}

test("Z4 every truncation of a frame -> zstd.frame", () => {
  for (let length = 0; length < frame.length; length++)
    refuses(() => decompressFrame(frame.slice(0, length), cap), "zstd.frame")
})

test("Z4 every single-bit flip of a compact claim is refused, or means the same", () => {
  for (const source of [frame, compressed(json, 19, { checksum: true, sized: false })]) {
    let same = 0
    for (let bit = 0; bit < source.length * 8; bit++) {
      const flipped = Uint8Array.from(source)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const code = codeOf(() => {
        const proof = decodeProof(compactOf(flipped))
        if (proof.kind === "claim") assertSignature(proof.claim)
        assert.ok(proof.kind === "claim" && proof.digest === envelopeDigest(claim), `bit ${bit}`)
      })
      if (code === undefined) same++
    }
    assert.ok(same < 64, `${same} bits without meaning`) // the window and the checksum
  }
})

test("Z10 one claim at four levels, stored, with and without size and checksum -> one digest", () => {
  const frames = [1, 3, 19, 22].map((level) => compressed(json, level))
  frames.push(
    storeZstd(Buffer.from(json)),
    compressFrame(Buffer.from(json)),
    compressed(json, 3, { checksum: true, sized: false }),
  )
  for (const each of frames) {
    const proof = decodeProof(compactOf(each))
    assert.equal(proof.kind === "claim" && proof.digest, envelopeDigest(claim))
  }
  assert.ok(new Set(frames.map(compactOf)).size >= 4)
})

test("ENC-3 compressFrame() and storeZstd() write one frame with size, without checksum and dictionary, for any length", () => {
  for (const length of [1, 2, 255, 256, 65_535, 65_536, 131_072, 131_073, 1_048_576, 1_048_577, 3_000_000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * i) >> 3)
    for (const made of [compressFrame(bytes), storeZstd(bytes)]) {
      assert.equal((made[4] ?? 0) & 0x07, 0, "no checksum, no dictionary")
      assert.deepEqual(Buffer.from(decompressFrame(made, 8_388_608)), Buffer.from(bytes))
      refuses(() => decompressFrame(made, length - 1), "limit.decompressed")
    }
  }
})

const notBase64: readonly (readonly [string, string])[] = [
  ["line feed", "AA\nAA"],
  ["plus", "AA+A"],
  ["slash", "AA/A"],
  ["padding", "AA=="],
  ["padding of one", "AAA="],
  ["spare bits in two characters", "AB"],
  ["spare bits in three characters", "AAB"],
  ["length 1 mod 4", "AAAAA"],
  ["non-ASCII", "AAé0"],
  ["a character whose low byte is A", "AA\u0141A"],
  ["space at the end", "AAAA "],
  ["NUL", "AA\0A"],
]

for (const [why, text] of notBase64) {
  test(`Z8 base64url with ${why} -> encoding.base64url`, () =>
    refuses(() => decodeBase64Url(text), "encoding.base64url"))
}

test("Z8 decodeBase64Url() accepts exactly what encodeBase64Url() writes", () => {
  for (let a = 0; a < 256; a++) {
    for (const bytes of [[a], [a, 255 - a], [a, 7, a], [1, 2, 3, a]]) {
      const text = encodeBase64Url(Uint8Array.from(bytes))
      assert.equal(text, Buffer.from(bytes).toString("base64url"))
      assert.deepEqual([...decodeBase64Url(text)], bytes)
    }
  }
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  const accepted = [...alphabet]
    .flatMap((a) => [...alphabet].map((b) => a + b))
    .filter((text) => codeOf(() => decodeBase64Url(text)) === undefined)
  assert.equal(accepted.length, 256)
  assert.equal(
    [...alphabet].filter((c) => codeOf(() => decodeBase64Url(`AA${c}`)) === undefined).join(""),
    "AEIMQUYcgkosw048",
  )
  assert.equal(decodeBase64Url("").length, 0)
})

test("ENC-2 the order: size of the text, base64url, frame, UTF-8, JSON", () => {
  refuses(() => decodeProof(`kez:z1:${"!".repeat(87_383)}`), "limit.decompressed")
  refuses(() => decodeProof(`kez:z1:${"!".repeat(87_382)}`), "encoding.base64url")
  refuses(() => decodeProof("kez:z1:AAAA"), "zstd.frame")
  refuses(() => decodeProof("kez:z1:"), "zstd.frame")
  refuses(() => decodeProof(compactOf(storeZstd(Uint8Array.of(0xff)))), "text.utf8")
  refuses(() => decodeProof(compactOf(compressed("\ufeff{}"))), "text.bom")
  refuses(() => decodeProof(compactOf(compressed("{"))), "json.syntax")
  refuses(() => decodeProof(compactOf(compressed("{}"))), "schema.missing_member")
})

function zerosWithoutSize(): Uint8Array {
  const blocks = Array.from({ length: 800 }, (_, i) => block([0], { type: 1, size: 131_072, last: i === 799 }))
  return frameOf({ window: mebibyte, blocks })
}

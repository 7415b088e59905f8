/** A broken random generator makes no key. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { drawKey, drawRandom, type RandomSource } from "../src/keys/random.ts"

let seed = 0
const broken: ReadonlyArray<readonly [name: string, source: RandomSource]> = [
  ["returns zeros", (size) => new Uint8Array(size)],
  ["returns one byte over and over", (size) => new Uint8Array(size).fill(0xa5)],
  ["returns the same bytes twice", (size) => Uint8Array.from({ length: size }, (_, i) => i)],
  ["returns another constant each time", (size) => new Uint8Array(size).fill(seed++)],
  ["returns too few bytes", () => Uint8Array.of(1, 2, 3)],
  [
    "throws",
    () => {
      throw new Error("no entropy")
    },
  ],
]

for (const [name, source] of broken) {
  for (const words of [12, 24] as const) {
    test(`B4 drawKey() refuses a generator that ${name}, for ${words} words`, () => {
      assert.throws(() => drawKey("ed25519", words, source), { code: "key.weak" })
      assert.throws(() => drawKey("nostr", words, source), { code: "key.weak" })
    })
  }
}

test("drawRandom() never returns the same bytes twice", () => {
  const drawn = new Set(Array.from({ length: 500 }, () => Buffer.from(drawRandom(16)).toString("hex")))
  assert.equal(drawn.size, 500)
})

test("drawKey() draws a nostr secret again while it is out of range", () => {
  const order = Buffer.from("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", "hex")
  const good = Buffer.from(`${"11".repeat(31)}12`, "hex")
  const drawn = [order, good, good, Buffer.from(`${"22".repeat(31)}23`, "hex")]
  const { key } = drawKey("nostr", 24, () => drawn.shift() ?? new Uint8Array(32))
  assert.deepEqual(Buffer.from(key.secret), good)
})

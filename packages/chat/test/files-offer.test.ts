/** Sizes that an offer claims, adversarial.md C.11 F4: a size is a number to show and to compare, never room that is taken. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { canonicalize, type Json } from "@kez/core"
import { encodeText, joinBytes, uintBytes } from "../src/bytes.ts"
import { decodeFileList } from "../src/files/list.ts"
import { decodeMessage } from "../src/wire/message.ts"

const device = `ed25519:${"a".repeat(64)}`
const hash = "c".repeat(64)

/** As a modified client would send it: with `size` written as it is. */
function offerOf(size: string, more: Readonly<Record<string, Json>> = {}) {
  const content = { transfer: hash, name: "a.bin", size: 0, media_type: "text/plain", hash, ...more }
  const header = canonicalize({ device, counter: 0, type: "file_offer", content }).replace('"size":0', `"size":${size}`)
  const text = encodeText(header)
  return decodeMessage(joinBytes(Uint8Array.of(1), uintBytes(text.length, 2), text), device)
}

for (const size of ["0", "1", "9007199254740991"]) {
  test(`F4: an offer of ${size} bytes is one`, () => {
    const read = offerOf(size)
    assert.equal(read.contentFault, undefined)
    assert.equal(read.content.type === "file_offer" ? read.content.size : undefined, Number(size))
  })
}

for (const size of ["9007199254740992", "1e300", "-1", "0.5", '"1"', "null"]) {
  test(`F4: an offer of ${size} bytes is not shown as one`, () => {
    // Refused as a whole, or kept in its place as something that does not fit.
    try {
      const read = offerOf(size)
      assert.equal(read.content.type, "unknown")
      assert.notEqual(read.contentFault, undefined)
    } catch (error) {
      assert.match(String((error as { readonly code?: string }).code), /^(?:json|schema|chat)\./)
    }
  })
}

test("F4: sizes in a list that together are more than any file are refused, whatever the offer said", () => {
  const most = Number.MAX_SAFE_INTEGER
  const files = ["a", "b", "c"].map((path) => ({ path, size: most, hash }))
  const list = encodeText(canonicalize({ type: "kez.files.list", version: 1, files }))
  for (const size of [most, most - 1, 0])
    assert.throws(() => decodeFileList(list, { files: 3, size }), { code: "file.offer" })
})

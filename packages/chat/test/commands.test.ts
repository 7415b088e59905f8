/** What goes over the broker: frames, commands, answers and deliveries, in both directions and spoilt. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { type Digest, KezError } from "@kez/core"
import { decodeAnswer, decodeRequest, encodeAnswer, encodeRefusal, encodeRequest } from "../src/wire/command-codec.ts"
import { decodeDelivery, encodeDelivery } from "../src/wire/delivery.ts"
import { decodeFrame, encodeFrame } from "../src/wire/frame.ts"

const conversation = "ab".repeat(32)
const id: Digest = `sha256:${"cd".repeat(32)}`
const part = Uint8Array.of(1, 2, 3)

const codeOf = (run: () => unknown): string => {
  try {
    run()
    return "accepted"
  } catch (error) {
    return error instanceof KezError ? error.code : String(error)
  }
}

test("a command arrives as it was sent", () => {
  const bytes = encodeRequest("send", { conversation, id }, [part])
  assert.deepEqual(decodeRequest("send", bytes), { header: { conversation, id }, parts: [part] })
})

test("an answer arrives as it was given, a refusal is thrown with its code and hint", () => {
  const bytes = encodeAnswer("commit", { accepted: false, newest: 7 })
  assert.deepEqual(decodeAnswer("commit", bytes).header, { accepted: false, newest: 7 })
  const refused = encodeRefusal(new KezError("store.full", "Cannot deliver: it is full", { hint: "Wait." }))
  assert.throws(
    () => decodeAnswer("send", refused),
    (error: unknown) => error instanceof KezError && error.code === "store.full" && error.hint === "Wait.",
  )
})

test("a refusal that says when to come again, and nothing else to do, says so to people", () => {
  const busy = encodeRefusal(new KezError("net.busy", "Cannot do it now"), 7)
  assert.throws(() => decodeAnswer("send", busy), { code: "net.busy", hint: "Try again in 7 s." })
})

test("a code that is not known here is told as broker.refused", () => {
  const header = { error: { code: "future.code", message: "Cannot" } }
  assert.equal(
    codeOf(() => decodeAnswer("send", encodeFrame({ header, parts: [] }))),
    "broker.refused",
  )
})

test("another number of parts, other members and other values are refused", () => {
  assert.equal(
    codeOf(() => decodeRequest("send", encodeRequest("send", { conversation, id }, []))),
    "chat.encoding",
  )
  const more = encodeFrame({ header: { conversation, id, as: "root" }, parts: [part] })
  assert.equal(
    codeOf(() => decodeRequest("send", more)),
    "schema.unknown_member",
  )
  const dots = encodeFrame({ header: { conversation: "a.>", id }, parts: [part] })
  assert.equal(
    codeOf(() => decodeRequest("send", dots)),
    "schema.value",
  )
})

test("a frame that is cut anywhere, or goes on, is refused", () => {
  const bytes = encodeFrame({ header: { a: 1 }, parts: [part, part] })
  for (let length = 0; length < bytes.length; length++) {
    assert.notEqual(
      codeOf(() => decodeFrame(bytes.subarray(0, length))),
      "accepted",
      `cut at ${length}`,
    )
  }
  assert.equal(
    codeOf(() => decodeFrame(Uint8Array.of(...bytes, 0))),
    "chat.encoding",
  )
})

test("a delivery arrives as it was put", () => {
  const delivery = { kind: "commit", conversation, seq: 9, id, follows: 0, members: [id], data: part } as const
  assert.deepEqual(decodeDelivery(encodeDelivery(delivery)), delivery)
})

/** Messages as lines: what strangers write is shown and never obeyed. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { ShownMessage } from "@kez/chat"
import { alarmWords } from "../../src/chat/alarm-text.ts"
import { bodyLines, notesOf, quoteOf, safeLines, sizeText } from "../../src/chat/message-text.ts"

const message: ShownMessage = {
  id: `sha256:${"0".repeat(64)}`,
  conversation: `sha256:${"1".repeat(64)}`,
  place: "1",
  sender: { chain: `sha256:${"2".repeat(64)}`, device: "ed25519:00", isSelf: false },
  at: 0,
  type: "text",
  mentions: [],
  reactions: [],
  isEarly: false,
}

test("safeLines() escapes escape sequences, bidi marks and invisible characters, and ends lines at every break", () => {
  assert.deepEqual(safeLines("a\u001b[31mb\r\nc\u202ed\u2028e\u200bf"), ["a\\u{1b}[31mb", "c\\u{202e}d", "e\\u{200b}f"])
})

test("safeLines() says how much it left out", () => {
  assert.deepEqual(safeLines("abcdef", 4), ["abcd", "… 2 more characters"])
})

test("bodyLines() names what cannot be shown, and why", () => {
  assert.deepEqual(bodyLines({ ...message, type: "deleted" }), ["(taken back)"])
  assert.match(bodyLines({ ...message, type: "unknown" })[0] ?? "", /update/)
  const fileOffer = { transfer: "", name: "a\u001bb.zip", size: 420_000_000, media_type: "", hash: "" }
  assert.match(bodyLines({ ...message, type: "file_offer", fileOffer })[0] ?? "", /a\\u\{1b\}b\.zip, 420\.0 MB/)
})

test("notesOf() tells why something waits, with its code", () => {
  const delivered = { state: "waiting", code: "chat.key_package", reason: "no device" } as const
  assert.equal(notesOf({ ...message, editedAt: 1, delivered }), "edited, waiting: no device [chat.key_package]")
})

test("quoteOf() is short, and says so when there is nothing to quote", () => {
  assert.equal(quoteOf(undefined), "an earlier message")
  assert.equal([...quoteOf({ ...message, text: "x".repeat(100) })].length, 40)
})

test("sizeText() counts in thousands", () => {
  assert.deepEqual([0, 999, 1_000, 1_500_000].map(sizeText), ["0 bytes", "999 bytes", "1.0 kB", "1.5 MB"])
})

test("alarmWords() says of a stop that nothing is sent, and escapes what came from outside", () => {
  const chain = `sha256:${"3".repeat(64)}`
  const alarm = {
    kind: "chain_changed",
    contact: chain,
    handle: "bob\u001b@x",
    pinned: chain,
    found: chain,
    evidence: "",
    code: "account.changed",
    message: "m",
    hint: "Ask.",
  } as const
  const words = alarmWords({ id: "1", alarm, at: 0, isStop: true, isAcceptable: false }, () => "bob")
  assert.equal(words.isLoud, true)
  assert.match(words.title, /bob\\u\{1b\}@x leads to another identity/)
  assert.ok(words.details.some((line) => line.startsWith("Nothing is sent")))
})

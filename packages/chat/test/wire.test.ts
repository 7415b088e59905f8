/** What stands inside the ciphertext: types, places, order. adversarial C.10 M1 to M5, M17. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { digestOf } from "@kez/core"
import fc from "fast-check"
import { joinBytes, uintBytes } from "../src/bytes.ts"
import { maxContentBytes, maxHeldMessages } from "../src/limits.ts"
import type { ContentType, ContentTypes } from "../src/wire/content.ts"
import { decodeMessage, encodeMessage, type Place, readResent, textOf } from "../src/wire/message.ts"
import {
  type Arrival,
  firstSequence,
  gapOf,
  type Placed,
  placeMessage,
  type Sequence,
  sequenceFrom,
} from "../src/wire/sequence.ts"
import { bytes } from "./support/world.ts"

const device = `ed25519:${"a".repeat(64)}`
const id = `sha256:${"b".repeat(64)}`
const hex = "c".repeat(64)

const samples: { readonly [T in ContentType]: ContentTypes[T] } = {
  text: { mentions: [id] },
  reply: { to: id },
  thread: { root: id },
  edit: { of: id },
  delete: { of: id },
  reaction: { to: id, emoji: "👍🏽", action: "add" },
  receipt: { state: "read", device, counter: 4 },
  typing: { state: "on" },
  file_offer: { transfer: hex, name: "a b.txt", size: 12, media_type: "text/plain", hash: hex },
  file_state: { transfer: hex, state: "done" },
  presence: { for: "files" },
  shares: { root: hex, sections: [{ at: 0, key: hex }] },
  membership: { action: "leave" },
  resend_request: { device, from: 3, to: 5 },
  not_resent: { to: device, before: 3 },
  resent: { device, counter: 3 },
}

function placeOf(type: ContentType): Place {
  return type === "typing" || type === "presence" || type === "shares" ? { device } : { device, counter: 1, prev: id }
}

for (const type of Object.keys(samples) as ContentType[]) {
  test(`decodeMessage() gives back ${type}`, () => {
    const made = encodeMessage(placeOf(type), type, { content: samples[type] })
    const read = decodeMessage(made.bytes, device)
    assert.deepEqual(read.content, { ...samples[type], type })
    assert.equal(read.id, made.id)
    assert.equal(read.id, digestOf(made.bytes))
    assert.equal(read.contentFault, undefined)
  })
}

test("text keeps its line ends, tabs and every character", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (content) => {
      const made = encodeMessage({ device, counter: 0 }, "text", { content: {}, body: bytes(content) })
      assert.equal(decodeMessage(made.bytes, device).body.length, bytes(content).length)
      if (!content.startsWith("\ufeff")) assert.equal(textOf(decodeMessage(made.bytes, device)), content)
    }),
  )
  const lines = "one\n\ttwo\r\n**three**"
  const made = encodeMessage({ device, counter: 0 }, "text", { content: {}, body: bytes(lines) })
  assert.equal(textOf(decodeMessage(made.bytes, device)), lines)
})

function raw(header: object | string, body: Uint8Array = new Uint8Array(), version = 1): Uint8Array {
  const text = bytes(typeof header === "string" ? header : canonical(header))
  return joinBytes(Uint8Array.of(version), uintBytes(text.length, 2), text, body)
}
const canonical = (value: object): string =>
  JSON.stringify(value, (_, one) =>
    one !== null && typeof one === "object" && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort())
      : one,
  )

test("an unknown type is kept, with its place, to be read after an update", () => {
  const read = decodeMessage(raw({ device, counter: 0, type: "poll", content: { question: "?" } }, bytes("x")), device)
  assert.deepEqual(read.content, { type: "unknown", name: "poll" })
  assert.equal(read.counter, 0)
  assert.equal(read.contentFault, undefined)
})

test("a known type that does not fit is not shown, and its place counts", () => {
  for (const content of [{ more: 1 }, { mentions: [] }, { mentions: ["x"] }]) {
    const read = decodeMessage(raw({ device, counter: 0, type: "text", content }), device)
    assert.equal(read.content.type, "unknown")
    assert.match(read.contentFault?.code ?? "", /^schema\./)
    assert.equal(read.counter, 0)
  }
  assert.equal(
    decodeMessage(raw({ device, counter: 0, type: "delete", content: { of: id } }, bytes("x")), device).contentFault
      ?.code,
    "chat.encoding",
  )
})

const broken: readonly (readonly [string, string, Uint8Array])[] = [
  ["is empty", "chat.encoding", new Uint8Array()],
  [
    "is of another version",
    "chat.encoding",
    raw({ device, counter: 0, type: "text", content: {} }, new Uint8Array(), 2),
  ],
  ["has a header longer than itself", "chat.encoding", Uint8Array.of(1, 0xff, 0xff, 0x7b)],
  ["has a header that is too long", "limit.size", raw(JSON.stringify({ x: "y".repeat(9_000) }))],
  ["is too long", "limit.size", new Uint8Array(maxContentBytes + 1)],
  ["is not JSON", "json.syntax", raw("{")],
  ["is not UTF-8", "text.utf8", joinBytes(Uint8Array.of(1, 0, 1, 0xff))],
  ["is not canonical", "chat.encoding", raw(`{"type":"text","device":"${device}","counter":0,"content":{}}`)],
  ["has a member twice", "json.duplicate", raw(`{"content":{},"content":{}}`)],
  [
    "has a member that nobody knows",
    "schema.unknown_member",
    raw({ device, counter: 0, type: "text", content: {}, more: 1 }),
  ],
  ["has no counter", "schema.missing_member", raw({ device, type: "text", content: {} })],
  ["has a counter where there is none", "schema.value", raw({ device, counter: 0, type: "typing", content: {} })],
  ["has no message before it", "schema.value", raw({ device, counter: 1, type: "text", content: {} })],
  ["is first and has one before it", "schema.value", raw({ device, counter: 0, prev: id, type: "text", content: {} })],
  ["has a counter below 0", "schema.value", raw({ device, counter: -1, type: "text", content: {} })],
  ["has a type of another alphabet", "schema.value", raw({ device, counter: 0, type: "Text!", content: {} })],
  [
    "names another device",
    "chat.decrypt",
    raw({ device: `ed25519:${"d".repeat(64)}`, counter: 0, type: "text", content: {} }),
  ],
]
for (const [title, code, message] of broken) {
  test(`decodeMessage() throws ${code} when the message ${title}`, () => {
    assert.throws(() => decodeMessage(message, device), { code })
  })
}

test("decodeMessage() answers any bytes with a message or a typed refusal", () => {
  const good = encodeMessage({ device, counter: 1, prev: id }, "reply", {
    content: { to: id },
    body: bytes("hello"),
  }).bytes
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, change, cut) => {
      const altered = cut ? good.slice(0, at) : good.map((byte, i) => (i === at ? byte ^ change : byte))
      try {
        assert.notEqual(decodeMessage(altered, device).id, digestOf(good))
      } catch (error) {
        assert.ok(error instanceof Error && "code" in error && error.name === "KezError")
      }
    }),
    { numRuns: 500 },
  )
})

/** A device's messages, each naming the one before. */
function messagesOf(count: number, from = 0, before?: string): readonly (Placed & { readonly bytes: Uint8Array })[] {
  let prev = before
  return Array.from({ length: count }, (_, i) => {
    const place = { device, counter: from + i, ...(prev === undefined ? {} : { prev }) }
    const made = encodeMessage(place, "text", { content: {}, body: bytes(String(i)) })
    prev = made.id
    return { ...place, id: made.id, bytes: made.bytes }
  })
}

function arrive(
  sequence: Sequence,
  ...messages: readonly (Placed | undefined)[]
): { sequence: Sequence; arrivals: readonly Arrival[] } {
  const arrivals: Arrival[] = []
  let now = sequence
  for (const message of messages) {
    if (message === undefined) throw new Error("no message")
    const placed = placeMessage(now, message)
    now = placed.sequence
    arrivals.push(placed.arrival)
  }
  return { sequence: now, arrivals }
}

const kinds = (arrivals: readonly Arrival[]): readonly string[] => arrivals.map(({ kind }) => kind)

test("M1 a message that comes twice is a repeat, in order or while it waits", () => {
  const [one, two, three] = messagesOf(3)
  assert.deepEqual(kinds(arrive(firstSequence, one, one, three, three, two).arrivals), [
    "in_order",
    "repeat",
    "gap",
    "repeat",
    "in_order",
  ])
})

test("M2 the order 3, 1, 2 is restored", () => {
  const [one, two, three] = messagesOf(3)
  const { sequence, arrivals } = arrive(firstSequence, three, one, two)
  assert.deepEqual(kinds(arrivals), ["gap", "in_order", "in_order"])
  assert.deepEqual(arrivals[2], { kind: "in_order", released: [three?.id] })
  assert.equal(sequence.next, 3)
})

test("M3 M17 ten purged messages are a gap at the next one, which says what to ask for, and heals", () => {
  const messages = messagesOf(20)
  const { sequence, arrivals } = arrive(firstSequence, ...messages.slice(0, 5), messages[15])
  const last = arrivals.at(-1)
  assert.ok(last?.kind === "gap" && last.from === 5 && last.to === 14 && last.fault.code === "chat.gap")
  assert.deepEqual(gapOf(sequence), { from: 5, to: 14 })
  const healed = arrive(sequence, ...messages.slice(5, 15))
  assert.equal(gapOf(healed.sequence), undefined)
  assert.equal(healed.sequence.next, 16)
})

test("M3 what is sent again by another member is held against what was missing", () => {
  const [one, two, three] = messagesOf(3)
  const { sequence } = arrive(firstSequence, one, three)
  const wrapped = encodeMessage({ device, counter: 0 }, "resent", {
    content: { device, counter: 1 },
    body: two?.bytes ?? new Uint8Array(),
  })
  const { id: resentId, counter = -1, prev } = readResent(decodeMessage(wrapped.bytes, device).body)
  const healed = placeMessage(sequence, { id: resentId, counter, ...(prev === undefined ? {} : { prev }) })
  assert.deepEqual(healed.arrival, { kind: "in_order", released: [three?.id] })
})

test("M4 another message in one place is a fork of its sender, early, late or in order", () => {
  const [one, two, three] = messagesOf(3)
  const [, other, otherThird] = messagesOf(3, 0, undefined).map((message, i) => ({
    ...message,
    id: `sha256:${String(i).repeat(64)}`,
  }))
  const late = arrive(firstSequence, one, two, other)
  assert.equal(late.arrivals[2]?.kind, "fork")
  assert.equal(late.sequence.last, two?.id) // the first stays
  const early = arrive(firstSequence, one, three, otherThird)
  assert.equal(early.arrivals[2]?.kind, "fork")
  // In order, but after another message than came.
  const [, after] = messagesOf(2, 0, undefined)
  const bad = { ...(after ?? { counter: 1, id }), prev: `sha256:${"9".repeat(64)}` }
  const { arrivals } = arrive(firstSequence, one, bad)
  assert.ok(arrivals[1]?.kind === "fork" && arrivals[1].fault.code === "chat.sender_fork")
})

test("one that waited and does not follow what came is dropped and told", () => {
  const [one, two, three] = messagesOf(3)
  const wrong = { ...(three ?? { counter: 2, id }), prev: id }
  const { sequence, arrivals } = arrive(firstSequence, one, wrong, two)
  assert.ok(arrivals[2]?.kind === "in_order" && arrivals[2].fault?.code === "chat.sender_fork")
  assert.equal(sequence.next, 2)
})

test("who joins later begins where he was told, and misses nothing from there", () => {
  const messages = messagesOf(5, 40, id)
  assert.deepEqual(
    kinds(arrive(sequenceFrom(40, id), ...messages).arrivals),
    messages.map(() => "in_order"),
  )
  assert.equal(arrive(sequenceFrom(40, id), messages[1]).arrivals[0]?.kind, "gap")
  assert.equal(arrive(sequenceFrom(40, `sha256:${"8".repeat(64)}`), messages[0]).arrivals[0]?.kind, "fork")
})

test("a device cannot make others hold more than so many messages", () => {
  const messages = messagesOf(maxHeldMessages + 2)
  const early = arrive(firstSequence, ...messages.slice(1, -1))
  assert.deepEqual([early.sequence.held.size, early.sequence.next], [maxHeldMessages, 0])
  // The first stretch is given up, and comes late.
  const { sequence, arrivals } = arrive(early.sequence, messages.at(-1))
  assert.ok(arrivals[0]?.kind === "in_order" && arrivals[0].lost?.from === 0 && arrivals[0].lost.to === 0)
  assert.deepEqual([sequence.held.size, sequence.next, sequence.lost?.length], [0, maxHeldMessages + 2, 1])
  const late = arrive(sequence, messages[0], messages[0])
  assert.deepEqual(kinds(late.arrivals), ["late", "repeat"])
  assert.deepEqual(late.sequence.lost, [])
})

test("a device that jumps ahead is held, however far, and its oldest holes are given up one by one", () => {
  const jumps = Array.from({ length: maxHeldMessages + 40 }, (_, i) => ({ counter: (i + 1) * 1_000_000, id, prev: id }))
  const { sequence, arrivals } = arrive(firstSequence, ...jumps)
  assert.ok(arrivals.every(({ kind }) => kind === "gap"))
  assert.equal(sequence.held.size, maxHeldMessages)
  assert.equal(sequence.next, 40 * 1_000_000 + 1)
  assert.ok((sequence.lost?.length ?? 0) <= 16)
})

test("what waits where a stretch is given up and does not follow is dropped and told", () => {
  const messages = messagesOf(maxHeldMessages + 2)
  const wrong = { ...(messages[2] ?? { counter: 2, id }), prev: id }
  const { arrivals, sequence } = arrive(firstSequence, messages[1], wrong, ...messages.slice(3))
  const last = arrivals.at(-1)
  assert.ok(last?.kind === "gap" && last.lost?.fault?.code === "chat.sender_fork")
  assert.equal(sequence.next, 2)
})

test("any order with drops and repeats ends in order, and each message is shown once", () => {
  const messages = messagesOf(12)
  const order = fc.shuffledSubarray(
    messages.flatMap((_, i) => [i, i]),
    { minLength: 24, maxLength: 24 },
  )
  fc.assert(
    fc.property(order, (indexes) => {
      const { sequence, arrivals } = arrive(firstSequence, ...indexes.map((i) => messages[i]))
      assert.equal(sequence.next, 12)
      const shown = arrivals.flatMap((one, i) =>
        one.kind === "in_order" ? [messages[indexes[i] ?? -1]?.id, ...one.released] : [],
      )
      assert.deepEqual(
        shown,
        messages.map((message) => message.id),
      )
    }),
    { numRuns: 100 },
  )
})

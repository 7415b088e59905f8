/** Reading and making nostr events. SPEC §7.4, adversarial case S12. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createSigner, formatHex, publicKeyBytes } from "@kez/core"
import {
  assertEventSignature,
  authorOf,
  compareEvents,
  type NostrEvent,
  readEvent,
  serializeEvent,
  signEvent,
  type UnsignedEvent,
  uriOf,
} from "../src/nostr-event.ts"

const now = 1_800_000_000
const signer = createSigner("nostr", new Uint8Array(32).fill(0x42))
const author = authorOf(signer.key.slice("nostr:".length))
const expected = { author, kinds: [0, 1, 30_078], now }

function make(members: Partial<UnsignedEvent> = {}): Promise<NostrEvent> {
  return signEvent({ pubkey: author, created_at: now, kind: 1, tags: [], content: "kez", ...members }, signer.sign)
}

function check(value: unknown): void {
  assertEventSignature(readEvent(value, expected))
}

const event = await make()

test("readEvent() takes an event that was signed as NIP-01 says", async () => {
  assert.deepEqual(readEvent(JSON.parse(JSON.stringify(event)), expected), event)
  check(event)
  check(
    await make({
      kind: 30_078,
      tags: [
        ["d", "kez"],
        ["t", "a"],
        ["t", "a"],
      ],
    }),
  )
  check(await make({ created_at: now + 300 }))
  check(await make({ created_at: 0 }))
})

test("serializeEvent() escapes as NIP-01 says", () => {
  const content = '\n"\\\r\t\b\f/é\u2028\u007f\u0001'
  const text = serializeEvent({ pubkey: author, created_at: 1, kind: 1, tags: [["e", "x"]], content })
  assert.equal(text, `[0,"${author}",1,1,[["e","x"]],"\\n\\"\\\\\\r\\t\\b\\f/é\u2028\u007f\\u0001"]`)
})

const other = createSigner("nostr", new Uint8Array(32).fill(0x4d))
const byOther = await signEvent(
  {
    pubkey: formatHex(publicKeyBytes({ system: "nostr", value: other.key.slice(6) })),
    created_at: now,
    kind: 1,
    tags: [],
    content: "",
  },
  other.sign,
)
const noUtf8 = { ...event, content: "\ud800" }

const refused: readonly (readonly [why: string, value: unknown, code: string])[] = [
  ["an id that is not the digest", { ...event, id: "00".repeat(32) }, "signature.invalid"],
  ["another content under the id", { ...event, content: "kez!" }, "signature.invalid"],
  ["another time under the id", { ...event, created_at: now - 1 }, "signature.invalid"],
  ["a signature of zeros", { ...event, sig: "00".repeat(64) }, "signature.invalid"],
  ["the signature of another event", { ...(await make({ content: "other" })), sig: event.sig }, "signature.invalid"],
  ["an event of another key", byOther, "account.owner"],
  ["an event of another key under this one", { ...byOther, pubkey: author }, "signature.invalid"],
  ["another kind", await make({ kind: 4 }), "schema.value"],
  ["application data of another name", await make({ kind: 30_078, tags: [["d", "other"]] }), "schema.value"],
  ["application data without a name", await make({ kind: 30_078 }), "schema.value"],
  [
    "two d tags",
    await make({
      kind: 30_078,
      tags: [
        ["d", "kez"],
        ["d", "other"],
      ],
    }),
    "schema.value",
  ],
  [
    "the same d tag twice",
    await make({
      kind: 30_078,
      tags: [
        ["d", "kez"],
        ["d", "kez"],
      ],
    }),
    "schema.value",
  ],
  ["a time 301 s ahead", await make({ created_at: now + 301 }), "time.future"],
  ["a time before 1970", await make({ created_at: -1 }), "schema.value"],
  ["a time that is no integer", { ...event, created_at: now + 0.5 }, "schema.value"],
  ["a time as text", { ...event, created_at: String(now) }, "schema.value"],
  ["an upper-case id", { ...event, id: event.id.toUpperCase() }, "schema.value"],
  ["tags that are no lists", { ...event, tags: [{ 0: "d" }] }, "schema.value"],
  ["a tag that is no text", { ...event, tags: [["d", 1]] }, "schema.value"],
  ["no tags", { ...event, tags: undefined }, "schema.value"],
  ["too many tags", { ...event, tags: Array.from({ length: 1_001 }, () => ["t", "a"]) }, "limit.size"],
  ["too long a content", { ...event, content: "k".repeat(65_536) }, "limit.size"],
  ["a lone surrogate", noUtf8, "text.utf8"],
  ["null", null, "schema.value"],
  ["a text", "event", "schema.value"],
  ["a list", [], "schema.value"],
  ["members of a prototype", Object.create(event), "schema.value"],
]

for (const [why, value, code] of refused) {
  test(`S12 ${why} is refused with ${code}`, () => {
    assert.throws(() => check(value), { code })
  })
}

test("signEvent() throws publish.credentials for the key of another account, publish.too_long for a long text", async () => {
  const unsigned = { pubkey: author, created_at: now, kind: 1, tags: [], content: "kez" }
  await assert.rejects(signEvent(unsigned, other.sign), { code: "publish.credentials" })
  await assert.rejects(
    signEvent(unsigned, async () => new Uint8Array()),
    { code: "publish.credentials" },
  )
  await assert.rejects(make({ content: "k".repeat(65_536) }), { code: "publish.too_long" })
})

test("compareEvents() puts the newest first, and of one second the lowest id", () => {
  const [a, b, c] = [
    { ...event, id: "aa", created_at: 2 },
    { ...event, id: "bb", created_at: 2 },
    { ...event, id: "00", created_at: 1 },
  ]
  assert.deepEqual([c, b, a].toSorted(compareEvents), [a, b, c])
})

test("uriOf() names what a nostr client can open", async () => {
  assert.equal(uriOf(await make({ kind: 0 })), `nostr:${signer.key.slice(6)}`)
  assert.match(uriOf(event), /^nostr:note1[02-9ac-hj-np-z]{58}$/)
  // Decoded by hand: 00 03 6b657a, 02 20 <author>, 03 04 0000757e. NIP-19.
  const { bech32 } = await import("@scure/base")
  const uri = uriOf(await make({ kind: 30_078, tags: [["d", "kez"]] }))
  const { prefix, words } = bech32.decode(uri.slice("nostr:".length) as `naddr1${string}`, false)
  assert.equal(prefix, "naddr")
  assert.equal(formatHex(bech32.fromWords(words)), `00036b657a0220${author}03040000757e`)
})

test("authorOf() decodes the example of NIP-19", () => {
  const npub = "npub180cvv07tjdrrgpa0j7j7tmnyl2yr6yr7l8j4s3evf6u64th6gkwsyjh6w6"
  assert.equal(authorOf(npub), "3bf0c63fcb93463407af97a5e5ee64fa883d107ef9e558472c4eb9aaaefa459d")
})

/** Canary, evidence and near misses of the nostr channel, without a network. SPEC §7.4. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createSigner } from "@kez/core"
import { defaultRelays, type MessageSocket, nostr } from "../src/index.ts"
import { authorOf, signEvent, type UnsignedEvent } from "../src/nostr-event.ts"
import { createTableNet, type RelayAnswer } from "./support/table-net.ts"

const signer = createSigner("nostr", new Uint8Array(32).fill(0x42))
const npub = signer.key.slice("nostr:".length)
const now = 1_800_000_000
const signal = new AbortController().signal
const proof = "kez:z1:KLUv_SAA"

function make(members: Partial<UnsignedEvent>) {
  const event = { pubkey: authorOf(npub), created_at: now - 100, kind: 1, tags: [], content: "", ...members }
  return signEvent(event, signer.sign)
}

function collect(relays: readonly RelayAnswer[], claimedAt?: number) {
  return nostr.collect(npub, createTableNet({ now, relays }), { signal, claimedAt })
}

const [first = ""] = defaultRelays

test("the canary is not well when a suggested relay has no profile of the well-known key, or none answers", async () => {
  const empty = createTableNet({ now, relays: [{ url: first }, { url: "wss://own.example" }] })
  assert.equal((await nostr.canary.check("", empty, signal)).ok, false)
  const dead = createTableNet({ now, relays: [{ url: first, ends: "closed" }] })
  const health = await nostr.canary.check("", dead, signal)
  assert.equal(health.ok, false)
  assert.equal(health.evidence.code, "net.refused")
})

test("the canary takes a forged profile of the well-known key for none", async () => {
  const forged = {
    ...(await make({ kind: 0 })),
    pubkey: "3bf0c63fcb93463407af97a5e5ee64fa883d107ef9e558472c4eb9aaaefa459d",
  }
  const net = createTableNet({ now, relays: [{ url: first, events: [forged] }] })
  assert.equal((await nostr.canary.check("", net, signal)).ok, false)
})

test("collect() tells what each relay sent, and which event of which relay holds a proof", async () => {
  const event = await make({ content: proof })
  const forged = { ...event, content: "kez" }
  const publication = await collect([
    { url: "wss://a.example", events: [event, forged, forged] },
    { url: "wss://b.example", events: [event] },
    { url: "wss://c.example", ends: "closed" },
  ])
  const [a, b, c, found] = publication.evidence
  assert.deepEqual(
    [a?.url, a?.note, a?.code],
    ["wss://a.example", "3 events, 2 refused (signature.invalid)", undefined],
  )
  assert.deepEqual([b?.url, b?.note], ["wss://b.example", "1 event"])
  assert.deepEqual([c?.url, c?.code], ["wss://c.example", "net.refused"])
  assert.equal(found?.sha256, event.id)
  assert.match(found?.note ?? "", /^kind 1 of 2027-01-15T07:58:20Z, from wss:\/\/a\.example, wss:\/\/b\.example/)
})

test("collect() asks each relay once, with one question", async () => {
  const net = createTableNet({ now, relays: [{ url: "wss://a.example" }, { url: "wss://b.example" }] })
  const twice = { ...net, settings: { relays: [...net.settings.relays, "wss://a.example"] } }
  await nostr.collect(npub, twice, { signal })
  assert.deepEqual(net.asked, ["REQ wss://a.example", "REQ wss://b.example"])
})

test("collect() says when only one relay answered", async () => {
  const event = await make({ content: proof })
  const alone = await collect([{ url: "wss://a.example", events: [event] }])
  assert.match(alone.evidence[0]?.note ?? "", /1 of 1 relays answered: others may know more/)
})

test("collect() takes 16 texts with a proof at most", async () => {
  const events = await Promise.all(
    Array.from({ length: 40 }, (_, at) => make({ content: proof, created_at: now - at })),
  )
  const publication = await collect([{ url: "wss://a.example", events }])
  assert.equal(publication.status === "found" && publication.candidates.length, 16)
})

const misses: readonly (readonly [why: string, members: Partial<UnsignedEvent>, note: RegExp])[] = [
  ["a cut proof", { kind: 0, content: JSON.stringify({ about: `proof:${proof}` }) }, /glued to what is before it/],
  ["a proof in another member", { kind: 0, content: JSON.stringify({ website: proof }) }, /only about is read/],
  ["an empty profile", { kind: 0, content: "{}" }, /has no about/],
  ["a profile that is no object", { kind: 0, content: "[]" }, /not a JSON object/],
  ["data that was taken back", { kind: 30_078, tags: [["d", "kez"]] }, /is empty: a proof was taken back/],
  ["an old profile", { kind: 0, content: "{}", created_at: now - 1_000 }, /nothing there is newer than the claim/],
]

for (const [why, members, note] of misses) {
  test(`collect() notes ${why} where no proof is found`, async () => {
    const publication = await collect([{ url: "wss://a.example", events: [await make(members)] }], now - 500)
    assert.equal(publication.status, "absent")
    assert.match(publication.evidence.at(-1)?.note ?? "", note)
  })
}

test("collect() asks 16 relays at most", async () => {
  const relays = Array.from({ length: 17 }, (_, at) => ({ url: `wss://relay${at}.example` }))
  const net = createTableNet({ now, relays })
  await nostr.collect(npub, net, { signal })
  assert.equal(net.asked.length, 16)
})

test("collect() takes events, ends and refusals of its own question alone", async () => {
  const [mine, other] = await Promise.all([make({ content: proof }), make({ content: `${proof}AAAA` })])
  const messages = [
    ["EVENT", "other", other],
    ["EOSE", "other"],
    ["CLOSED", "other", "no"],
    ["EVENT", "kez", mine],
    ["EOSE", "kez"],
    ["EVENT", "kez", other],
  ]
  const socket: MessageSocket = {
    send() {},
    async *messages() {
      for (const message of messages) yield JSON.stringify(message)
    },
    close() {},
  }
  const net = { ...createTableNet({ now, relays: [{ url: "wss://a.example" }] }), openSocket: async () => socket }
  const publication = await nostr.collect(npub, net, { signal })
  const texts = publication.status === "found" ? publication.candidates.map(({ text }) => text) : []
  assert.deepEqual(texts, [proof])
  assert.equal(publication.evidence[0]?.code, undefined)
})

/** NIP-39 claims as suggestions. SPEC §7.4. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createSigner } from "@kez/core"
import { importNip39, parseNip39 } from "../src/index.ts"
import { authorOf, signEvent } from "../src/nostr-event.ts"
import { createTableNet } from "./support/table-net.ts"

const signer = createSigner("nostr", new Uint8Array(32).fill(0x42))
const npub = signer.key.slice("nostr:".length)
const gist = "9721ce4ee4fceb91c9711ca2a6c9a5ab"
const now = 1_800_000_000

function make(kind: number, tags: readonly (readonly string[])[], createdAt = now) {
  return signEvent({ pubkey: authorOf(npub), created_at: createdAt, kind, tags, content: "" }, signer.sign)
}

test("parseNip39() reads the examples of NIP-39", () => {
  const tags = [
    ["i", "github:Semisol", gist],
    ["i", "twitter:semisol_public", "1619358434134196225"],
    ["i", "mastodon:bitcoinhackers.org/@semisol", "109775066355589974"],
    ["i", "telegram:1087295469", "nostrdirectory/770"],
  ]
  assert.deepEqual(parseNip39(tags), [
    { subject: "github:semisol", proof: gist, isSupported: true, proofUrl: `https://gist.github.com/semisol/${gist}` },
    { subject: "twitter:semisol_public", proof: "1619358434134196225", isSupported: false },
    {
      subject: "ap:semisol@bitcoinhackers.org",
      proof: "109775066355589974",
      isSupported: true,
      proofUrl: "https://bitcoinhackers.org/@semisol/109775066355589974",
    },
    { subject: "telegram:1087295469", proof: "nostrdirectory/770", isSupported: false },
  ])
})

test("parseNip39() skips what is not a claim, and takes an account once", () => {
  const tags = [
    ["i", "isbn:9780765382030"],
    ["i", "github:", gist],
    ["i", ":jason", gist],
    ["i", "github", gist],
    ["i", "github:jason", "\u001b[2J"],
    ["i", "gïthub:jason", gist],
    ["i", `github:${"j".repeat(300)}`, gist],
    ["p", "github:jason", gist],
    [],
    ["i", "GitHub:Jason", gist, "more"],
    ["i", "github:jason", "other"],
  ]
  assert.deepEqual(
    parseNip39(tags).map(({ subject, proof }) => [subject, proof]),
    [["github:jason", gist]],
  )
})

test("parseNip39() says that a name no channel can take is not supported, and makes no URL of a strange proof", () => {
  const [strange, odd] = parseNip39([
    ["i", "github:-jason", gist],
    ["i", "github:jason", "../../evil"],
  ])
  assert.equal(strange?.isSupported, false)
  assert.deepEqual(odd, { subject: "github:jason", proof: "../../evil", isSupported: true })
})

test("parseNip39() takes 64 claims at most", () => {
  const tags = Array.from({ length: 100 }, (_, at) => ["i", `github:jason${at}`, gist])
  assert.equal(parseNip39(tags).length, 64)
})

test("importNip39() reads the newest kind 10011 of all relays, and the profile as formerly", async () => {
  const old = await make(10_011, [["i", "github:old", gist]], now - 10)
  const newest = await make(10_011, [["i", "github:jason", gist]])
  const profile = await make(0, [
    ["i", "twitter:jason", "1"],
    ["i", "github:jason", "2"],
  ])
  const forged = { ...newest, created_at: now + 1, tags: [["i", "github:mallory", gist]] }
  const relays = [
    { url: "wss://a.example", events: [old, forged] },
    { url: "wss://b.example", events: [newest, profile] },
  ]
  const { suggestions, isComplete } = await importNip39(
    npub,
    createTableNet({ now, relays }),
    AbortSignal.timeout(5_000),
  )
  assert.equal(isComplete, true)
  assert.deepEqual(
    suggestions.map(({ subject, proof }) => [subject, proof]),
    [
      ["github:jason", gist],
      ["twitter:jason", "1"],
    ],
  )
})

test("importNip39() says when no relay answered", async () => {
  const relays = [{ url: "wss://a.example", ends: "closed" as const }]
  const outcome = await importNip39(npub, createTableNet({ now, relays }), AbortSignal.timeout(5_000))
  assert.deepEqual([outcome.suggestions, outcome.isComplete], [[], false])
})

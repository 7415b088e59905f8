/** Texts and headers that are built to take long: nothing waits for a time limit while JavaScript computes. SPEC §7.2. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { ap, bluesky } from "../src/index.ts"
import { newestState } from "../src/nostr-state.ts"
import { createTableNet, type WebAnswer } from "./support/table-net.ts"

const signal = new AbortController().signal
const maxMs = 2_000

async function within<T>(run: () => Promise<T>): Promise<T> {
  const began = performance.now()
  const result = await run()
  assert.ok(performance.now() - began < maxMs, `${performance.now() - began} ms`)
  return result
}

const self = "https://a.example/users/alice"
const webFinger: WebAnswer = {
  url: "https://a.example/.well-known/webfinger?resource=acct%3Aalice%40a.example",
  body: { subject: "acct:alice@a.example", links: [{ rel: "self", type: "application/activity+json", href: self }] },
}

test("ap reads a media type of 30,000 characters in no time", async () => {
  const spaces = " ".repeat(15_000)
  for (const profile of [`${spaces}"x"y`, `"${spaces}"${spaces}x`, `${spaces}`]) {
    const actor = {
      url: self,
      headers: { "content-type": `application/ld+json;${spaces}profile=${profile}` },
      body: {},
    }
    const look = () => ap.collect("alice@a.example", createTableNet({ web: [webFinger, actor] }), { signal })
    const publication = await within(look)
    assert.equal(publication.status === "unreachable" && publication.code, "net.content_type")
  }
})

test("bluesky takes a post of a megabyte with broken proofs in no time", async () => {
  const did = `did:plc:${"a".repeat(24)}`
  const pds = "https://pds.example"
  const text = `${"kez:r1:abc ".repeat(8)}${"e\u0301 ".repeat(250_000)}`
  const call = (method: string, query: string) =>
    `${pds}/xrpc/com.atproto.repo.${method}?repo=${encodeURIComponent(did)}&${query}`
  const key = "app.bsky.feed.post"
  const web: readonly WebAnswer[] = [
    { url: "https://alice.example/.well-known/atproto-did", body: did },
    {
      url: `https://plc.directory/${did}`,
      body: {
        id: did,
        alsoKnownAs: ["at://alice.example"],
        service: [{ id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint: pds }],
      },
    },
    {
      url: call("getRecord", "collection=app.bsky.actor.profile&rkey=self"),
      body: { uri: `at://${did}/app.bsky.actor.profile/self`, value: { description: text } },
    },
    {
      url: call("listRecords", `collection=${key}&limit=50`),
      body: { records: [{ uri: `at://${did}/${key}/3kabc`, value: { text } }] },
    },
  ]
  const publication = await within(() => bluesky.collect("alice.example", createTableNet({ web }), { signal }))
  assert.equal(publication.status, "found")
  assert.match(publication.evidence.at(-1)?.note ?? "", /cut after 10 of 71/)
})

test("nostr looks up many notes in many deletions in no time", async () => {
  const hex = (at: number) => at.toString(16).padStart(64, "0")
  const event = (at: number, members: object) => {
    const plain = { id: hex(at), pubkey: hex(1), created_at: at, kind: 1, tags: [], content: "", sig: "" }
    return { ...plain, ...members }
  }
  const notes = Array.from({ length: 2_000 }, (_, at) => event(at, {}))
  const tags = Array.from({ length: 200 }, () => ["e", ""])
  const deletions = Array.from({ length: 2_000 }, (_, at) => event(10_000 + at, { kind: 5, tags }))
  const last = event(20_000, { kind: 5, tags: [["e", hex(1_999)]] })
  const { notes: left } = await within(async () => newestState([...notes, ...deletions, last]))
  assert.equal(left[0]?.id, hex(1_998))
})

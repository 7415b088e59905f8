/** The bluesky channel beside its vectors: evidence, near misses, what a hostile record can say. SPEC §7.5, cases P6 and P12. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { type Code, KezError } from "@kez/core"
import { documentUrlOf, isDid } from "../src/atproto-did.ts"
import { countGraphemes } from "../src/bluesky-near-miss.ts"
import { restoreHints } from "../src/bluesky-records.ts"
import { bluesky, type Publication, UnknownHostError } from "../src/index.ts"
import { isProofOnly, withoutProofs } from "../src/proof-removal.ts"
import { createTableNet, type WebAnswer } from "./support/table-net.ts"

const handle = "alice.example.com"
const did = "did:plc:abcdefghijklmnopqrstuvwx"
const other = "did:plc:wvutsrqponmlkjihgfedcba7"
const proof = `kez:r1:${"ab".repeat(32)}`
const signal = new AbortController().signal
const repo = `repo=${encodeURIComponent(did)}`
const listUrl = `https://pds.example.com/xrpc/com.atproto.repo.listRecords?${repo}&collection=app.bsky.feed.post&limit=50`
const getUrl = `https://pds.example.com/xrpc/com.atproto.repo.getRecord?${repo}&collection=app.bsky.actor.profile&rkey=self`

function documentOf(name: string): WebAnswer {
  const service = [
    { id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint: "https://pds.example.com" },
  ]
  return { url: `https://plc.directory/${did}`, body: { id: did, alsoKnownAs: [`at://${name}`], service } }
}

function postOf(text: string, owner = did): object {
  const value = { text, createdAt: "2026-01-02T03:04:05Z" }
  return { uri: `at://${owner}/app.bsky.feed.post/3kabcdefghij2`, value }
}

function collect(records: readonly object[], options: { readonly claimedAt?: number } = {}): Promise<Publication> {
  const web = [
    { url: `https://${handle}/.well-known/atproto-did`, body: did },
    documentOf(handle),
    { url: getUrl, status: 400, body: { error: "RecordNotFound" } },
    { url: listUrl, body: { records } },
  ]
  return bluesky.collect(handle, createTableNet({ web }), { signal, ...options })
}

function lastNote(publication: Publication): string {
  return publication.evidence.at(-1)?.note ?? ""
}

test("P6 a one-sided handle names both sides in its evidence", async () => {
  const web = [{ url: `https://${handle}/.well-known/atproto-did`, body: did }, documentOf("bob.example.com")]
  const publication = await bluesky.collect(handle, createTableNet({ web }), { signal })
  assert.equal(publication.status, "invalid")
  assert.equal(publication.code, "account.one_sided")
  assert.equal(publication.evidence.at(-1)?.code, "account.one_sided")
  assert.match(
    lastNote(publication),
    /alice\.example\.com leads to did:plc:\w+, whose document gives it the name bob\.example\.com/,
  )
})

test("P6 a post of another repository is left out by its code, with its number", async () => {
  const publication = await collect([postOf(proof, other), postOf("hello")])
  assert.equal(publication.status === "invalid" && publication.code, "account.owner")
  assert.match(lastNote(publication), /^1 of the texts there/)
})

test("P6 a known id that is no DID is not looked up", async () => {
  const net = createTableNet({ web: [{ url: `https://${handle}/.well-known/atproto-did`, status: 404, body: "no" }] })
  for (const knownAccountId of ["42", "https://example.com/", "did:example:a", ""]) {
    const publication = await bluesky.collect(handle, net, { signal, knownAccountId })
    assert.equal(publication.status, "absent", knownAccountId)
  }
  assert.ok(net.asked.every((question) => question.includes(handle)))
})

test("collect() takes a host without an address for an answer, as handles by DNS have it", async () => {
  const net = createTableNet({ txt: { "_atproto.other.example.com": [`did=${did}`] } })
  const fetch: typeof net.fetch = async (url, options) => {
    if (url.startsWith("https://nobody.example.com/")) throw new UnknownHostError("nobody.example.com")
    return net.fetch(url, options)
  }
  const publication = await bluesky.collect("nobody.example.com", { ...net, fetch }, { signal })
  assert.equal(publication.status, "absent")
  assert.match(lastNote(publication), /the host has no address; nobody\.example\.com leads to no account/)
})

test("collect() calls an answer of the handle's host that cannot be read no answer", async () => {
  for (const code of ["limit.body", "text.utf8"] satisfies Code[]) {
    const net = createTableNet({})
    const fetch = () => Promise.reject(new KezError(code, "Cannot read"))
    const publication = await bluesky.collect(handle, { ...net, fetch }, { signal })
    assert.equal(publication.status === "unreachable" && publication.code, "net.content_type")
  }
})

test("collect() says that no post is newer than the claim", async () => {
  const claimedAt = Date.parse("2026-01-03T00:00:00Z") / 1000
  assert.match(lastNote(await collect([postOf("hello")], { claimedAt })), /no post is newer than the claim/)
  const before = { claimedAt: claimedAt - 86_400 * 2 }
  assert.equal(lastNote(await collect([postOf("hello")], before)), "no KEZ text in 1 post")
})

test("collect() says that a long claim does not fit, and where a reference was cut", async () => {
  const long = await collect([postOf(`kez:z1:${"A".repeat(293)}`)])
  assert.equal(long.status, "found")
  assert.match(lastNote(long), /a post holds 300 characters and a profile 256: use the reference form/)
  assert.match(lastNote(await collect([postOf(proof.slice(0, 30))])), /cut after 30 of 71 characters/)
  assert.equal(lastNote(await collect([postOf(proof)])), "")
})

test("collect() bears records of any shape", async () => {
  const shapes = [null, 1, "x", [], {}, { uri: 1, value: 2 }, { uri: `at://${did}/app.bsky.feed.post/a b` }]
  const publication = await collect(shapes as object[])
  assert.equal(publication.status, "absent")
})

test("collect() asks each place once and no copy when the server answers", async () => {
  const web = [
    { url: `https://${handle}/.well-known/atproto-did`, body: did },
    documentOf(handle),
    { url: getUrl, body: { uri: `at://${did}/app.bsky.actor.profile/self`, value: { description: proof } } },
    { url: listUrl, body: { records: [] } },
  ]
  const net = createTableNet({ web })
  assert.equal((await bluesky.collect(handle, net, { signal })).status, "found")
  assert.equal(net.asked.length, 5)
})

test("canary is well when the directory knows bsky.app, and says what is wrong otherwise", async () => {
  const canaryDid = "did:plc:z72i7hdynmk6r22z27h6tvur"
  const url = `https://plc.directory/${canaryDid}`
  const answers = [
    [{ url, body: { id: canaryDid, alsoKnownAs: ["at://bsky.app"] } }, true],
    [{ url, body: { id: canaryDid, alsoKnownAs: ["at://other.example"] } }, false],
    [{ url, status: 404, body: "" }, false],
    [{ url, status: 503, body: "" }, false],
    [{ url: "https://other.example/", body: "" }, false],
  ] as const
  for (const [answer, ok] of answers) {
    const net = createTableNet({ web: [answer] })
    const health = await bluesky.canary.check(bluesky.canary.nameFor(handle, net), net, signal)
    assert.equal(health.ok, ok)
    assert.equal(health.evidence.url, url)
    assert.ok(health.evidence.note)
  }
})

test("documentUrlOf() knows did:plc and did:web of a host", () => {
  assert.equal(documentUrlOf(did), `https://plc.directory/${did}`)
  assert.equal(documentUrlOf("did:web:example.com"), "https://example.com/.well-known/did.json")
  const none = [
    "did:plc:ABCDEFGHIJKLMNOPQRSTUVWX",
    "did:plc:abcdefghijklmnopqrstuvw1",
    "did:plc:abc",
    `${did}x`,
    "did:plc:../../../../../../etcetera",
    "did:web:example.com:path",
    "did:web:example.com%3A8443",
    "did:web:localhost",
    "did:web:a@example.com",
    "did:web:Example.com",
    "did:key:z6Mk",
  ]
  for (const text of none) assert.equal(documentUrlOf(text), undefined, text)
})

test("isDid() takes a DID and nothing around it", () => {
  for (const text of [did, "did:web:example.com", "did:example:a:b%20c"]) assert.ok(isDid(text), text)
  for (const text of ["", "did", "did:plc:", "did:plc:a/b", "did:plc:a b", "DID:plc:a", `${did}\n`, "did:x:a:"]) {
    assert.ok(!isDid(text), text)
  }
  assert.ok(!isDid(`did:example:${"a".repeat(2_048)}`))
})

test("restoreHints() puts back only a link that is all of a hint line", () => {
  const link = (byteStart: unknown, byteEnd: unknown, uri = "https://a.example/long/path") => ({
    index: { byteStart, byteEnd },
    features: [{ $type: "app.bsky.richtext.facet#link", uri }],
  })
  assert.equal(restoreHints("Chain: a.example/lo...", [link(7, 22)]), "Chain: https://a.example/long/path")
  const twice = "Chain: a...\nChain: b..."
  const both = [link(7, 11), link(19, 23, "https://b.example/")]
  assert.equal(restoreHints(twice, both), "Chain: https://a.example/long/path\nChain: https://b.example/")
  assert.equal(restoreHints("é\nChain: a...", [link(10, 14)]), "é\nChain: https://a.example/long/path")
  const refused = [
    link(6, 22),
    link(7, 21),
    link(7, 23),
    link(7, 7),
    link(-1, 22),
    link("7", "22"),
    link(7, 1e99),
    link(7, 22, "http://a.example/"),
    link(7, 22, `https://a.example/\n${proof}`),
    link(7, 22, `https://a.example/${"a".repeat(2_048)}`),
    { index: { byteStart: 7, byteEnd: 22 }, features: [{ $type: "app.bsky.richtext.facet#mention", did }] },
    null,
    7,
  ]
  for (const facet of refused) assert.equal(restoreHints("Chain: a.example/lo...", [facet]), "Chain: a.example/lo...")
  assert.equal(restoreHints("xChain: a...", [link(8, 12)]), "xChain: a...")
})

test("withoutProofs() takes a person's own proofs out and leaves the rest as it was", () => {
  const ours = (text: string) => text.includes("abab")
  const cases = [
    [proof, ""],
    [`Hello\n${proof}`, "Hello"],
    [`Hello ${proof}`, "Hello"],
    [`  Hello\n\n${proof}\nmore  \n`, "  Hello\n\nmore"],
    [`see ${proof}@sig.example.org.`, "see ."],
    ["kez is nice", "kez is nice"],
    [`kez:r1:${"cd".repeat(32)}`, `kez:r1:${"cd".repeat(32)}`],
    [`${proof} ${proof}@sig.example.org x`, "  x"],
    ["", ""],
  ] as const
  for (const [text, rest] of cases) assert.equal(withoutProofs(text, ours), rest, text)
  const hint = "Chain: https://a.example/chain"
  assert.equal(withoutProofs(`a\n${proof}\n${hint}\nb`, ours), "a\nb")
  assert.equal(
    withoutProofs(`a\n${hint}\n${proof}\nb\n${hint}`, ours),
    `a\n${hint}\nb\n${hint}`,
    "a line of its owner's",
  )
  assert.equal(withoutProofs(`${proof}\r\n${hint}\r\nb`, ours), "b")
  const [longest, longer] = [2_040, 2_041].map((length) => `Chain: https://${"a".repeat(length)}`)
  assert.equal(withoutProofs(`${proof}\n${longest}\nb`, ours), "b")
  assert.equal(withoutProofs(`${proof}\n${longer}\nb`, ours), `${longer}\nb`, "no hint by FIND-4")
  const many = `${proof} `.repeat(9)
  assert.equal(withoutProofs(many, ours), many, "what no verifier searches")
  assert.ok(isProofOnly(` ${proof}\n`, ours))
  assert.ok(!isProofOnly("", ours))
  assert.ok(!isProofOnly(`x ${proof}`, ours))
})

test("countGraphemes() counts as people do", () => {
  assert.equal(countGraphemes(""), 0)
  assert.equal(countGraphemes("é👩‍👩‍👧🇩🇪"), 3)
})

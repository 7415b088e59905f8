/** The dns channel over a table of records. SPEC §7.1, adversarial cases Z12 and P9. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { type Code, KezError } from "@kez/core"
import { channels, dns, findChannel, type Publication } from "../src/index.ts"
import { createFakeNet, type FakeTxt } from "./support/fake-net.ts"

const proof = "kez:z1:KLUv_SAA"
const signal = new AbortController().signal

function collect(txt: Readonly<Record<string, FakeTxt>>, domain = "example.com"): Promise<Publication> {
  return dns.collect(domain, createFakeNet(txt), { signal })
}

async function collectNote(txt: Readonly<Record<string, FakeTxt>>): Promise<string> {
  const publication = await collect(txt)
  assert.equal(publication.status, "absent")
  return publication.evidence[0]?.note ?? ""
}

test("findChannel() knows each channel by its system, and nothing it cannot serve", () => {
  assert.equal(findChannel("dns"), dns)
  assert.equal(findChannel("did"), undefined)
  assert.ok([...channels].every(([system, channel]) => channel.system === system))
})

test("Z12 unrelated records are ignored, proofs are candidates with the place they stood in", async () => {
  const publication = await collect({ "_kez.example.com": ["v=spf1 -all", proof, "kez is great", "KEZ:Z1:AAAA"] })
  assert.equal(publication.status, "found")
  assert.deepEqual(publication.candidates, [
    { text: "KEZ:Z1:AAAA", foundAt: "_kez.example.com" },
    { text: proof, foundAt: "_kez.example.com" },
  ])
  assert.equal(publication.evidence[0]?.url, "dns:_kez.example.com?type=TXT")
  assert.equal(publication.evidence[0]?.fetchedAt, 1_800_000_000)
  assert.equal(publication.evidence[0]?.note, undefined)
})

test("Z12 a record with lost or foreign bytes stays a candidate, for the verifier to call corrupt", async () => {
  const publication = await collect({ "_kez.example.com": ["kez:z1:KL\u00e9\u0000"] })
  assert.equal(publication.status === "found" && publication.candidates[0]?.text, "kez:z1:KL\u00e9\u0000")
})

test("Z12 seventeen records are limit.candidates, sixteen are looked at", async () => {
  const records = (count: number) => [proof, ...Array.from({ length: count - 1 }, (_, at) => `other ${at}`)]
  const many = await collect({ "_kez.example.com": records(17) })
  assert.equal(many.status, "invalid")
  assert.equal(many.code, "limit.candidates")
  assert.equal((await collect({ "_kez.example.com": records(16) })).status, "found")
})

test("collect() gives the same evidence digest for any order of the records", async () => {
  const one = await collect({ "_kez.example.com": [proof, "Chain: https://a.example/"] })
  const two = await collect({ "_kez.example.com": ["Chain: https://a.example/", proof] })
  assert.deepEqual(one, two)
  assert.match(one.evidence[0]?.sha256 ?? "", /^[0-9a-f]{64}$/)
  const other = await collect({ "_kez.example.com": [proof] })
  assert.notEqual(other.evidence[0]?.sha256, one.evidence[0]?.sha256)
})

test("collect() takes at most four hints of at most 2,048 bytes, https only", async () => {
  const hints = Array.from({ length: 6 }, (_, at) => `Chain: https://s${at}.example/c`)
  const refused = [
    `Chain: https://a.example/${"a".repeat(2_048)}`,
    "Chain: http://a.example/",
    "Chain: https://a.example/ b",
    "chain: https://a.example/",
  ]
  const few = await collect({ "_kez.example.com": [proof, ...refused, ...hints.slice(0, 2)] })
  assert.deepEqual(few.status === "found" && few.chainHints, ["https://s0.example/c", "https://s1.example/c"])
  const all = await collect({ "_kez.example.com": [proof, ...hints] })
  assert.equal(all.status === "found" && all.chainHints.length, 4)
})

for (const answer of ["no_name", "no_data", ["v=spf1 -all"]] as const) {
  test(`P9 ${JSON.stringify(answer)} is an answer: proof.not_found`, async () => {
    const publication = await collect({ "_kez.example.com": answer })
    assert.equal(publication.status, "absent")
    assert.equal(publication.code, "proof.not_found")
  })
}

for (const code of ["net.dns", "net.timeout", "net.refused"] satisfies Code[]) {
  test(`P9 ${code} is no answer: unreachable`, async () => {
    const publication = await collect({ "_kez.example.com": new KezError(code, "Cannot look up") })
    assert.equal(publication.status, "unreachable")
    assert.equal(publication.code, code)
    assert.equal(publication.evidence[0]?.code, code)
  })
}

test("collect() throws the reason of a caller who gave up", async () => {
  await assert.rejects(collect({ "_kez.example.com": new Error("gave up") }), /gave up/)
})

test("collect() notes a record at the doubled name and at the domain itself", async () => {
  const doubled = await collectNote({ "_kez.example.com.example.com": [proof] })
  assert.match(doubled, /record is at _kez\.example\.com\.example\.com/)
  const zone = await collectNote({ "_kez.example.com.com": [proof] })
  assert.doesNotMatch(zone, /record is at/, "a top-level domain is nobody's zone")
  const bare = await collectNote({ "example.com": ["v=spf1 -all", proof] })
  assert.match(bare, /record is at example\.com;/)
})

test("collect() notes a record of a subdomain to which a panel appended its zone", async () => {
  const name = "_kez.sub.example.com.example.com"
  const publication = await collect({ [name]: [proof] }, "sub.example.com")
  assert.match(publication.evidence[0]?.note ?? "", /record is at _kez\.sub\.example\.com\.example\.com/)
})

test("collect() notes quotes and spaces pasted before the value", async () => {
  const quotes = [`"${proof}"`, `\\"${proof}\\"`, `'${proof}'`, Buffer.from(`“${proof}”`).toString("latin1")]
  for (const value of quotes) {
    assert.match(await collectNote({ "_kez.example.com": [value] }), /quotes are pasted inside the value/, value)
  }
  assert.match(await collectNote({ "_kez.example.com": [` ${proof}`] }), /a space stands before the value/)
})

test("collect() says plainly what it found when no slip is known", async () => {
  assert.equal(await collectNote({}), "no TXT record at _kez.example.com, says fake")
  const note = await collectNote({ "_kez.example.com": ["a", "b"] })
  assert.equal(note, "2 TXT records at _kez.example.com, none begins with kez:")
})

test("collect() is absent, not unreachable, when only the look for near misses fails", async () => {
  const broken = new KezError("net.timeout", "Cannot look up")
  const note = await collectNote({ "example.com": broken, "_kez.example.com.example.com": [proof] })
  assert.match(note, /record is at _kez\.example\.com\.example\.com/)
})

test("collect() looks for near misses only when there is no proof", async () => {
  const net = createFakeNet({ "_kez.example.com": [proof] })
  await dns.collect("example.com", net, { signal })
  assert.deepEqual(net.asked, ["_kez.example.com"])
})

test("collect() notes a record that may have been cut at 255 bytes", async () => {
  const publication = await collect({ "_kez.example.com": [`kez:z1:${"A".repeat(248)}`] })
  assert.equal(publication.status, "found")
  assert.match(publication.evidence[0]?.note ?? "", /exactly 255 bytes/)
})

test("collect() asks nothing for a domain whose proof name would be too long", async () => {
  const domain = `${"a".repeat(60)}.`.repeat(4).slice(0, 243).concat(".example")
  const net = createFakeNet({})
  const publication = await dns.collect(domain, net, { signal })
  assert.equal(publication.status, "absent")
  assert.deepEqual(net.asked, [])
})

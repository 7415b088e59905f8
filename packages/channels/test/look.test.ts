/** Nobody's missing proof counts while the platform itself is not well. SPEC [VER-14] */
import assert from "node:assert/strict"
import { test } from "node:test"
import { type Channel, createLook, type Health, type Publication } from "../src/index.ts"
import { createFakeNet } from "./support/fake-net.ts"

const net = createFakeNet({})
const seen = { url: "https://a.example/jason", fetchedAt: net.now() }
const place = { url: "https://a.example/canary", fetchedAt: net.now() }
const absent: Publication = { status: "absent", code: "proof.not_found", evidence: [seen] }
const found: Publication = {
  status: "found",
  candidates: [{ text: "kez:z1:A", foundAt: "here" }],
  chainHints: [],
  evidence: [seen],
}

function channelOf(publication: Publication, health: Health | Error) {
  const asked: string[] = []
  const channel: Channel = {
    system: "github",
    collect: async () => publication,
    canary: {
      nameFor: () => "github:github",
      async check(name) {
        asked.push(name)
        if (health instanceof Error) throw health
        return health
      },
    },
  }
  return { channel, asked }
}

const well: Health = { ok: true, evidence: place }
const ill: Health = { ok: false, evidence: { ...place, status: 404, retryAfterSeconds: 60 } }

function lookWith(publication: Publication, health: Health | Error) {
  const { channel, asked } = channelOf(publication, health)
  const look = createLook(net)
  return { asked, look: (value = "jason") => look({ channel, value, signal: new AbortController().signal }) }
}

test("createLook() leaves an absent proof absent when the canary is well", async () => {
  const { publication, health } = await lookWith(absent, well).look()
  assert.deepEqual(publication, absent)
  assert.equal(health?.name, "github:github")
})

test("createLook() calls it channel.down, never absent, when the canary is missing", async () => {
  const { publication } = await lookWith(absent, ill).look()
  assert.equal(publication.status, "unreachable")
  assert.equal(publication.status === "unreachable" && publication.code, "channel.down")
  assert.equal(publication.status === "unreachable" && publication.retryAfterSeconds, 60)
  assert.deepEqual(
    publication.evidence.map(({ url, code }) => [url, code]),
    [
      ["https://a.example/jason", undefined],
      ["https://a.example/canary", "channel.down"],
    ],
  )
})

for (const code of ["account.renamed", "account.one_sided"] as const) {
  test(`createLook() asks the canary before it reports ${code}`, async () => {
    const { publication } = await lookWith({ status: "invalid", code, evidence: [seen] }, ill).look()
    assert.equal("code" in publication && publication.code, "channel.down")
  })
}

test("createLook() asks no canary for a proof that is there, or broken there, or for a silent place", async () => {
  const broken: Publication = { status: "invalid", code: "limit.body", evidence: [seen] }
  const silent: Publication = { status: "unreachable", code: "net.timeout", evidence: [seen] }
  for (const publication of [found, broken, silent]) {
    const { asked, look } = lookWith(publication, ill)
    assert.deepEqual((await look()).publication, publication)
    assert.deepEqual(asked, [])
  }
})

test("createLook() looks at one canary once, for everybody", async () => {
  const { asked, look } = lookWith(absent, well)
  await Promise.all(["a", "b", "c"].map((value) => look(value)))
  assert.deepEqual(asked, ["github:github"])
})

test("createLook() throws a defect of a canary", async () => {
  await assert.rejects(lookWith(absent, new TypeError("bug")).look(), TypeError)
})

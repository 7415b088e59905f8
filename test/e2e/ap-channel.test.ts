/** The ap channel against a real ActivityPub server, Fedify's, by its public names. SPEC §7.6, adversarial cases P7, P12, P13. */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { ap, createNet, type LookOptions, type Publication } from "../../packages/channels/src/index.ts"
import { type Code, encodeProof } from "../../packages/core/src/index.ts"
import {
  type FedifyServer,
  type FediverseAccount,
  type FediverseState,
  startFedifyServer,
} from "../support/fedify-server.ts"
import { skipWithoutPeer } from "../support/servers.ts"

const skip = skipWithoutPeer("fedify")
const proof = encodeProof({ chain: `sha256:${"ab".repeat(32)}` }, "reference")
const actorUrl = "https://social.test/users/a1"
const webFinger = "social.test/.well-known/webfinger"
const jrd = { "content-type": "application/jrd+json" }
const activity = { "content-type": "application/activity+json" }
const never = new AbortController().signal
const withProof: FediverseAccount = { username: "alice", fields: [{ name: "KEZ", value: proof }] }

interface Place {
  readonly server: FedifyServer
  readonly state: FediverseState
}

async function look({ server, state }: Place, options: Partial<LookOptions> = {}, value = "alice@social.test") {
  await server.set(state)
  const publication = await ap.collect(value, createNet({ hosts: server.hosts }), { signal: never, ...options })
  return { publication, asked: await server.asked() }
}

function codeOf(publication: Publication): Code | undefined {
  return publication.status === "found" ? undefined : publication.code
}

function textsOf(publication: Publication): readonly string[] {
  return publication.status === "found" ? publication.candidates.map(({ text }) => text) : []
}

function notesOf(publication: Publication): string {
  return publication.evidence.map(({ note = "" }) => note).join("\n")
}

describe("ap on one host", { skip }, () => {
  let server: FedifyServer
  before(async () => {
    server = await startFedifyServer()
  })
  after(() => server.close())
  const at = (accounts: FediverseState["accounts"], more: FediverseState = {}): Place => ({
    server,
    state: { accounts: accounts ?? {}, setup: { secure: false, apiClosed: false, embedPosts: true }, ...more },
  })

  test("collect() finds a proof in a field with two requests", async () => {
    const { publication, asked } = await look(at({ a1: withProof }))
    assert.equal(publication.status, "found")
    assert.equal(publication.status === "found" && publication.accountId, actorUrl)
    assert.deepEqual(publication.status === "found" && publication.candidates, [{ text: proof, foundAt: actorUrl }])
    assert.deepEqual(asked, [
      "GET https://social.test/.well-known/webfinger?resource=acct%3Aalice%40social.test",
      `GET ${actorUrl}`,
    ])
    assert.deepEqual(
      publication.evidence.map(({ status }) => status),
      [200, 200],
    )
  })

  test("collect() finds a proof in the bio and the hint beside it, though the link is shown cut", async () => {
    const chain = "https://store.example/v1/chains/0123456789012345678901234567890123456789"
    const { publication } = await look(
      at({ a1: { username: "alice", note: `Hello & welcome\n\nChain: ${chain}\n${proof}` } }),
    )
    assert.deepEqual(textsOf(publication), [`Hello & welcome\nChain: ${chain}\n${proof}`])
    assert.deepEqual(publication.status === "found" && publication.chainHints, [chain])
  })

  for (const embedPosts of [true, false]) {
    test(`collect() finds a proof in a pinned post, ${embedPosts ? "embedded" : "named by URL"}`, async () => {
      const posts = [
        { id: "2", text: "hello" },
        { id: "1", text: `My KEZ identity: ${proof}` },
      ]
      const state = { setup: { embedPosts, secure: false } }
      const { publication, asked } = await look(at({ a1: { username: "alice", posts } }, state))
      assert.deepEqual(publication.status === "found" && publication.candidates, [
        { text: `My KEZ identity: ${proof}`, foundAt: `${actorUrl}/statuses/1` },
      ])
      assert.equal(asked.length, embedPosts ? 3 : 5)
    })
  }

  test("collect() looks at no more than 20 pinned posts", async () => {
    const posts = Array.from({ length: 30 }, (_, n) => ({ id: `p${n}`, text: n === 25 ? proof : "hello" }))
    const state = { setup: { embedPosts: false, secure: false } }
    const { publication, asked } = await look(at({ a1: { username: "alice", posts } }, state))
    assert.equal(publication.status, "absent")
    assert.equal(asked.length, 3 + 20)
  })

  for (const type of ["Service", "Application", "Group", "Organization"] as const) {
    test(`collect() takes an actor that is a ${type}`, async () => {
      assert.equal((await look(at({ a1: { ...withProof, type } }))).publication.status, "found")
    })
  }

  test("P2 a pinned post by somebody else is skipped as account.owner", async () => {
    const posts = [{ id: "1", text: proof, by: "https://social.test/users/mallory" }]
    const { publication } = await look(at({ a1: { username: "alice", posts } }))
    assert.equal(publication.status, "absent")
    assert.ok(publication.evidence.some(({ code }) => code === "account.owner"))
  })

  test("P7 an actor whose id is not the final URL is account.id", async () => {
    const { publication } = await look(at({ a1: { ...withProof, id: "https://social.test/users/other" } }))
    assert.deepEqual([publication.status, codeOf(publication)], ["invalid", "account.id"])
  })

  test("P7 an actor that a redirect leads to is taken by its own id", async () => {
    const overrides = {
      [webFinger]: { headers: jrd, body: jrdOf("alice@social.test", "https://social.test/people/alice") },
      "social.test/people/alice": { status: 302, headers: { location: "/users/a1" } },
    }
    const { publication } = await look(at({ a1: withProof }, { overrides }))
    assert.equal(publication.status === "found" && publication.accountId, actorUrl)
  })

  for (const type of [
    "text/html",
    "text/plain",
    "application/json",
    "application/ld+json",
    "application/octet-stream",
  ]) {
    test(`P7 an uploaded file with a right actor, served as ${type}, is net.content_type`, async () => {
      const body = { id: actorUrl, type: "Person", preferredUsername: "alice", summary: proof }
      const overrides = { "social.test/users/a1": { headers: { "content-type": type }, body } }
      const { publication } = await look(at({ a1: withProof }, { overrides }))
      assert.deepEqual([publication.status, codeOf(publication)], ["unreachable", "net.content_type"])
    })
  }

  test("P7 the ld+json type with the ActivityStreams profile is taken", async () => {
    const body = { id: actorUrl, type: ["Person"], preferredUsername: "Alice", summaryMap: { en: proof } }
    const type = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"; charset=utf-8'
    const overrides = { "social.test/users/a1": { headers: { "content-type": type }, body } }
    assert.deepEqual(textsOf((await look(at({ a1: withProof }, { overrides }))).publication), [proof])
  })

  test("P7 WebFinger served as a page is net.content_type", async () => {
    const overrides = {
      [webFinger]: { headers: { "content-type": "text/html" }, body: jrdOf("alice@social.test", actorUrl) },
    }
    assert.equal(codeOf((await look(at({ a1: withProof }, { overrides }))).publication), "net.content_type")
  })

  test("P7 WebFinger that names the actor of another user is account.one_sided", async () => {
    const overrides = { [webFinger]: { headers: jrd, body: jrdOf("alice@social.test", "https://social.test/users/m") } }
    const { publication } = await look(at({ m: { ...withProof, username: "mallory" } }, { overrides }))
    assert.deepEqual([publication.status, codeOf(publication)], ["invalid", "account.one_sided"])
  })

  test("P7 a JRD without a link to an actor, or with one that is not https, is absent", async () => {
    const links = [[], [{ rel: "self", type: "application/activity+json", href: "http://social.test/users/a1" }]]
    for (const one of links) {
      const overrides = { [webFinger]: { headers: jrd, body: { subject: "acct:alice@social.test", links: one } } }
      assert.equal((await look(at({ a1: withProof }, { overrides }))).publication.status, "absent")
    }
  })

  test("P13 a proof in a hidden part of the profile is not found, and the owner is told", async () => {
    for (const summary of [
      `<p hidden>${proof}</p>`,
      `<template>${proof}</template>`,
      `<p style="color:red">${proof}</p>`,
    ]) {
      const { publication } = await look(at({ a1: { username: "alice", summary } }))
      assert.equal(publication.status, "absent")
      assert.match(notesOf(publication), /hidden or styled/)
    }
    for (const summary of [`<a href="${proof}">x</a>`, `<!-- ${proof} -->`, `<p title=" ${proof} ">x</p>`]) {
      assert.equal((await look(at({ a1: { username: "alice", summary } }))).publication.status, "absent")
    }
  })

  test("P12 statuses of WebFinger, the actor and the pinned posts", async () => {
    const post: FediverseAccount = { username: "alice", posts: [{ id: "1", text: proof }] }
    const places = [webFinger, "social.test/users/a1", "social.test/users/a1/collections/featured"]
    const table = [
      [404, "absent", "proof.not_found"],
      [410, "absent", "proof.not_found"],
      [429, "unreachable", "net.rate_limit"],
      [500, "unreachable", "net.status"],
      [503, "unreachable", "net.status"],
    ] as const
    for (const place of places) {
      for (const [status, expected, code] of table) {
        const overrides = { [place]: { status, headers: { ...activity, "retry-after": "90" }, body: "no" } }
        const { publication } = await look(at({ a1: post }, { overrides }))
        assert.deepEqual([publication.status, codeOf(publication)], [expected, code], `${place} ${status}`)
        if (status === 429) assert.equal("retryAfterSeconds" in publication && publication.retryAfterSeconds, 90)
      }
    }
  })

  test("an unknown name, a deleted account and a suspended one are absent", async () => {
    assert.equal((await look(at({}))).publication.status, "absent")
    assert.equal((await look(at({ a1: { ...withProof, isGone: true } }))).publication.status, "absent")
    const body = { id: actorUrl, type: "Person", preferredUsername: "alice", summary: "", suspended: true }
    const { publication } = await look(
      at({ a1: withProof }, { overrides: { "social.test/users/a1": { headers: activity, body } } }),
    )
    assert.equal(publication.status, "absent")
    assert.match(notesOf(publication), /suspended/)
  })

  test("a name that was taken over gives the other account's id, or account.changed where it proves nothing", async () => {
    const knownAccountId = "https://social.test/users/gone"
    const taken = await look(at({ a1: withProof }), { knownAccountId })
    assert.equal(taken.publication.status === "found" && taken.publication.accountId, actorUrl)
    const { publication } = await look(at({ a1: { username: "alice" } }), { knownAccountId })
    assert.deepEqual([publication.status, codeOf(publication)], ["invalid", "account.changed"])
  })

  test("an account that lives on under another name, or has moved, is account.renamed", async () => {
    const knownAccountId = actorUrl
    const renamed = await look(at({ a1: { ...withProof, username: "alicia" } }), { knownAccountId })
    assert.deepEqual([renamed.publication.status, codeOf(renamed.publication)], ["invalid", "account.renamed"])
    assert.match(notesOf(renamed.publication), /alicia/)
    const movedTo = "https://other.test/users/alice"
    const moved = await look(at({ a1: { username: "alice", movedTo } }), { knownAccountId })
    assert.deepEqual([moved.publication.status, codeOf(moved.publication)], ["invalid", "account.renamed"])
    const still = await look(at({ a1: { ...withProof, isUnknown: true } }), { knownAccountId })
    assert.equal(still.publication.status, "absent")
    const gone = await look(at({}), { knownAccountId })
    assert.equal(gone.publication.status, "absent")
  })

  test("near misses: a cut field, a link in place of the proof, a link without https", async () => {
    const fields = [
      { name: "KEZ", value: `kez:z1:${"A".repeat(248)}` },
      { name: "My kez", value: "https://gist.example/kez.md" },
      { name: "Site", value: "alice.example" },
    ]
    const cut = await look(at({ a1: { username: "alice", fields: fields.slice(0, 1) } }))
    assert.match(notesOf(cut.publication), /255 characters/)
    const { publication } = await look(at({ a1: { username: "alice", fields: fields.slice(1) } }))
    assert.match(notesOf(publication), /found a link to https:\/\/gist\.example\/kez\.md/)
    assert.match(notesOf(publication), /"Site" is saved without https/)
    assert.match(notesOf(publication), /2 fields and 0 pinned posts/)
  })

  test("secure mode: the public API of the same server shows profile and pinned posts", async () => {
    const setup = { secure: true }
    const field = await look(at({ a1: withProof }, { setup }))
    assert.equal(field.publication.status === "found" && field.publication.accountId, actorUrl)
    const post = await look(at({ a1: { username: "alice", posts: [{ id: "1", text: proof }] } }, { setup }))
    assert.deepEqual(textsOf(post.publication), [proof])
    assert.equal((await look(at({ a1: { username: "alice" } }, { setup }))).publication.status, "absent")
  })

  test("secure mode without a public API is unreachable, never invalid", async () => {
    const { publication } = await look(at({ a1: withProof }, { setup: { secure: true, apiClosed: true } }))
    assert.deepEqual([publication.status, codeOf(publication)], ["unreachable", "net.status"])
    assert.match(notesOf(publication), /only answers signed requests/)
  })

  test("secure mode: an API answer about another actor is not taken", async () => {
    const body = {
      id: "1",
      username: "alice",
      url: "https://social.test/@alice",
      uri: "https://social.test/users/m",
      note: proof,
    }
    const overrides = {
      "social.test/api/v1/accounts/lookup": { headers: { "content-type": "application/json" }, body },
    }
    const { publication } = await look(at({ a1: withProof }, { setup: { secure: true }, overrides }))
    assert.equal(publication.status, "unreachable")
  })

  test("secure mode: without the list of pinned posts a missing proof is not told to be missing", async () => {
    const overrides = {
      "social.test/api/v1/accounts/109000000000000000/statuses": { status: 401, headers: activity, body: "no" },
    }
    const { publication } = await look(at({ a1: { username: "alice" } }, { setup: { secure: true }, overrides }))
    assert.deepEqual([publication.status, codeOf(publication)], ["unreachable", "net.status"])
  })

  test("canary: NodeInfo, or a host that has none; not a page or a failure", async () => {
    const net = createNet({ hosts: server.hosts })
    const name = ap.canary.nameFor("alice@social.test", net)
    assert.equal(name, "social.test")
    const isWell = async (overrides: FediverseState["overrides"]) => {
      await server.set({ overrides: overrides ?? {} })
      return (await ap.canary.check(name, net, never)).ok
    }
    const nodeInfo = "social.test/.well-known/nodeinfo"
    assert.equal(await isWell({}), true)
    assert.equal(await isWell({ [nodeInfo]: { status: 404, body: "no" } }), true)
    assert.equal(await isWell({ [nodeInfo]: { status: 502, body: "no" } }), false)
    assert.equal(await isWell({ [nodeInfo]: { headers: { "content-type": "text/html" }, body: "<html>" } }), false)
  })
})

describe("ap on two hosts", { skip }, () => {
  let server: FedifyServer
  before(async () => {
    server = await startFedifyServer({ handleHost: "social.test", webHost: "web.test" })
  })
  after(() => server.close())
  const webActor = "https://web.test/users/a1"
  const at = (overrides: FediverseState["overrides"] = {}): Place => ({
    server,
    state: { accounts: { a1: withProof, m: { ...withProof, username: "mallory" } }, overrides },
  })

  test("P7 a handle of one host and an actor of another are the same account when both say so", async () => {
    const { publication, asked } = await look(at())
    assert.equal(publication.status === "found" && publication.accountId, webActor)
    assert.equal(asked.filter((line) => line.includes("webfinger")).length, 2)
  })

  test("P7 a host whose WebFinger is redirected to the actor's host has the answer from there", async () => {
    const to = "https://web.test/.well-known/webfinger?resource=acct%3Aalice%40social.test"
    const { publication, asked } = await look(at({ [webFinger]: { status: 301, headers: { location: to } } }))
    assert.equal(publication.status, "found")
    assert.equal(asked.filter((line) => line.includes("web.test/.well-known/webfinger")).length, 1)
  })

  test("P7 the host of the actor as the host of the handle leads to the same account", async () => {
    const { publication } = await look(at(), {}, "alice@web.test")
    assert.equal(publication.status === "found" && publication.accountId, webActor)
  })

  const liars: readonly (readonly [why: string, overrides: NonNullable<FediverseState["overrides"]>])[] = [
    ["does not know the account", { "web.test/.well-known/webfinger": { status: 404, body: "no" } }],
    [
      "names another actor for it",
      {
        "web.test/.well-known/webfinger": {
          headers: jrd,
          body: jrdOf("alice@social.test", "https://web.test/users/m"),
        },
      },
    ],
    [
      "answers for another account",
      { "web.test/.well-known/webfinger": { headers: jrd, body: jrdOf("alice@web.test", webActor) } },
    ],
    ["says no subject", { "web.test/.well-known/webfinger": { headers: jrd, body: jrdOf(undefined, webActor) } }],
  ]
  for (const [why, overrides] of liars) {
    test(`P7 an actor's host that ${why} makes it account.one_sided`, async () => {
      const { publication } = await look(at(overrides))
      assert.deepEqual([publication.status, codeOf(publication)], ["invalid", "account.one_sided"])
    })
  }

  test("P7 an actor's host that does not answer makes it unreachable", async () => {
    const { publication } = await look(at({ "web.test/.well-known/webfinger": { status: 503, body: "no" } }))
    assert.deepEqual([publication.status, codeOf(publication)], ["unreachable", "net.status"])
  })

  test("P7 a subject of another account that does not lead back is account.one_sided", async () => {
    for (const subject of ["mallory@web.test", "nobody@social.test", undefined]) {
      const named = subject === undefined ? "https://elsewhere.test/@x.test" : `acct:${subject}`
      const body = { ...jrdOf("x@x.test", webActor), subject: named }
      const question = `${webFinger}?resource=acct%3Aalice%40social.test`
      const { publication } = await look(at({ [question]: { headers: jrd, body } }))
      assert.deepEqual([publication.status, codeOf(publication)], ["invalid", "account.one_sided"], named)
    }
  })

  test("P7 another host's name for the account, which the actor's host does not know, is account.one_sided", async () => {
    const question = `${webFinger}?resource=acct%3Aalice%40alias.test`
    await server.set({
      ...at().state,
      overrides: { [question]: { headers: jrd, body: jrdOf("alice@social.test", webActor) } },
    })
    const net = createNet({ hosts: { ...server.hosts, "alias.test": server.hosts["social.test"] ?? "" } })
    const publication = await ap.collect("alice@alias.test", net, { signal: never })
    assert.deepEqual([publication.status, codeOf(publication)], ["invalid", "account.one_sided"])
    assert.match(notesOf(publication), /alice@social\.test may be the name to claim/)
  })
})

function jrdOf(subject: string | undefined, href: string): Readonly<Record<string, unknown>> {
  const links = [{ rel: "self", type: "application/activity+json", href }]
  return { ...(subject === undefined ? {} : { subject: `acct:${subject}` }), links }
}

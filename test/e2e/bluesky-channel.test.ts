/** The bluesky channel against a real PLC directory and a real PDS. SPEC §7.5, adversarial cases P3, P6 and P12. */
import assert from "node:assert/strict"
import { after, before, beforeEach, type TestContext, test } from "node:test"
import { bluesky, createNet, createResolver, type Net, type Publication } from "../../packages/channels/src/index.ts"
import { type DnsServer, startDnsServer, txt } from "../../packages/channels/test/support/dns-server.ts"
import { type AtprotoNetwork, pdsHost, startAtproto, type TestAccount } from "../support/atproto-pds.ts"
import { skipWithoutPeer } from "../support/servers.ts"

const skip = skipWithoutPeer("atproto")
const reference = `kez:r1:${"ab".repeat(32)}`
const signal = new AbortController().signal
const records = new Map<string, readonly string[]>()
let network: AtprotoNetwork
let dns: DnsServer
let count = 0

before(async () => {
  if (skip !== false) return
  network = await startAtproto()
  dns = await startDnsServer(({ type, name }) => {
    const found = type === "TXT" ? records.get(name) : undefined
    return found === undefined ? { rcode: "NXDOMAIN" } : { answers: found.map((text) => txt(name, text)) }
  })
})
after(async () => {
  if (skip !== false) return
  await dns.close()
  await network.stop()
})
beforeEach(() => {
  if (skip !== false) return
  network.intercept = undefined
  records.clear()
})

function netOf(...handles: readonly string[]): Net {
  const resolver = createResolver({ servers: [dns.address], limits: { totalMs: 2_000, attemptMs: 500 } })
  return createNet({ resolver, hosts: network.hostsOf("public.api.bsky.app", ...handles) })
}

function createAccount(): Promise<TestAccount> {
  count += 1
  return network.createAccount(`person${count}`)
}

async function collect({ handle }: { readonly handle: string }, knownAccountId?: string): Promise<Publication> {
  return bluesky.collect(handle, netOf(handle), { signal, knownAccountId })
}

async function setProfile(account: TestAccount, description: string): Promise<void> {
  const record = { $type: "app.bsky.actor.profile", displayName: "A person", description }
  const body = { repo: account.did, collection: "app.bsky.actor.profile", rkey: "self", record }
  await network.call("com.atproto.repo.putRecord", { body, token: account.token })
}

async function addPost(account: TestAccount, text: string, facets: readonly object[] = []): Promise<string> {
  const record = { $type: "app.bsky.feed.post", text, facets, createdAt: new Date().toISOString() }
  const body = { repo: account.did, collection: "app.bsky.feed.post", record }
  const { uri } = await network.call("com.atproto.repo.createRecord", { body, token: account.token })
  return String(uri)
}

function notesOf(publication: Publication): string {
  return publication.evidence.map(({ note = "" }) => note).join("\n")
}

function codeOf(publication: Publication): string {
  return publication.status === "found" ? "found" : publication.code
}

test("collect() goes from handle to DID to document to record, profile and post", { skip }, async () => {
  const account = await createAccount()
  await setProfile(account, `I am here.\n${reference}`)
  const uri = await addPost(account, `${reference}@sig.example.org`)
  await addPost(account, "something else")
  const publication = await collect(account)
  assert.equal(publication.status, "found")
  assert.equal(publication.accountId, account.did)
  const profile = `https://bsky.app/profile/${account.did}`
  assert.deepEqual(publication.candidates, [
    { text: `I am here.\n${reference}`, foundAt: profile },
    { text: `${reference}@sig.example.org`, foundAt: `${profile}/post/${uri.split("/").at(-1)}` },
  ])
  const xrpc = `https://${pdsHost}/xrpc/com.atproto.repo`
  const repo = `repo=${encodeURIComponent(account.did)}`
  assert.deepEqual(
    publication.evidence.map(({ url, status }) => [url, status]),
    [
      [`dns:_atproto.${account.handle}?type=TXT`, undefined],
      [`https://${account.handle}/.well-known/atproto-did`, 200],
      [`https://plc.directory/${account.did}`, 200],
      [`${xrpc}.getRecord?${repo}&collection=app.bsky.actor.profile&rkey=self`, 200],
      [`${xrpc}.listRecords?${repo}&collection=app.bsky.feed.post&limit=50`, 200],
    ],
  )
})

test("collect() puts the whole URL of a shortened link back into a hint line", { skip }, async () => {
  const account = await createAccount()
  const url = "https://sig.example.org/v1/chains/abcdefghijklmnopqrstuvwxyz"
  const text = `ü ${reference}\nChain: sig.example.org/v1/ch...`
  const byteStart = Buffer.byteLength(`ü ${reference}\nChain: `)
  const features = [{ $type: "app.bsky.richtext.facet#link", uri: url }]
  await addPost(account, text, [{ index: { byteStart, byteEnd: Buffer.byteLength(text) }, features }])
  const publication = await collect(account)
  assert.deepEqual(publication.status === "found" && publication.chainHints, [url])
})

test("collect() of an account without a proof is absent and says what was looked at", { skip }, async () => {
  const empty = await createAccount()
  assert.match(notesOf(await collect(empty)), /neither posts nor a profile text/)
  await setProfile(empty, "hello")
  await addPost(empty, "nothing")
  const publication = await collect(empty)
  assert.equal(codeOf(publication), "proof.not_found")
  assert.match(notesOf(publication), /no KEZ text in the profile and 1 post/)
})

test("collect() of a handle that nobody has is absent", { skip }, async () => {
  const publication = await collect({ handle: "nobody.handles.example.com" })
  assert.equal(publication.status, "absent")
  assert.equal(publication.evidence.length, 2)
})

test("collect() takes a handle by DNS alone, and one whose DNS and host agree", { skip }, async () => {
  const account = await createAccount()
  await addPost(account, reference)
  records.set(`_atproto.${account.handle}`, ["v=other", `did=${account.did}`])
  assert.equal(codeOf(await collect(account)), "found")
  network.intercept = ({ path }) => (path.startsWith("/.well-known") ? { status: 503, body: "down" } : undefined)
  assert.equal(codeOf(await collect(account)), "found")
})

test("P6 DNS and host of a handle that name two accounts are account.one_sided", { skip }, async () => {
  const [account, other] = [await createAccount(), await createAccount()]
  records.set(`_atproto.${account.handle}`, [`did=${other.did}`])
  assert.equal(codeOf(await collect(account)), "account.one_sided")
  records.set(`_atproto.${account.handle}`, [`did=${other.did}`, `did=${account.did}`])
  network.intercept = ({ path }) => (path.startsWith("/.well-known") ? { status: 404, body: "no" } : undefined)
  assert.equal(codeOf(await collect(account)), "account.one_sided")
})

test("P6 a handle that leads to an account whose document does not list it is account.one_sided", {
  skip,
}, async () => {
  const account = await createAccount()
  await addPost(account, reference)
  const handle = "vanity.example.net"
  records.set(`_atproto.${handle}`, [`did=${account.did}`])
  network.intercept = ({ host }) => (host === handle ? { status: 404, body: "no" } : undefined)
  const publication = await collect({ handle })
  assert.equal(publication.status, "invalid")
  assert.equal(codeOf(publication), "account.one_sided")
  assert.match(notesOf(publication), new RegExp(account.handle))
})

test("P6 a changed handle is account.renamed when the DID is known, absent when it is not", { skip }, async () => {
  const account = await createAccount()
  await addPost(account, reference)
  const handle = `new-${account.handle}`
  await network.call("com.atproto.identity.updateHandle", { body: { handle }, token: account.token })
  assert.equal(codeOf(await collect(account)), "proof.not_found")
  const publication = await collect(account, account.did)
  assert.equal(codeOf(publication), "account.renamed")
  assert.match(notesOf(publication), new RegExp(`called ${handle} now`))
  assert.equal(codeOf(await collect({ handle }, account.did)), "found")
})

test("P3 P6 a handle that another account took over gives the other DID, and says where the first one is", {
  skip,
}, async () => {
  const account = await createAccount()
  const body = { handle: `old-${account.handle}` }
  await network.call("com.atproto.identity.updateHandle", { body, token: account.token })
  const thief = await network.createAccount(account.handle.split(".")[0] ?? "")
  const nothing = await collect(account, account.did)
  assert.equal(nothing.status, "invalid")
  assert.equal(codeOf(nothing), "account.changed")
  assert.match(notesOf(nothing), new RegExp(`called ${body.handle} now`))
  await addPost(thief, reference)
  const publication = await collect(account, account.did)
  assert.equal(publication.status === "found" && publication.accountId, thief.did)
})

test("P6 records of another repository are left out with account.owner", { skip }, async () => {
  const [account, other] = [await createAccount(), await createAccount()]
  const uri = await addPost(other, reference)
  const record = { uri, value: { $type: "app.bsky.feed.post", text: reference, createdAt: "2026-01-01T00:00:00Z" } }
  network.intercept = ({ path }) =>
    path.includes("listRecords") ? { status: 200, body: { records: [record] } } : undefined
  const publication = await collect(account)
  assert.equal(publication.status, "invalid")
  assert.equal(codeOf(publication), "account.owner")
  await setProfile(account, reference)
  const good = await collect(account)
  assert.equal(good.status === "found" && good.candidates.length, 1)
  assert.ok(good.evidence.some(({ code }) => code === "account.owner"))
})

test("P6 a document of another id is account.id", { skip }, async () => {
  const [account, other] = [await createAccount(), await createAccount()]
  const answer = await fetch(`${network.hostsOf()["plc.directory"]}/${other.did}`)
  const document: unknown = await answer.json()
  network.intercept = ({ host }) => (host === "plc.directory" ? { status: 200, body: document } : undefined)
  assert.equal(codeOf(await collect(account)), "account.id")
})

test("N2 N3 a document that names a private server leads nowhere", { skip }, async () => {
  const account = await createAccount()
  const service = (serviceEndpoint: string) => [
    { id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint },
  ]
  for (const [server, code] of [
    ["https://10.0.0.1", "net.address"],
    ["https://[::1]", "net.address"],
    ["https://localhost", "net.host"],
    ["https://pds.example.com:6379", "net.port"],
  ] as const) {
    const body = { id: account.did, alsoKnownAs: [`at://${account.handle}`], service: service(server) }
    network.intercept = ({ host }) => (host === "plc.directory" ? { status: 200, body } : undefined)
    const publication = await collect(account)
    assert.equal(publication.status, "unreachable", server)
    assert.equal(codeOf(publication), code)
  }
})

test("P12 an account that its owner deactivated, or its server took down, is absent", { skip }, async () => {
  const account = await createAccount()
  await addPost(account, reference)
  // The server forgets the handle with the account, DNS does not.
  records.set(`_atproto.${account.handle}`, [`did=${account.did}`])
  const { token } = account
  await network.call("com.atproto.server.deactivateAccount", { body: {}, token })
  const deactivated = await collect(account)
  assert.equal(deactivated.status, "absent")
  assert.match(notesOf(deactivated), /deactivated/)
  await network.call("com.atproto.server.activateAccount", { isBare: true, token })
  assert.equal(codeOf(await collect(account)), "found")
  const subject = { $type: "com.atproto.admin.defs#repoRef", did: account.did }
  const body = { subject, takedown: { applied: true, ref: "test" } }
  await network.call("com.atproto.admin.updateSubjectStatus", { body, asAdmin: true })
  const takenDown = await collect(account)
  assert.equal(takenDown.status, "absent")
  assert.match(notesOf(takenDown), /takendown/)
})

test("P12 a server that does not answer is unreachable, and the public copy can still show a proof", {
  skip,
}, async () => {
  const account = await createAccount()
  let copy: { status: number; body: object } = { status: 502, body: {} }
  network.intercept = ({ host, path }) => {
    if (path.startsWith("/.well-known")) return undefined
    if (host === pdsHost) return { status: 503, body: "down" }
    return host === "public.api.bsky.app" ? copy : undefined
  }
  const silent = await bluesky.collect(account.handle, netOf(account.handle), { signal })
  assert.equal(silent.status, "unreachable")
  assert.equal(codeOf(silent), "net.status")
  copy = { status: 200, body: { did: account.did, description: "", feed: [] } }
  assert.equal((await collect(account)).status, "unreachable", "the copy cannot show that there is no proof")
  copy = { status: 200, body: { did: account.did, description: reference, feed: [] } }
  const shown = await collect(account)
  assert.equal(shown.status, "found")
  assert.match(notesOf(shown), /public copy/)
})

test("canary is well while the directory answers", { skip }, async () => {
  const check = async () => (await bluesky.canary.check("bsky.app", netOf(), signal)).ok
  assert.equal(await check(), true)
  network.intercept = () => ({ status: 503, body: "down" })
  assert.equal(await check(), false)
})

test("collect() throws the reason of a caller who gave up", { skip }, async (t: TestContext) => {
  const account = await createAccount()
  const controller = new AbortController()
  network.intercept = () => {
    controller.abort(new Error("gave up"))
    return undefined
  }
  const net = netOf(account.handle)
  t.after(() => controller.abort())
  await assert.rejects(bluesky.collect(account.handle, net, { signal: controller.signal }), /gave up/)
})

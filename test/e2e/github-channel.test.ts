/** The github channel over real HTTP, against a server that answers as GitHub does. SPEC §7.3, adversarial P1 to P5, P11, P12, N10, N18. */
import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import { lookOf } from "../../apps/cli/src/account-look.ts"
import {
  type ChannelSettings,
  createNet,
  findChannel,
  type LookOptions,
  type Publication,
} from "../../packages/channels/src/index.ts"
import { startHttpServer } from "../../packages/channels/test/support/http-server.ts"
import {
  appendEvent,
  type ChainReplay,
  createSigner,
  encodeProof,
  signClaim,
  type Verdict,
  verifyClaim,
} from "../../packages/core/src/index.ts"
import { type GithubServer, type GithubServerOptions, startGithubServer } from "../support/github-server.ts"
import type { GithubGist } from "../support/github-shapes.ts"

/** 2030-01-01T12:00:00Z */
const now = 1_893_499_200
const alice = { id: 1001, login: "Alice" }
const mallory = { id: 6660, login: "mallory" }
const signer = createSigner("ed25519", new Uint8Array(32).fill(1))
const other = createSigner("ed25519", new Uint8Array(32).fill(2))
const canaryUser = { id: 9919, login: "github", type: "Organization" as const }

async function proofOf(subject: string, by = signer): Promise<string> {
  return encodeProof(await signClaim({ subject, createdAt: now - 600 }, by), "markdown")
}

const proof = await proofOf("github:alice")
let gistCount = 0

function gist(owner: number, content: string, more: Partial<GithubGist> & { readonly name?: string } = {}): GithubGist {
  const { name = "kez.md", ...rest } = more
  gistCount += 1
  const id = gistCount.toString(16).padStart(32, "a")
  return { id, owner, files: { [name]: content }, createdAt: timeAt(now - 500 - gistCount), ...rest }
}

function timeAt(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z")
}

async function serve(t: TestContext, options: GithubServerOptions): Promise<GithubServer> {
  const server = await startGithubServer({ users: [alice, mallory, canaryUser], now: () => now, ...options })
  t.after(() => server.close())
  return server
}

function netOf(server: GithubServer, settings: Partial<ChannelSettings> = {}) {
  return createNet({ hosts: server.hosts, now: () => now, settings })
}

function collect(server: GithubServer, options: Omit<LookOptions, "signal"> & { login?: string; token?: string } = {}) {
  const { login = "alice", token, ...rest } = options
  const channel = findChannel("github")
  assert.ok(channel)
  const net = netOf(server, token === undefined ? {} : { githubToken: token })
  return channel.collect(login, net, { signal: AbortSignal.timeout(8_000), ...rest })
}

function lineOf(publication: Publication): string {
  return "code" in publication ? `${publication.status} ${publication.code}` : publication.status
}

function notesOf({ evidence }: Publication): string {
  return evidence.map(({ note = "" }) => note).join("\n")
}

function judge(publication: Publication, more: { primary?: string; chain?: ChainReplay } = {}): Verdict {
  const events = more.chain?.path
  return verifyClaim({
    subject: "github:alice",
    ...(more.primary === undefined ? {} : { primary: more.primary }),
    publication: lookOf(publication).publication,
    chains: events === undefined ? [] : [{ name: "local", kind: "local", expected: false, outcome: "found", events }],
    now,
  })
}

test("a gist proves the account with two requests to the API and none to the raw host", async (t) => {
  const server = await serve(t, { gists: [gist(alice.id, proof)] })
  const publication = await collect(server)
  assert.equal(publication.status, "found")
  assert.equal(publication.accountId, "1001")
  assert.match(publication.candidates[0]?.foundAt ?? "", /^https:\/\/gist\.github\.com\/Alice\/a/)
  assert.equal(judge(publication).status, "valid")
  assert.deepEqual(
    server.asked.map(({ host, path }) => `${host} ${path}`),
    ["api /users/alice/gists?per_page=100", `api /gists/${server.world.gists[0]?.id}`],
  )
})

test("a file of any name is found, the README after all gists", async (t) => {
  const gists = [gist(alice.id, "notes", { name: "notes.txt" }), gist(alice.id, proof, { name: "proof.text" })]
  assert.equal((await collect(await serve(t, { gists }))).status, "found")
  const repos = [{ id: 5, owner: alice.id, name: "alice", readme: `# Hello\n\n${proof}` }]
  const publication = await collect(await serve(t, { gists: gists.slice(0, 1), repos }))
  assert.equal(publication.status === "found" && publication.accountId, "1001")
  assert.equal(publication.status === "found" && publication.candidates[0]?.foundAt, "https://github.com/alice/alice")
  assert.equal(judge(publication).status, "valid")
})

test("P1 a gist of another account with the exact proof is account.owner, even if the list names it", async (t) => {
  const real = await serve(t, { gists: [gist(mallory.id, proof)] })
  assert.equal(lineOf(await collect(real)), "absent proof.not_found")
  const list = JSON.parse(
    JSON.stringify(await (await fetch(`${real.hosts["api.github.com"]}/users/mallory/gists`)).json()),
  )
  const liar = await serve(t, {
    instead: ({ path }) => (path.startsWith("/users/alice/gists") ? { status: 200, body: list } : undefined),
  })
  const publication = await collect(liar)
  assert.equal(lineOf(publication), "invalid account.owner")
  assert.ok(publication.evidence.some(({ code }) => code === "account.owner"))
  assert.ok(!liar.asked.some(({ host }) => host === "raw"), "nothing of another account is read")
})

test("P2 a proof in a copy, an organisation's README, a secret gist or a private repository is not found", async (t) => {
  const source = gist(alice.id, proof, { public: false })
  const org = { id: 4004, login: "kube", type: "Organization" as const }
  const server = await serve(t, {
    users: [alice, mallory, org, canaryUser],
    gists: [source, gist(mallory.id, proof, { forkOf: source.id })],
    repos: [
      { id: 7, owner: org.id, name: "kube", readme: await proofOf("github:kube") },
      { id: 8, owner: mallory.id, name: "alice", readme: proof, fork: true },
      { id: 9, owner: alice.id, name: "alice", readme: proof, private: true },
    ],
    tokens: { mine: { user: alice.id, scopes: [] } },
  })
  assert.equal(lineOf(await collect(server)), "absent proof.not_found")
  assert.equal(lineOf(await collect(server, { token: "mine" })), "absent proof.not_found", "nor for one who sees more")
  assert.equal(lineOf(await collect(server, { login: "kube" })), "absent proof.not_found")
  assert.ok(!server.asked.some(({ path }) => /comments|starred|forks|orgs/.test(path)))
  const copied = await serve(t, { repos: [{ id: 8, owner: alice.id, name: "alice", readme: proof, fork: true }] })
  assert.equal(lineOf(await collect(copied)), "absent proof.not_found")
})

/** Alice clicks "Fork" on a gist of Mallory's that holds a claim for Alice's account by Mallory's key. */
async function serveFork(t: TestContext, name: string, more: GithubServerOptions = {}) {
  const theirs = gist(mallory.id, await proofOf("github:alice", other), { name })
  const tokens = { mine: { user: alice.id, scopes: ["gist"] } }
  const server = await serve(t, { tokens, ...more, gists: [...(more.gists ?? []), theirs] })
  const headers = { authorization: "Bearer mine" }
  const answer = await fetch(`${server.hosts["api.github.com"]}/gists/${theirs.id}/forks`, { method: "POST", headers })
  assert.equal(answer.status, 201)
  const fork = server.world.gists.at(-1)
  assert.ok(fork?.owner === alice.id && fork.id !== theirs.id)
  server.forgetRequests()
  return { server, fork, headers }
}

for (const name of ["kez.md", "notes.txt"]) {
  test(`P2 a fork of a gist with ${name}, clicked by the owner of the account, is no proof`, async (t) => {
    const { server, fork } = await serveFork(t, name)
    const publication = await collect(server)
    assert.equal(lineOf(publication), "absent proof.not_found")
    assert.match(notesOf(publication), /is a fork; a fork does not count: make a new gist/)
    assert.equal(server.asked.filter(({ path }) => path === `/gists/${fork.id}`).length, 1)
    assert.equal(server.asked.filter(({ host }) => host === "raw").length, name === "kez.md" ? 0 : 1)
  })

  test(`P2 a fork with ${name} does not spoil the proof beside it`, async (t) => {
    const { server } = await serveFork(t, name, { gists: [gist(alice.id, proof)] })
    const verdict = judge(await collect(server))
    assert.deepEqual([verdict.status, verdict.primary], ["valid", signer.key])
  })
}

test("P2 a fork that its owner edited afterwards still does not count", async (t) => {
  const { server, fork, headers } = await serveFork(t, "kez.md")
  const body = JSON.stringify({ description: "mine", files: { "kez.md": { content: proof } } })
  const url = `${server.hosts["api.github.com"]}/gists/${fork.id}`
  assert.equal((await fetch(url, { method: "PATCH", headers, body })).status, 200)
  const publication = await collect(server)
  assert.equal(lineOf(publication), "absent proof.not_found")
  assert.match(notesOf(publication), /make a new gist/)
  server.world.gists.push(gist(alice.id, proof))
  assert.equal(judge(await collect(server)).status, "valid")
})

test("P2 P12 a fork that could not be asked about is unreachable, never valid and never absent", async (t) => {
  for (const name of ["kez.md", "notes.txt"]) {
    const limited = await serveFork(t, name, { anonymousLimit: 1 })
    assert.equal(lineOf(await collect(limited.server)), "unreachable net.rate_limit")
    for (const status of [403, 500, 503]) {
      const { server } = await serveFork(t, name, {
        instead: ({ method, path }) =>
          method === "GET" && path.startsWith("/gists/") ? { status, body: { message: "no" } } : undefined,
      })
      assert.equal(lineOf(await collect(server)), "unreachable net.status")
    }
  }
})

test("P3 a login registered anew, with another number, is account.changed, and is told where the old account is", async (t) => {
  const operation = { op: "add", subject: "github:alice", subject_id: "1001" } as const
  const chain = (await appendEvent({ chain: undefined, operation, now: now - 600 }, signer)).replay
  const server = await serve(t, {
    users: [{ ...alice, login: "alice-away" }, { id: 2002, login: "alice" }, canaryUser],
    gists: [gist(2002, proof)],
  })
  const publication = await collect(server, { knownAccountId: "1001" })
  assert.equal(publication.status === "found" && publication.accountId, "2002")
  const verdict = judge(publication, { chain })
  assert.deepEqual([verdict.status, verdict.reason], ["invalid", "account.changed"])
  assert.match(notesOf(publication), /account 1001.*is named alice-away now/)
  server.world.gists.length = 0
  assert.equal(lineOf(await collect(server, { knownAccountId: "1001" })), "invalid account.changed")
})

test("a renamed account is account.renamed, and its new name is told", async (t) => {
  const server = await serve(t, { users: [{ ...alice, login: "Alice2" }, canaryUser] })
  const publication = await collect(server, { knownAccountId: "1001" })
  assert.equal(lineOf(publication), "invalid account.renamed")
  assert.match(notesOf(publication), /github:alice2/)
  assert.equal(lineOf(await collect(server)), "absent proof.not_found")
  assert.equal(
    lineOf(await collect(server, { knownAccountId: "77" })),
    "absent proof.not_found",
    "an account that is gone",
  )
})

test("P4 P5 a proof for another subject, or by another primary, is a mismatch", async (t) => {
  const foreign = await serve(t, { gists: [gist(alice.id, await proofOf("github:mallory"))] })
  assert.equal(judge(await collect(foreign)).reason, "proof.subject_mismatch")
  const server = await serve(t, { gists: [gist(alice.id, proof)] })
  assert.equal(judge(await collect(server), { primary: other.key }).reason, "proof.primary_mismatch")
  assert.equal(judge(await collect(server), { primary: signer.key }).status, "valid")
})

test("P11 garbage beside a proof does not spoil it", async (t) => {
  const garbage = '```kez\n{"kez":\n```'
  const server = await serve(t, { gists: [gist(alice.id, garbage), gist(alice.id, proof), gist(alice.id, garbage)] })
  const publication = await collect(server)
  assert.equal(publication.status === "found" && publication.candidates.length, 3)
  const verdict = judge(publication)
  assert.equal(verdict.status, "valid")
  assert.ok(verdict.evidence.some(({ code }) => code === "json.syntax"))
})

const table: ReadonlyArray<readonly [number, Record<string, string>, string, number?]> = [
  [404, {}, "absent proof.not_found"],
  [410, {}, "absent proof.not_found"],
  [403, {}, "unreachable net.status"],
  [
    403,
    { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now + 1_920) },
    "unreachable net.rate_limit",
    1_920,
  ],
  [429, { "retry-after": "90" }, "unreachable net.rate_limit", 90],
  [429, {}, "unreachable net.rate_limit", 60],
  [401, {}, "unreachable net.status"],
  [451, {}, "unreachable net.status"],
  [500, {}, "unreachable net.status"],
  [503, { "retry-after": "5" }, "unreachable net.status"],
]

for (const [status, headers, expected, retry] of table) {
  test(`P12 HTTP ${status} ${JSON.stringify(headers)} of the list -> ${expected}`, async (t) => {
    const server = await serve(t, { instead: () => ({ status, headers, body: { message: "no" } }) })
    const publication = await collect(server)
    assert.equal(lineOf(publication), expected)
    if (retry !== undefined) assert.equal(publication.status === "unreachable" && publication.retryAfterSeconds, retry)
  })
}

test("P12 an empty 200 is absent, an error page with 200 is no answer", async (t) => {
  const json = { "content-type": "application/json" }
  const empty = await serve(t, { instead: () => ({ status: 200, headers: json, body: Buffer.alloc(0) }) })
  assert.equal(lineOf(await collect(empty)), "absent proof.not_found")
  const html = { "content-type": "text/html" }
  const page = await serve(t, { instead: () => ({ status: 200, headers: html, body: Buffer.from(proof) }) })
  assert.equal(lineOf(await collect(page)), "unreachable net.content_type")
})

test("P12 a file that does not answer makes a missing proof unreachable, never absent", async (t) => {
  for (const status of [500, 429, 403]) {
    const server = await serve(t, {
      gists: [gist(alice.id, proof, { name: "notes.txt" })],
      instead: ({ host }) => (host === "raw" ? { status, body: Buffer.from("no") } : undefined),
    })
    assert.match(lineOf(await collect(server)), /^unreachable net\./)
  }
  const gone = await serve(t, {
    gists: [gist(alice.id, proof, { name: "notes.txt" })],
    instead: ({ host }) => (host === "raw" ? { status: 404, body: Buffer.from("no") } : undefined),
  })
  assert.equal(lineOf(await collect(gone)), "absent proof.not_found")
})

test("N10 a raw URL of another host, login or gist is never followed: the API is asked instead", async (t) => {
  const evil = await startHttpServer((_request, response) => response.end(proof))
  t.after(() => evil.close())
  const own = gist(alice.id, "nothing here", { name: "notes.txt" })
  const urls = [
    `https://gist.githubusercontent.com@evil.example/Alice/${own.id}/raw/0/kez.md`,
    `https://gist.githubusercontent.com.evil.example/Alice/${own.id}/raw/0/kez.md`,
    `https://xn--gst-wqa.githubusercontent.com/Alice/${own.id}/raw/0/kez.md`,
    `https://evil.example/Alice/${own.id}/raw/0/kez.md`,
    `http://gist.githubusercontent.com/Alice/${own.id}/raw/0/kez.md`,
    `https://gist.githubusercontent.com/mallory/${own.id}/raw/0/kez.md`,
    `https://gist.githubusercontent.com/Alice/../mallory/${own.id}/raw/0/kez.md`,
    `https://gist.githubusercontent.com/Alice/ffff/raw/0/kez.md`,
  ]
  for (const url of urls) {
    const server = await serve(t, { gists: [own] })
    const honest = await (await fetch(`${server.hosts["api.github.com"]}/users/alice/gists`)).text()
    const lie = JSON.parse(honest.replace(/"raw_url":"[^"]*"/, `"raw_url":${JSON.stringify(url)}`))
    const liar = await serve(t, {
      gists: [own],
      instead: ({ path }) => (path.startsWith("/users/alice/gists") ? { status: 200, body: lie } : undefined),
    })
    assert.equal(lineOf(await collect(liar)), "absent proof.not_found", url)
    assert.ok(
      liar.asked.some(({ path }) => path === `/gists/${own.id}`),
      url,
    )
    assert.ok(!liar.asked.some(({ host }) => host === "raw"), url)
  }
  assert.equal(evil.connections, 0)
})

test("N18 the token goes to the API alone, and not along with a redirect to another place", async (t) => {
  const tokens = { secret: { user: mallory.id, scopes: ["gist"] } }
  const server = await serve(t, { gists: [gist(alice.id, proof, { name: "notes.txt" })], tokens })
  assert.equal((await collect(server, { token: "secret" })).status, "found")
  assert.deepEqual(
    server.asked.map(({ host, authorization }) => [host, authorization]),
    [
      ["api", "Bearer secret"],
      ["raw", undefined],
      ["api", "Bearer secret"],
    ],
  )
  const seen: (string | undefined)[] = []
  const elsewhere = await startHttpServer((request, response) => {
    seen.push(request.headers.authorization)
    response.writeHead(200, { "content-type": "application/json" }).end("[]")
  })
  t.after(() => elsewhere.close())
  const headers = { location: "https://gist.githubusercontent.com/users/alice/gists" }
  const moved = await serve(t, {
    tokens,
    instead: ({ host }) => (host === "api" ? { status: 302, headers } : undefined),
  })
  assert.equal(lineOf(await collect(moved, { token: "secret" })), "unreachable net.redirect")
  assert.ok(!moved.asked.some(({ host }) => host === "raw"))
  assert.deepEqual(seen, [])
})

test("a token that GitHub does not accept is said, and is no fault of the account", async (t) => {
  const server = await serve(t, { gists: [gist(alice.id, proof)] })
  const publication = await collect(server, { token: "stale-token" })
  assert.equal(lineOf(publication), "unreachable net.status")
  assert.match(notesOf(publication), /does not accept GITHUB_TOKEN/)
  assert.ok(!JSON.stringify(publication).includes("stale-token"))
})

test("pages are followed to the third, each once, and only as far as a proof is", async (t) => {
  const filler = (count: number) =>
    Array.from({ length: count }, (_, i) => gist(alice.id, `text ${i}`, { name: `n${i}.txt` }))
  const listed = (server: GithubServer) => server.asked.filter(({ path }) => path.includes("/gists?")).length
  const second = await serve(t, { gists: [...filler(140), gist(alice.id, proof)] })
  assert.equal((await collect(second)).status, "found")
  assert.equal(listed(second), 2)
  const first = await serve(t, { gists: [gist(alice.id, proof), ...filler(140)] })
  assert.equal((await collect(first)).status, "found")
  assert.equal(listed(first), 1)
  const beyond = await serve(t, { gists: [...filler(300), gist(alice.id, proof)] })
  assert.equal(lineOf(await collect(beyond)), "absent proof.not_found")
  assert.equal(listed(beyond), 3)
  assert.equal(beyond.asked.filter(({ host }) => host === "raw").length, 16)
  assert.ok(beyond.mostAtOnce <= 2)
})

test("a next page elsewhere is not followed", async (t) => {
  const link = `<https://evil.example/gists?page=2>; rel="next"`
  const server = await serve(t, {
    instead: ({ path }) => (path.includes("/gists?") ? { status: 200, headers: { link }, body: [] } : undefined),
  })
  assert.equal(lineOf(await collect(server)), "absent proof.not_found")
})

test("the hourly limit is unreachable with the time to wait, whichever request meets it", async (t) => {
  const options = { gists: [gist(alice.id, "no")], rateLimitReset: now + 1_920 }
  for (const anonymousLimit of [0, 1]) {
    const publication = await collect(await serve(t, { ...options, anonymousLimit }))
    assert.equal(lineOf(publication), "unreachable net.rate_limit")
    assert.equal(publication.status === "unreachable" && publication.retryAfterSeconds, 1_920)
    assert.match(notesOf(publication), /60 anonymous requests an hour; again at 12:32 UTC; set GITHUB_TOKEN/)
  }
})

test("a profile repository that was renamed or given away proves nothing", async (t) => {
  const formerNames = ["alice/alice"]
  const given = await serve(t, { repos: [{ id: 5, owner: mallory.id, name: "alice", readme: proof, formerNames }] })
  const lost = await collect(given)
  assert.equal(lineOf(lost), "invalid account.owner")
  assert.match(notesOf(lost), /belongs to mallory now/)
  const renamed = await serve(t, { repos: [{ id: 5, owner: alice.id, name: "old", readme: proof, formerNames }] })
  assert.equal(lineOf(await collect(renamed)), "absent proof.not_found")
  assert.ok(!renamed.asked.some(({ path }) => path.includes("readme")))
})

test("near misses say what was looked at, how old it is, and what is nearly right", async (t) => {
  const young = gist(alice.id, "no proof", { name: "a.txt", createdAt: timeAt(now - 180) })
  const server = await serve(t, {
    gists: [young, gist(alice.id, "empty", { name: "b.txt", description: "my KEZ proof" })],
  })
  const notes = notesOf(await collect(server, { claimedAt: now - 60 }))
  assert.match(notes, /looked at 2 public gists of alice, newest 3 min old, none has a KEZ block/)
  assert.match(notes, /no public gist is newer than this claim: is it secret\?/)
  assert.match(notes, /the description of its gist says kez, its content has no KEZ block/)
  const none = await serve(t, {})
  assert.match(notesOf(await collect(none)), /alice has no public gist/)
  const cut = await serve(t, { gists: [gist(alice.id, proof.slice(0, 500))] })
  const publication = await collect(cut)
  assert.match(notesOf(publication), /block found but cut after \d+ characters/)
  assert.equal(judge(publication).reason, "proof.cut")
})

test("a second look by the same reader is answered by 304, and sees a change at once", async (t) => {
  const server = await serve(t, { gists: [gist(alice.id, proof)] })
  const net = netOf(server)
  const look = () => findChannel("github")?.collect("alice", net, { signal: AbortSignal.timeout(8_000) })
  assert.equal((await look())?.status, "found")
  assert.equal((await look())?.status, "found")
  assert.equal(server.notModified, 2)
  server.world.gists.length = 0
  assert.equal((await look())?.status, "absent")
})

test("the canary is GitHub's own account, with its own number", async (t) => {
  const channel = findChannel("github")
  assert.ok(channel)
  const check = async (server: GithubServer) =>
    channel.canary.check(channel.canary.nameFor("alice", netOf(server)), netOf(server), AbortSignal.timeout(5_000))
  assert.equal((await check(await serve(t, {}))).ok, true)
  assert.equal((await check(await serve(t, { users: [alice] }))).ok, false)
  assert.equal((await check(await serve(t, { users: [{ id: 1, login: "github" }] }))).ok, false)
  const limited = await check(await serve(t, { anonymousLimit: 0 }))
  assert.deepEqual([limited.ok, limited.evidence.code], [false, "net.rate_limit"])
})

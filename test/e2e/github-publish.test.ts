/** Publishing at GitHub and taking back, over real HTTP, and the whole way to a verdict of the command. SPEC §7.3 [GH-9]. */
import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { createNet, findChannel, findPublisher, type Publisher } from "../../packages/channels/src/index.ts"
import { createSigner, encodeProof, findProofs, KezError, signClaim } from "../../packages/core/src/index.ts"
import { runKez } from "../support/cli.ts"
import { type GithubServer, type GithubServerOptions, startGithubServer } from "../support/github-server.ts"

const now = Math.floor(Date.now() / 1000)
const alice = { id: 1001, login: "Alice" }
const mallory = { id: 6660, login: "mallory" }
const users = [alice, mallory, { id: 9919, login: "github" }]
const signer = createSigner("ed25519", new Uint8Array(32).fill(1))
const secret = "ghp_theSecretOfAlice"
const tokens = {
  [secret]: { user: alice.id, scopes: ["gist", "repo"] },
  ghp_narrow: { user: alice.id, scopes: ["repo"] },
  ghp_mallory: { user: mallory.id, scopes: ["gist"] },
  github_pat_fine: { user: alice.id },
}

async function textsAt(createdAt: number) {
  const claim = await signClaim({ subject: "github:alice", createdAt }, signer)
  return { markdown: encodeProof(claim, "markdown"), compact: encodeProof(claim, "compact"), reference: "" }
}

const older = await textsAt(now - 9_000)
const newer = await textsAt(now - 60)

interface Stage {
  readonly server: GithubServer
  readonly publisher: Publisher
  publish(token: string, texts?: typeof newer): ReturnType<Publisher["publish"]>
  unpublish(token: string): ReturnType<Publisher["unpublish"]>
  collect(): Promise<string>
}

async function setUp(t: TestContext, options: GithubServerOptions = {}): Promise<Stage> {
  const server = await startGithubServer({ users, tokens, now: () => now, ...options })
  t.after(() => server.close())
  const net = createNet({ hosts: server.hosts, now: () => now })
  const publisher = findPublisher("github")
  const channel = findChannel("github")
  assert.ok(publisher && channel)
  const [place] = publisher.places
  assert.ok(place)
  const signal = AbortSignal.timeout(8_000)
  return {
    server,
    publisher,
    publish: (token, texts = newer) =>
      publisher.publish(
        { value: "alice", place, makeText: async () => texts.markdown, credentials: { secret: token } },
        net,
        signal,
      ),
    unpublish: (token) => publisher.unpublish({ value: "alice", credentials: { secret: token }, isOurs }, net, signal),
    async collect() {
      const publication = await channel.collect("alice", net, { signal })
      return publication.status === "found" ? publication.candidates.map(({ text }) => text).join() : publication.code
    },
  }
}

function isOurs(text: string): boolean {
  return findProofs(text).candidates.some(
    (one) => "proof" in one && one.proof.kind === "claim" && one.proof.claim.payload.primary === signer.key,
  )
}

test("a proof is published, found, replaced and taken back", async (t) => {
  const { server, publish, unpublish, collect } = await setUp(t)
  assert.equal(await collect(), "proof.not_found")
  const first = await publish(secret, older)
  assert.match(first.outcomes[0]?.url ?? "", /^https:\/\/gist\.github\.com\/Alice\/[0-9a-f]{32}$/)
  const [made] = server.world.gists
  assert.deepEqual([made?.public, made?.files], [true, { "kez.md": older.markdown }])
  assert.equal(await collect(), older.markdown)
  const written = () => server.asked.filter(({ method }) => method !== "GET").length
  const before = written()
  assert.equal((await publish(secret, older)).outcomes[0]?.url, first.outcomes[0]?.url)
  assert.equal(written(), before, "what stands there already is not written again")
  const second = await publish(secret)
  assert.equal(second.outcomes[0]?.url, first.outcomes[0]?.url)
  assert.equal(server.world.gists.length, 1)
  assert.equal(await collect(), newer.markdown)
  const gone = await unpublish(secret)
  assert.deepEqual(
    gone.outcomes.map(({ accepted }) => accepted),
    [true],
  )
  assert.deepEqual(server.world.gists, [])
  assert.equal(await collect(), "proof.not_found")
  assert.deepEqual((await unpublish(secret)).outcomes, [])
})

test("only an own proof for the account is replaced", async (t) => {
  const other = encodeProof(await signClaim({ subject: "github:bob", createdAt: now }, signer), "markdown")
  const gists = [
    { id: "a1", owner: alice.id, files: { "kez.md": other } },
    { id: "a2", owner: alice.id, files: { "kez-notes.md": "about kez" } },
    { id: "a3", owner: alice.id, files: { "kez.md": older.markdown }, public: false },
    { id: "b1", owner: mallory.id, files: { "kez.md": older.markdown } },
  ]
  const { server, publish, collect } = await setUp(t, { gists })
  await publish(secret)
  assert.equal(server.world.gists.length, 5)
  assert.ok((await collect()).includes(newer.markdown))
})

test("a file in which another claim stands beside the account's is not replaced", async (t) => {
  const claim = await signClaim({ subject: "github:bob", createdAt: now - 9_000 }, signer)
  for (const form of ["markdown", "compact"] as const) {
    const both = `${older.markdown}\n${encodeProof(claim, form)}\n`
    const { server, publish, collect } = await setUp(t, {
      gists: [{ id: "a1", owner: alice.id, files: { "kez.md": both } }],
    })
    assert.deepEqual(
      (await publish(secret)).outcomes.map(({ note }) => note),
      [undefined],
    )
    assert.deepEqual(server.world.gists.find(({ id }) => id === "a1")?.files, { "kez.md": both })
    assert.ok((await collect()).includes(newer.markdown))
  }
})

test("P2 publish() leaves a fork alone, in which no proof would count, and makes a new gist", async (t) => {
  const gists = [
    { id: "b1", owner: mallory.id, files: { "kez.md": older.markdown } },
    { id: "a1", owner: alice.id, files: { "kez.md": older.markdown }, forkOf: "b1" },
  ]
  const { server, publish, collect } = await setUp(t, { gists })
  const { outcomes } = await publish(secret)
  assert.equal(server.world.gists.length, 3)
  assert.deepEqual(server.world.gists[1]?.files, { "kez.md": older.markdown })
  assert.match(outcomes[0]?.url ?? "", /[0-9a-f]{32}$/)
  assert.equal(await collect(), newer.markdown)
})

test("publish() reads what is there with the token given, not at the cost of the anonymous limit", async (t) => {
  const gists = [{ id: "a1", owner: alice.id, files: { "kez.md": older.markdown } }]
  const { server, publish } = await setUp(t, { gists, anonymousLimit: 0 })
  await publish(secret)
  assert.deepEqual(server.world.gists[0]?.files, { "kez.md": newer.markdown })
})

test("unpublish() leaves what is not ours, and says what it cannot remove", async (t) => {
  const gists = [
    { id: "a1", owner: alice.id, files: { "kez.md": older.markdown, "notes.txt": "keep me" } },
    { id: "a2", owner: alice.id, files: { "proof.txt": older.compact } },
    { id: "a3", owner: alice.id, files: { "kez.md": "about kez" } },
    { id: "a4", owner: alice.id, files: { "kez.md": older.markdown }, public: false },
    { id: "b1", owner: mallory.id, files: { "kez.md": older.markdown } },
  ]
  const repos = [{ id: 5, owner: alice.id, name: "alice", readme: older.markdown }]
  const { server, unpublish } = await setUp(t, { gists, repos })
  const { outcomes } = await unpublish(secret)
  assert.deepEqual(
    server.world.gists.map(({ id, files }) => [id, Object.keys(files)]),
    [
      ["a1", ["notes.txt"]],
      ["a3", ["kez.md"]],
      ["b1", ["kez.md"]],
    ],
  )
  assert.deepEqual(outcomes.map(({ url, accepted }) => `${url.split("/").at(-1)} ${accepted}`).sort(), [
    "a1 true",
    "a2 true",
    "a4 true",
    "alice false",
  ])
})

const refusals: ReadonlyArray<readonly [string, string, RegExp]> = [
  ["ghp_mallory", "publish.credentials", /Log in as alice/],
  ["ghp_unknown", "publish.credentials", /gh auth login/],
  ["ghp_narrow", "publish.credentials", /scope gist/],
  ["", "publish.credentials", /^$/],
  ["two\r\nlines: x", "publish.credentials", /^$/],
]

for (const [token, code, hint] of refusals) {
  test(`publish() with the token ${JSON.stringify(token)} is refused with ${code} and writes nothing`, async (t) => {
    const { server, publish, unpublish } = await setUp(t)
    // Without a gist of ours there is nothing to take back, and no scope is needed.
    const acts = token === "ghp_narrow" ? [publish] : [publish, unpublish]
    for (const act of acts) {
      await assert.rejects(act(token), (error) => {
        assert.ok(error instanceof KezError)
        assert.equal(error.code, code)
        assert.match(error.hint ?? "", hint)
        assert.ok(token === "" || !`${error.message}${error.hint}`.includes(token))
        return true
      })
    }
    assert.deepEqual(server.world.gists, [])
  })
}

test("publish() works with a fine-grained token, and explains one without the permission", async (t) => {
  const { publish } = await setUp(t)
  assert.equal((await publish("github_pat_fine")).outcomes[0]?.accepted, true)
  const headers = { "x-accepted-github-permissions": "gists=write" }
  const message = "Resource not accessible by personal access token"
  const narrow = await setUp(t, {
    instead: ({ method }) => (method === "POST" ? { status: 403, headers, body: { message } } : undefined),
  })
  await assert.rejects(narrow.publish("github_pat_fine"), {
    code: "publish.credentials",
    hint: /Gists: read and write/,
  })
})

test("publish() tells a refusal, a limit and a failure apart", async (t) => {
  const answers = [
    [422, {}, "publish.refused"],
    [403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now + 60) }, "net.rate_limit"],
    [429, { "retry-after": "30" }, "net.rate_limit"],
    [502, {}, "net.status"],
    [302, { location: "https://api.github.com/elsewhere" }, "net.redirect"],
  ] as const
  for (const [status, headers, code] of answers) {
    const { publish } = await setUp(t, {
      instead: ({ method }) =>
        method === "POST" ? { status, headers, body: { message: "Validation Failed" } } : undefined,
    })
    await assert.rejects(publish(secret), { code })
  }
})

test("publish() refuses a text that is too long before anything is written", async (t) => {
  const { server, publish } = await setUp(t)
  await assert.rejects(publish(secret, { ...newer, markdown: "x".repeat(262_145) }), { code: "publish.too_long" })
  assert.deepEqual(server.world.gists, [])
})

test("publish() adds no second proof when it cannot read the first", async (t) => {
  const gists = [{ id: "a1", owner: alice.id, files: { "kez.md": older.markdown } }]
  const { server, publish } = await setUp(t, {
    gists,
    instead: ({ path }) => (path === "/gists/a1" ? { status: 500 } : undefined),
  })
  await assert.rejects(publish(secret), { code: "net.status" })
  assert.equal(server.world.gists.length, 1)
})

test("N18 publish() sends the token to the API alone", async (t) => {
  const { server, publish } = await setUp(t)
  await publish(secret, older)
  await publish(secret)
  for (const { host, authorization } of server.asked) {
    assert.equal(authorization, host === "api" ? `Bearer ${secret}` : undefined)
  }
})

test("kez verify id github:alice is proven, with the server in the place of GitHub", async (t) => {
  const { server, publish } = await setUp(t)
  await publish(secret)
  const home = mkdtempSync(join(tmpdir(), "kez-github-"))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const hosts = Object.entries(server.hosts).map(([host, base]) => `"${host}" = "${base}"`)
  mkdirSync(join(home, "kez"), { recursive: true })
  writeFileSync(join(home, "kez", "config.toml"), `[hosts]\n${hosts.join("\n")}\n`)
  const env = { KEZ_HOME: join(home, "kez") }
  const { code, stdout, stderr } = await runKez(["verify", "id", "github:Alice", "--json"], { env })
  assert.equal(code, 0, stdout + stderr)
  const { status, subject, primary } = JSON.parse(stdout).data
  assert.deepEqual([status, subject, primary], ["valid", "github:alice", signer.key])
  server.world.gists.length = 0
  const lost = await runKez(["verify", "id", "github:alice", "--json"], { env })
  const { data } = JSON.parse(lost.stdout)
  assert.deepEqual([data.status, data.reason], ["invalid", "proof.not_found"])
})

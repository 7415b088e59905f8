/** `kez claim publish` and `unpublish` at GitHub, as people run them, and what others then see. SPEC §7.3 */
import assert from "node:assert/strict"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { type TestContext, test } from "node:test"
import { type GithubServer, type GithubServerOptions, startGithubServer } from "../support/github-server.ts"
import { makePerson, type Person } from "../support/person.ts"
import { findServer, skipWithout } from "../support/servers.ts"

const subject = "github:alice"
const secret = "ghp_theSecretOfAlice"
const tokens = {
  [secret]: { user: 1001, scopes: ["gist"] },
  ghp_narrow: { user: 1001, scopes: ["repo"] },
  ghp_mallory: { user: 6660, scopes: ["gist"] },
}

interface Stage {
  readonly server: GithubServer
  readonly owner: Person
  readonly reader: Person
  /** `--credential-file` and a file with the token. */
  readonly token: readonly string[]
  publish(...more: readonly string[]): ReturnType<Person["json"]>
  /** What the reader finds. */
  verify(...more: readonly string[]): ReturnType<Person["json"]>
}

async function setUp(t: TestContext, options: GithubServerOptions = {}): Promise<Stage> {
  const users = [
    { id: 1001, login: "Alice" },
    { id: 6660, login: "mallory" },
    { id: 9919, login: "github" },
  ]
  const server = await startGithubServer({ users, tokens, anonymousLimit: 1_000, ...options })
  t.after(() => server.close())
  const owner = await makePerson(t, { hosts: server.hosts, holds: "ed25519" })
  const reader = await makePerson(t, { hosts: server.hosts })
  const token = ["--credential-file", owner.file("token", `${secret}\n`)]
  return {
    server,
    owner,
    reader,
    token,
    publish: (...more) => owner.json(["claim", "publish", subject, ...token, ...more]),
    verify: (...more) => reader.json(["verify", "id", subject, ...more]),
  }
}

async function entryOf(owner: Person) {
  const { data } = await owner.json(["sigchain", "show"])
  return data.subjects.find((one: { subject: string }) => one.subject === subject)
}

/** Nothing of the owner's was signed: no claim, no chain, no store. */
function assertUntouched({ home }: Person): void {
  assert.equal(existsSync(join(home, "kez.db")), false)
}

test("published, proven to everybody, published again for nothing, taken back, and revoked", async (t) => {
  const { server, owner, token, publish, verify } = await setUp(t)
  const first = await publish()
  assert.equal(first.code, 0, first.error?.message)
  assert.equal(first.schema, "kez.publish/1")
  const { place, form, outcomes, verdict, events, claim } = first.data
  assert.deepEqual([place, form, verdict.status, events.length], ["gist", "markdown", "valid", 1])
  assert.match(outcomes[0].url, /^https:\/\/gist\.github\.com\/Alice\/[0-9a-f]{32}$/)
  const [gist] = server.world.gists
  assert.equal(gist?.public, true)
  assert.match(gist?.files["kez.md"] ?? "", /```kez/)
  const { status, subject_id, proof } = await entryOf(owner)
  assert.deepEqual({ status, subject_id, proof }, { status: "active", subject_id: "1001", proof: claim })

  const seen = await verify()
  assert.deepEqual([seen.code, seen.data.status, seen.data.primary], [0, "valid", owner.key])
  assert.deepEqual(seen.data.flags, ["no_chain"])

  server.forgetRequests()
  const again = await publish()
  assert.deepEqual([again.code, again.data.claim, again.data.events], [0, claim, []])
  assert.equal(
    server.asked.some(({ method }) => method !== "GET"),
    false,
    "what stands there already is left alone",
  )
  assert.equal(server.world.gists.length, 1)

  const gone = await owner.json(["claim", "unpublish", subject, ...token])
  assert.deepEqual([gone.code, gone.data.still_seen, gone.data.outcomes.length], [0, false, 1])
  assert.deepEqual(server.world.gists, [])
  const missing = await verify()
  assert.deepEqual([missing.code, missing.data.reason], [14, "proof.not_found"])
  const nothing = await owner.json(["claim", "unpublish", subject, ...token])
  assert.deepEqual([nothing.code, nothing.data.outcomes, nothing.data.still_seen], [0, [], false])

  assert.equal((await owner.kez(["sigchain", "revoke", subject])).code, 0)
  const chain = join(owner.dir, "chain.jsonl")
  assert.equal((await owner.kez(["sigchain", "export", "--out", chain])).code, 0)
  const revoked = await verify("--chain", chain)
  assert.deepEqual([revoked.code, revoked.data.status, revoked.data.primary], [11, "revoked", owner.key])
  assert.equal((await owner.kez(["verify", "id", subject])).code, 11)

  const back = await publish()
  assert.deepEqual([back.code, back.data.verdict.status, back.data.events.length], [0, "valid", 1])
  assert.notEqual(back.data.claim, claim, "after a revocation only a new claim counts")
  assert.equal((await verify()).code, 11, "the chain that the reader holds says revoked")
  await owner.kez(["sigchain", "export", "--out", chain, "--force"])
  assert.equal((await verify("--chain", chain)).code, 0)
})

test("what people read is a few lines, results on stdout and the rest on stderr", async (t) => {
  const { owner, token } = await setUp(t)
  const { code, stdout, stderr } = await owner.kez(["claim", "publish", "github:Alice", ...token])
  assert.equal(code, 0)
  assert.match(stdout, /^✓ https:\/\/gist\.github\.com\/Alice\/\w+\n✓ github:alice {2}proven {2}by ed25519:/)
  assert.match(stdout, /\n✓ github:alice is listed as event 0 of your chain\n$/)
  assert.doesNotMatch(stdout, /looked at/)
  assert.match(stderr, /^kez: warning: this began a new chain/m)
  assert.match(stderr, /^Next: publish the chain: kez sigchain publish/m)
  const quiet = await owner.kez(["claim", "publish", subject, ...token, "--quiet"])
  assert.deepEqual([quiet.code, quiet.stderr], [0, ""])
  await owner.kez(["claim", "unpublish", subject, ...token])
  await owner.kez(["sigchain", "revoke", subject])
  const back = await owner.kez(["claim", "publish", subject, ...token])
  assert.match(back.stdout, /listed as event 2 of your chain, again after it was revoked\n$/)
})

for (const [about, token, code, exit] of [
  ["no token", undefined, "input.missing", 2],
  ["a wrong token", "ghp_unknown", "publish.credentials", 4],
  ["the token of somebody else", "ghp_mallory", "publish.credentials", 4],
  ["a file that holds no token", "two\nlines", "publish.credentials", 4],
] as const) {
  test(`${about}: ${code} with exit ${exit}, and nothing is left behind`, async (t) => {
    const { server, owner } = await setUp(t)
    const given = token === undefined ? [] : ["--credential-file", owner.file("wrong", token)]
    const { error, ...answer } = await owner.json(["claim", "publish", subject, ...given])
    assert.deepEqual([answer.code, error.code], [exit, code])
    if (token === undefined) assert.match(error.hint ?? "", /gh auth login.*GH_TOKEN.*--credential-file/)
    else assert.ok(!`${error.message}${error.hint}${answer.stderr}`.includes(token))
    assert.deepEqual(server.world.gists, [])
    assertUntouched(owner)
  })
}

test("a token that may not write gists, and a GitHub that is down, publish nothing and list nothing", async (t) => {
  let isDown = false
  const { owner, publish } = await setUp(t, { instead: () => (isDown ? { status: 503 } : undefined) })
  const narrow = ["--credential-file", owner.file("narrow", "ghp_narrow")]
  const refused = await owner.json(["claim", "publish", subject, ...narrow])
  assert.deepEqual([refused.code, refused.error.code], [4, "publish.credentials"])
  isDown = true
  const down = await publish()
  assert.deepEqual([down.code, down.error.code], [5, "net.status"])
  assert.equal((await owner.json(["sigchain", "show"])).error.code, "chain.unknown")
})

test("without an identity there is nothing to publish: store.unknown, and nobody is asked", async (t) => {
  const { server, reader, token } = await setUp(t)
  const { error } = await reader.json(["claim", "publish", subject, ...token])
  assert.equal(error.code, "store.unknown")
  assert.deepEqual(server.asked, [])
})

test("the login of gh serves without a token typed, and the token is shown and kept nowhere", {
  skip: skipWithout("gh"),
}, async (t) => {
  const { server, owner } = await setUp(t)
  const config = join(owner.dir, "gh")
  mkdirSync(config)
  const login = (host: string) => `"${host}":\n    user: Alice\n    oauth_token: ${secret}\n`
  writeFileSync(join(config, "hosts.yml"), login("github.com"))
  const path = [dirname(findServer("gh") ?? ""), process.env["PATH"]].join(":")
  const env = { GH_CONFIG_DIR: config, GH_NO_UPDATE_NOTIFIER: "1", PATH: path }
  const seen = watchCommandLines(t)
  const elsewhere = await owner.json(["claim", "publish", subject], { env })
  assert.equal(elsewhere.error.code, "input.missing", "a login at github.com is not for what stands in its place")
  const [base = ""] = Object.values(server.hosts)
  writeFileSync(join(config, "hosts.yml"), login(new URL(base).host))
  const told = await owner.kez(["claim", "publish", subject, "--debug"], { env })
  assert.equal(told.code, 0, told.stderr)
  assert.match(told.stderr, /^kez: with the login of gh$/m)
  assert.equal(server.world.gists.length, 1)
  const failed = await owner.kez(["claim", "publish", "github:mallory", "--debug"], { env })
  assert.equal(failed.code, 4)
  for (const { stdout, stderr } of [told, failed]) assert.ok(!`${stdout}${stderr}`.includes(secret))
  assert.equal(owner.keeps(secret), true, "gh keeps it")
  writeFileSync(join(config, "hosts.yml"), "")
  assert.equal(owner.keeps(secret), false, "and nobody else")
  assert.deepEqual(
    seen().filter((line) => line.includes(secret)),
    [],
  )
  assert.ok(
    seen().some((line) => line.includes("claim publish")),
    "the commands were seen at all",
  )
})

test("a proof that is not seen is publish.unconfirmed, is not listed, and is listed when the command runs again", async (t) => {
  let isHidden = true
  const { server, owner, publish } = await setUp(t, {
    instead: ({ method, path }) =>
      isHidden && method === "GET" && path.startsWith("/users/alice/gists") ? { status: 200, body: [] } : undefined,
  })
  const began = performance.now()
  const once = await publish("--wait", "0")
  assert.deepEqual([once.code, once.error.code], [5, "publish.unconfirmed"])
  assert.match(once.error.hint ?? "", /no public gist is newer than this claim: is it secret\?/)
  assert.ok(performance.now() - began < 10_000)
  const { code, stdout, stderr } = await owner.kez([
    ...["claim", "publish", subject, "--wait", "1", "--credential-file"],
    owner.file("again", secret),
  ])
  assert.deepEqual([code, stdout], [5, ""])
  assert.match(stderr, /^kez: published at https:\/\/gist\.github\.com\/Alice\/\w+\nkez: not seen there yet; looking/m)
  assert.equal((await owner.json(["sigchain", "show"])).error.code, "chain.unknown")
  isHidden = false
  const seen = await publish()
  assert.deepEqual([seen.code, seen.data.outcomes[0].note], [0, "it stood there already"])
  assert.equal(server.world.gists.length, 1)
  assert.equal((await entryOf(owner)).status, "active")
})

test("a chain with an undecided fork publishes nothing: chain.fork with exit 13", async (t) => {
  const { server, owner, publish, token } = await setUp(t)
  // The same key on another computer, which did not know of the first chain's newest event.
  await owner.kez(["sigchain", "add", "dns:example.org"])
  const old = (await owner.kez(["sigchain", "export"])).stdout
  await owner.kez(["sigchain", "add", "dns:one.example"])
  const other = await makePerson(t, { hosts: server.hosts })
  const key = join(owner.home, "keys", "me.key")
  await other.kez(["sigchain", "import", "-"], { input: old })
  await other.kez(["sigchain", "add", "dns:two.example", "--key-file", key])
  const contrary = await other.kez(["sigchain", "export", owner.key])
  assert.equal(contrary.code, 0, contrary.stderr)
  assert.equal((await owner.json(["sigchain", "import", "-"], { input: contrary.stdout })).data.status, "fork")
  const { code, error } = await publish()
  assert.deepEqual([code, error.code], [13, "chain.fork"])
  assert.match(error.hint ?? "", /kez sigchain settle/)
  assert.deepEqual(server.world.gists, [])
  assert.equal((await owner.kez(["claim", "unpublish", subject, ...token])).code, 0, "taking back needs no chain")
})

test("a README is named and left, and the command says that the proof is still seen", async (t) => {
  const { server, owner, token, publish } = await setUp(t)
  await publish()
  const readme = server.world.gists[0]?.files["kez.md"] ?? ""
  server.world.repos.push({ id: 5, owner: 1001, name: "alice", readme })
  const { code, data } = await owner.json(["claim", "unpublish", subject, ...token])
  assert.deepEqual([code, data.still_seen], [1, true])
  assert.deepEqual(
    data.outcomes.map(({ accepted }: { accepted: boolean }) => accepted),
    [true, false],
  )
  const text = await owner.kez(["claim", "unpublish", subject, ...token])
  assert.match(text.stdout, /README: remove it by hand\n✕ github:alice still shows a proof of yours: see above\n$/)
})

test("options that would do nothing are refused before anybody is asked", async (t) => {
  const { server, publish } = await setUp(t)
  for (const more of [
    ["--place", "post"],
    ["--wait", "x"],
    ["--name-server", "127.0.0.1"],
    ["--chain-hint", "http://example.org/chain"],
  ]) {
    const { code, error } = await publish(...more)
    assert.deepEqual([code, error.code], [2, "usage"], more.join(" "))
  }
  assert.deepEqual(server.asked, [])
})

/** Every command line of this system while the test runs, as `ps` would show them. */
function watchCommandLines(t: TestContext): () => readonly string[] {
  const seen = new Set<string>()
  const look = (): void => {
    if (!existsSync("/proc/self/cmdline")) return void seen.add("claim publish")
    for (const pid of readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name))) {
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "))
      } catch {
        // It ended meanwhile.
      }
    }
  }
  const timer = setInterval(look, 5)
  t.after(() => clearInterval(timer))
  return () => [...seen]
}

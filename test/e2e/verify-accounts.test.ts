/** `kez verify id` of several accounts, of accounts that changed hands, on bad days of a platform, and `--watch`. SPEC §6, VER-9, VER-14 */
import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { type TestContext, test } from "node:test"
import { createSigner, encodeProof, signClaim } from "../../packages/core/src/index.ts"
import { type GithubServerOptions, startGithubServer } from "../support/github-server.ts"
import { startHandlesServer } from "../support/kez-handles-server.ts"
import { makePerson, type Person } from "../support/person.ts"

const main = join(import.meta.dirname, "../../apps/cli/src/main.ts")
const signer = createSigner("ed25519", new Uint8Array(32).fill(1))
const github = { id: 9919, login: "github" }

async function gistOf(login: string, owner: number, by = signer, expiresAt?: number) {
  const createdAt = Math.floor(Date.now() / 1000) - 9_000
  const claim = await signClaim(
    { subject: `github:${login}`, createdAt, ...(expiresAt === undefined ? {} : { expiresAt }) },
    by,
  )
  return { id: `${owner}${login}`, owner, files: { "kez.md": encodeProof(claim, "markdown") } }
}

async function setUp(t: TestContext, options: GithubServerOptions = {}) {
  const users = [{ id: 1, login: "alice" }, { id: 2, login: "bob" }, { id: 3, login: "carol" }, github]
  const server = await startGithubServer({ users, anonymousLimit: 1_000, ...options })
  t.after(() => server.close())
  const person = (hosts = {}) => makePerson(t, { hosts: { ...server.hosts, ...hosts } })
  return { server, person, reader: await person() }
}

const verify = (reader: Person, ...more: readonly string[]) => reader.json(["verify", "id", ...more])

test("several accounts: in the order asked, each once, and the exit code of the worst", async (t) => {
  const past = Math.floor(Date.now() / 1000) - 60
  const gists = [await gistOf("alice", 1), await gistOf("bob", 2, signer, past)]
  const { server, person } = await setUp(t, { gists })
  const handles = await startHandlesServer()
  t.after(() => handles.close())
  handles.setPath("/livez", { status: 503 })
  const reader = await person({ "chat.test": handles.origin })
  const asked = ["github:bob", "kez:nobody@chat.test", "github:Alice", "github:carol", "github:bob"]
  const { code, schema, data } = await verify(reader, ...asked)
  assert.deepEqual([code, schema, data.valid, data.total], [12, "kez.verdicts/1", 1, 4])
  assert.deepEqual(
    data.verdicts.map(({ subject, status, reason }: Record<string, unknown>) => [subject, status, reason]),
    [
      ["github:bob", "expired", "claim.expired"],
      ["kez:nobody@chat.test", "unreachable", "channel.down"],
      ["github:alice", "valid", null],
      ["github:carol", "invalid", "proof.not_found"],
    ],
  )
  assert.equal((await verify(reader, "github:alice", "github:carol")).code, 14)
  assert.equal((await verify(reader, "github:alice", "kez:nobody@chat.test")).code, 5)
  const text = await reader.kez(["verify", "id", "github:carol", "github:alice"])
  assert.match(
    text.stdout,
    /^✕ github:carol {2}not found[\s\S]+\n\n✓ github:alice {2}proven[\s\S]+\n\n1 of 2 accounts proven\n$/,
  )
  assert.ok(server.mostAtOnce <= 2)
})

test("who waits for many accounts is told how far it is, and not with --quiet", async (t) => {
  const users = Array.from({ length: 21 }, (_, at) => ({ id: at + 1, login: `user${at}` }))
  const { reader } = await setUp(t, { users: [...users, github] })
  const subjects = users.map(({ login }) => `github:${login}`)
  const { code, stderr, stdout } = await reader.kez(["verify", "id", ...subjects])
  assert.equal(code, 14)
  assert.match(stderr, /^kez: 10 of 21\nkez: 20 of 21\n$/)
  assert.match(stdout, /\n\n0 of 21 accounts proven\n$/)
  assert.equal((await reader.kez(["verify", "id", ...subjects, "--quiet"])).stderr, "")
})

test("P3 a login that was given up and taken by somebody is account.changed, until the reader accepts it", async (t) => {
  const { server, reader } = await setUp(t, { gists: [await gistOf("alice", 1)] })
  assert.equal((await verify(reader, "github:alice")).code, 0)
  const [alice] = server.world.users
  assert.ok(alice)
  alice.login = "alice-left"
  server.world.users.push({ id: 66, login: "alice" })
  const empty = await verify(reader, "github:alice")
  assert.deepEqual([empty.code, empty.data.reason, empty.data.last_proven.account_id], [10, "account.changed", "1"])
  // The new owner publishes a proof of their own, right in every other way.
  const thief = createSigner("ed25519", new Uint8Array(32).fill(66))
  server.world.gists.push(await gistOf("alice", 66, thief))
  const taken = await verify(reader, "github:alice")
  assert.deepEqual([taken.code, taken.data.status, taken.data.reason], [10, "invalid", "account.changed"])
  const text = await reader.kez(["verify", "id", "github:alice"])
  assert.match(
    text.stderr,
    /^Next: if its owner told you so in person: kez verify id github:alice --accept-new-account$/m,
  )
  const accepted = await verify(reader, "github:alice", "--accept-new-account")
  assert.deepEqual([accepted.code, accepted.data.primary], [0, thief.key])
  const after = await verify(reader, "github:alice")
  assert.deepEqual([after.code, after.data.last_proven.account_id], [0, "66"])
})

test("an account that has another name now is account.renamed, and the name is told", async (t) => {
  const { server, reader } = await setUp(t, { gists: [await gistOf("alice", 1)] })
  assert.equal((await verify(reader, "github:alice")).code, 0)
  const [alice] = server.world.users
  assert.ok(alice)
  alice.login = "alice2"
  const { code, data } = await verify(reader, "github:alice")
  assert.deepEqual([code, data.reason], [10, "account.renamed"])
  assert.ok(data.evidence.some(({ note }: { note?: string }) => note?.includes("alice2")))
})

test("a platform that lost even its canary is channel.down for everybody, and nobody is told to be unproven", async (t) => {
  const { server, reader } = await setUp(t, { gists: [await gistOf("alice", 1)] })
  assert.equal((await verify(reader, "github:alice")).code, 0)
  server.world.users.length = 0
  const { code, data } = await verify(reader, "github:alice", "github:bob")
  assert.equal(code, 5)
  for (const { status, reason, channel } of data.verdicts) {
    assert.deepEqual([status, reason, channel.ok], ["unreachable", "channel.down", false])
  }
  assert.equal(data.verdicts[0].last_proven.account_id, "1")
  const text = await reader.kez(["verify", "id", "github:alice"])
  assert.match(text.stdout, /^◌ github:alice {2}unreachable \(channel\)/)
})

interface Watching {
  readonly child: ChildProcess
  /** The next line of stdout. */
  next(): Promise<string>
  readonly told: () => string
}

function watch(t: TestContext, reader: Person, ...more: readonly string[]): Watching {
  const env = { PATH: process.env["PATH"], KEZ_HOME: reader.home, HOME: reader.dir, NO_COLOR: "1", TZ: "UTC" }
  const args = [main, "verify", "id", ...more, "--watch", "5"]
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] })
  t.after(() => void child.kill("SIGKILL"))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  let told = ""
  child.stderr.on("data", (bytes: Buffer) => {
    told += bytes
  })
  const next = async (): Promise<string> => String((await lines.next()).value)
  return { child, next, told: () => told }
}

async function interrupt({ child }: Watching): Promise<void> {
  child.kill("SIGINT")
  const [code, signal] = await once(child, "exit")
  assert.ok(signal === "SIGINT" || code === 130, `${code} ${signal}`)
}

test("--watch says how it is, then only what changed, as text and as an object a line, until Ctrl-C", async (t) => {
  const gist = await gistOf("alice", 1)
  const { server, reader } = await setUp(t, { gists: [gist, await gistOf("bob", 2)] })
  const [text, json] = [watch(t, reader, "github:alice", "github:bob"), watch(t, reader, "github:alice", "--json")]
  assert.match(await text.next(), /^✓ github:alice {2}proven/)
  const first = JSON.parse(await json.next())
  assert.deepEqual([first.schema, first.data.status], ["kez.verify/1", "valid"])
  server.world.gists.splice(0, 1)
  const second = JSON.parse(await json.next())
  assert.deepEqual(
    [second.schema, second.data.status, second.data.reason],
    ["kez.verify/1", "invalid", "proof.not_found"],
  )
  let line = await text.next()
  const seen = [line]
  while (!line.startsWith("✕ github:alice")) {
    line = await text.next()
    seen.push(line)
  }
  assert.equal(seen.filter((one) => one.startsWith("✓ github:bob")).length, 1, "what did not change is told once")
  assert.match(
    text.told(),
    /^kez: looking every 5 s; Ctrl-C ends it\nkez: changed at \d{4}-\S+ \S+ UTC: github:alice\n$/,
  )
  assert.equal(json.told(), "")
  await Promise.all([interrupt(text), interrupt(json)])
})

test("--watch takes 5 seconds to a day", async (t) => {
  const { server, reader } = await setUp(t)
  for (const seconds of ["4", "86401", "x"]) {
    const { code, error } = await verify(reader, "github:alice", "--watch", seconds)
    assert.deepEqual([code, error.code], [2, "usage"], seconds)
  }
  assert.deepEqual(server.asked, [])
})

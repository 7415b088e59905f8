/** The kez command and a real kez-sig-server, as people run both: what one publishes the others see. SPEC §6, §8 */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { type TestContext, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { startGithubServer } from "../support/github-server.ts"
import { makePerson, type Person, type PersonSetup } from "../support/person.ts"
import { type SigServer, startSigServer } from "../support/sig-server.ts"

const main = join(import.meta.dirname, "../../apps/cli/src/main.ts")
const domain = "dns:mira.dev"

async function ok(person: Person, ...args: readonly string[]) {
  const answer = await person.json(args)
  assert.equal(answer.code, 0, JSON.stringify(answer))
  return answer.data
}

async function verify(reader: Person, claim: string, ...more: readonly string[]) {
  const { code, data } = await reader.json(["verify", "file", claim, "--timeout", "3", ...more])
  return { code, status: data.status, reason: data.reason, flags: data.flags, head: data.chain?.head ?? null }
}

/** An owner with a claim and a chain of one event, and what they published at a store. */
async function setUp(t: TestContext, setup: PersonSetup = {}) {
  const server = await startSigServer(t)
  const owner = await makePerson(t, { holds: "ed25519", stores: [server.url], ...setup })
  const claim = owner.file("claim.md", "")
  await ok(owner, "claim", "create", domain, "--out", claim, "--force")
  await ok(owner, "sigchain", "add", domain)
  const { chain, places } = await ok(owner, "sigchain", "publish")
  assert.deepEqual([places[0].state, places[0].sent, places[0].missing], ["whole", 1, 0])
  assert.ok(places[0].head_until)
  return { server, owner, claim, chain: String(chain) }
}

function post(server: SigServer, path: string, body: string): Promise<Response> {
  return fetch(`${server.url}/v1/chains/${path}`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json" },
  })
}

test("an account whose proof is a reference is proven through the store, and revoked for everybody by one publish", async (t) => {
  const gist = { id: "a".repeat(32), owner: 1001, files: { "kez.md": "nothing yet" } }
  const users = [
    { id: 1001, login: "Mira" },
    { id: 9919, login: "github", type: "Organization" as const },
  ]
  const github = await startGithubServer({ users, gists: [gist] })
  t.after(() => github.close())
  const server = await startSigServer(t)
  const setup = { hosts: github.hosts, stores: [server.url] }
  const owner = await makePerson(t, { holds: "ed25519", ...setup })
  const subject = "github:mira"
  await ok(owner, "sigchain", "add", subject, "--subject-id", "1001")
  const { text } = await ok(owner, "claim", "create", subject, "--format", "reference")
  gist.files = { "kez.md": String(text) }
  const seen = async () => {
    const reader = await makePerson(t, setup)
    const { code, data } = await reader.json(["verify", "id", subject, "--timeout", "3"])
    return [code, data.status, data.reason]
  }
  assert.equal((await seen())[1], "invalid", "nobody has the chain yet")
  await ok(owner, "sigchain", "publish")
  assert.deepEqual(await seen(), [0, "valid", null])
  const early = await makePerson(t, setup)
  assert.equal((await early.json(["verify", "id", subject])).code, 0)
  await ok(owner, "sigchain", "revoke", subject)
  await ok(owner, "sigchain", "publish")
  assert.deepEqual(await seen(), [11, "revoked", "claim.revoked"])
  assert.equal((await early.json(["verify", "id", subject])).code, 11)
})

test("publish sends what is lacking and no more; fetch brings a chain by key and by id, and watch tells of a revocation within a second", async (t) => {
  const { server, owner, chain, claim } = await setUp(t)
  assert.equal((await ok(owner, "sigchain", "publish")).places[0].sent, 0)
  const reader = await makePerson(t, { stores: [server.url] })
  assert.equal((await verify(reader, claim, "--fresh")).status, "valid")
  const [other, third] = [await makePerson(t), await makePerson(t)]
  const fetched = await ok(other, "sigchain", "fetch", chain, "--from", server.url)
  assert.deepEqual([fetched.added, fetched.chains[0].chain, fetched.chains[0].status], [1, chain, "ok"])
  assert.equal((await ok(third, "sigchain", "fetch", owner.key, "--store", server.url)).chains[0].primary, owner.key)
  const none = await third.json(["sigchain", "fetch", `sha256:${"0".repeat(64)}`, "--store", server.url])
  assert.equal(none.error.code, "chain.unknown")

  const env = { PATH: process.env["PATH"], KEZ_HOME: reader.home, HOME: reader.dir, NO_COLOR: "1", TZ: "UTC" }
  const child = spawn(process.execPath, [main, "sigchain", "watch", owner.key, "--json"], { env })
  t.after(() => void child.kill("SIGKILL"))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const next = async () => JSON.parse(String((await lines.next()).value)).data
  assert.equal((await next()).head.seq, 0)
  await until(async () => /^kez_sig_streams 1$/m.test(await (await fetch(`${server.metricsUrl}/metrics`)).text()))
  await ok(owner, "sigchain", "revoke", domain)
  const { text } = await ok(owner, "sigchain", "export")
  const began = performance.now()
  assert.equal((await post(server, `${chain}/events`, String(text).trimEnd().split("\n").at(-1) ?? "")).status, 201)
  const { events, head } = await next()
  const tookMs = performance.now() - began
  assert.deepEqual([events[0].op, events[0].payload.subject, head.seq], ["revoke", domain, 1])
  assert.ok(tookMs < 1_000, `${tookMs} ms`)
  assert.equal((await verify(reader, claim)).code, 11)
})

test("a store with a limit asks the owner to wait, and the rest goes another time; a mirror refuses in words", async (t) => {
  const tight = await startSigServer(t, { args: ["--chain-burst", "2", "--chain-per-hour", "1"] })
  const mirror = await startSigServer(t, { args: ["--mirror", tight.url] })
  const owner = await makePerson(t, { holds: "ed25519", stores: [tight.url] })
  for (const name of ["a", "b", "c", "d", "e"]) await ok(owner, "sigchain", "add", `github:${name}`)
  const { places } = (await owner.json(["sigchain", "publish"])).data
  assert.deepEqual([places[0].state, places[0].code], ["part", "net.rate_limit"])
  assert.ok(places[0].sent > 0 && places[0].missing > 0)
  const refused = (await owner.json(["sigchain", "publish", "--store", mirror.url])).data.places[0]
  assert.equal(refused.code, "publish.refused")
})

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await what()); tries++) {
    assert.ok(tries < 200, "it never happened")
    await sleep(25)
  }
}

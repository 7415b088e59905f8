/** `kez sigchain watch`, and the chain on the web, in zones, on nostr and in graphs. SPEC §7.4, §8 */
import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { type TestContext, test } from "node:test"
import { parseChain } from "../../packages/core/src/index.ts"
import { type ChainStore, startChainStore } from "../support/chain-store.ts"
import { startScriptedRelay } from "../support/nostr-client.ts"
import { makePerson, type Person, type PersonSetup } from "../support/person.ts"

const main = join(import.meta.dirname, "../../apps/cli/src/main.ts")

async function ok(person: Person, ...args: readonly string[]) {
  const answer = await person.json(args)
  assert.equal(answer.code, 0, JSON.stringify(answer))
  return answer.data
}

async function setUp(t: TestContext, setup: PersonSetup = {}) {
  const store = await startChainStore(t)
  const owner = await makePerson(t, { holds: "ed25519", stores: [store.url], ...setup })
  await ok(owner, "sigchain", "add", "dns:mira.dev")
  const { chain } = await ok(owner, "sigchain", "publish")
  return { store, owner, chain: String(chain) }
}

/** The event of the owner's that is not in the store yet. */
async function newest(owner: Person) {
  const { text } = await ok(owner, "sigchain", "export")
  const event = parseChain(String(text)).at(-1)
  assert.ok(event)
  return event
}

function watch(t: TestContext, reader: Person, ...more: readonly string[]) {
  const env = { PATH: process.env["PATH"], KEZ_HOME: reader.home, HOME: reader.dir, NO_COLOR: "1", TZ: "UTC" }
  const args = [main, "sigchain", "watch", ...more]
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] })
  t.after(() => void child.kill("SIGKILL"))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const notes = createInterface(child.stderr)[Symbol.asyncIterator]()
  return {
    child,
    next: async () => String((await lines.next()).value),
    note: async () => String((await notes.next()).value),
  }
}

async function interrupt(child: ChildProcess): Promise<void> {
  child.kill("SIGINT")
  await once(child, "exit")
}

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    assert.ok(tries < 200, "it never happened")
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

test("watch sees a revocation in under a second, and goes on after the connection is cut", async (t) => {
  const { store, owner, chain } = await setUp(t)
  const reader = await makePerson(t, { stores: [store.url] })
  const { next, child } = watch(t, reader, chain, "--json")
  const first = JSON.parse(await next())
  assert.deepEqual([first.schema, first.data.chain, first.data.events.length], ["kez.chain_change/1", chain, 0])
  await until(() => store.streams.size === 1)
  await ok(owner, "sigchain", "revoke", "dns:mira.dev")
  const event = await newest(owner)
  const began = performance.now()
  store.put(event)
  const { data } = JSON.parse(await next())
  const tookMs = performance.now() - began
  assert.deepEqual([data.events[0].op, data.events[0].payload.subject, data.head.seq], ["revoke", "dns:mira.dev", 1])
  assert.ok(tookMs < 1_000, `${tookMs} ms`)
  // What happens while nobody is connected is told afterwards.
  store.cut()
  await ok(owner, "sigchain", "add", "github:mira")
  store.put(await newest(owner))
  assert.equal(JSON.parse(await next()).data.events[0].op, "add")
  await until(() => store.streams.size === 1)
  await interrupt(child)
  assert.ok(store.asked.filter((one) => one.endsWith("/stream")).length >= 2)
})

test("watch in text says what it follows, one event a line, and what a store does wrong once", async (t) => {
  const { store, owner } = await setUp(t)
  const reader = await makePerson(t, { stores: [store.url, "http://127.0.0.1:9"] })
  const { next, note, child } = watch(t, reader, owner.key)
  assert.match(await next(), /^ed25519:[0-9a-f]+: ✓ one history, event 0$/)
  const notes = [await note(), await note()].sort()
  assert.match(
    notes[0] ?? "",
    /^kez: Cannot fetch from 127.0.0.1:9: .*\[net.refused\]; trying again until it answers$|^kez: Cannot follow/,
  )
  assert.equal(notes[1], `kez: following ${store.url}`)
  await until(() => store.streams.size === 1)
  await ok(owner, "sigchain", "revoke", "dns:mira.dev")
  store.put(await newest(owner))
  assert.match(await next(), /^20\S+Z {2}event 1 {2}revoke {2}dns:mira.dev {2}by ed25519:/)
  await interrupt(child)
})

test("publish writes the chain for a web server, whole, and takes in what another computer put there", async (t) => {
  const { owner } = await setUp(t)
  const dir = join(owner.dir, "www")
  const file = join(dir, ".well-known", "kez-sigchain.jsonl")
  const missing = await owner.json(["sigchain", "publish", "--web", dir])
  assert.deepEqual([missing.code, missing.error.code], [2, "usage"])
  mkdirSync(dir)
  const first = await ok(owner, "sigchain", "publish", "--web", dir)
  assert.deepEqual([first.places.length, first.places[0].to, first.places[0].sent], [1, "web", 1])
  assert.equal(readFileSync(file, "utf8"), (await ok(owner, "sigchain", "export")).text)
  assert.equal((await ok(owner, "sigchain", "publish", "--web", dir)).places[0].sent, 0)
  const twin = await makePerson(t)
  await ok(twin, "sigchain", "import", file)
  const key = twin.file("key", readFileSync(join(owner.home, "keys", "me.key"), "utf8"))
  await ok(twin, "sigchain", "add", "github:elsewhere", "--key-file", key)
  writeFileSync(file, (await ok(twin, "sigchain", "export", owner.key)).text)
  const again = await ok(owner, "sigchain", "publish", "--web", dir)
  assert.deepEqual([again.brought, again.head.seq, again.status], [1, 1, "ok"])
  assert.deepEqual(readdirSync(join(dir, ".well-known")), ["kez-sigchain.jsonl"])
})

test("publish --to dns prints a line for each domain of the chain", async (t) => {
  const { owner, chain } = await setUp(t)
  const named = await owner.kez(["sigchain", "publish", "--to", "dns", "--url", "https://mira.dev/chain"])
  assert.match(named.stdout, /^_kez\.mira\.dev\. 3600 IN TXT "Chain: https:\/\/mira\.dev\/chain"\n$/)
  const byStore = await ok(
    owner,
    "sigchain",
    "publish",
    "--to",
    "dns",
    "--store",
    "https://sig.example.org",
    "--timeout",
    "1",
  )
  assert.deepEqual(byStore.zone, [`_kez.mira.dev. 3600 IN TXT "Chain: https://sig.example.org/v1/chains/${chain}"`])
})

test("publish --to nostr gives relays the chain, by which a reader without any store finds a revocation", async (t) => {
  const relay = await startScriptedRelay({})
  t.after(() => relay.close())
  const owner = await makePerson(t, { holds: "nostr", relays: [relay.url] })
  const claim = owner.file("claim.md", "")
  await ok(owner, "claim", "create", "dns:mira.dev", "--out", claim, "--force")
  await ok(owner, "sigchain", "add", "dns:mira.dev")
  await ok(owner, "sigchain", "revoke", "dns:mira.dev")
  const { places } = await ok(owner, "sigchain", "publish", "--to", "nostr")
  assert.deepEqual([places[0].place, places[0].state], [relay.url, "whole"])
  const [event] = relay.given
  assert.ok(event)
  assert.deepEqual([event.kind, event.tags], [30_078, [["d", "kez-sigchain"]]])
  assert.match(event.content, /^kez:zc1:/)
  const holding = await startScriptedRelay({ events: [event] })
  t.after(() => holding.close())
  const reader = await makePerson(t, { relays: [holding.url] })
  const { code, data } = await reader.json(["verify", "file", claim])
  assert.deepEqual([code, data.reason], [11, "claim.revoked"], JSON.stringify(data))
  // From now on the relays are expected to have it.
  const silent = await startScriptedRelay({ ends: "closed" })
  t.after(() => silent.close())
  const later = await reader.json(["verify", "file", claim], { env: { KEZ_RELAYS: silent.url } })
  assert.deepEqual([later.code, later.data.flags.includes("stale")], [11, true])
})

test("graph and fetch find the chain of a key in a store; an unknown one is chain.unknown, a silent store chain.unreachable", async (t) => {
  const { store, owner, chain } = await setUp(t)
  const reader = await makePerson(t, { stores: [store.url] })
  const graph = await ok(reader, "graph", owner.key, "--timeout", "1")
  assert.equal(graph.identity.chain.id, chain)
  const other = await makePerson(t, { stores: [store.url] })
  const fetched = await ok(other, "sigchain", "fetch", owner.key)
  assert.deepEqual([fetched.added, fetched.chains[0].chain, fetched.places[0].events], [1, chain, 1])
  const from = await makePerson(t)
  assert.equal((await ok(from, "sigchain", "fetch", chain, "--from", store.url)).added, 1)
  const strange = `ed25519:${"ab".repeat(32)}`
  const none = await other.json(["sigchain", "fetch", strange])
  assert.deepEqual([none.code, none.error.code], [1, "chain.unknown"])
  await store.close()
  const silent = await other.json(["sigchain", "fetch", strange, "--timeout", "1"])
  assert.deepEqual([silent.code, silent.error.code], [5, "chain.unreachable"])
})

/** Another computer of the owner's: the same identity, and nothing known of the chain. */
async function otherComputer(t: TestContext, owner: Person, store: ChainStore): Promise<Person> {
  const other = await makePerson(t, { stores: [store.url] })
  cpSync(owner.home, other.home, { recursive: true, filter: (path) => !/(?:kez\.db|config\.toml)/.test(path) })
  return other
}

test("verifying one's own account gives stores a head where none is in force; with a silent store, a locked key, or as a stranger nothing is signed", async (t) => {
  const { store, owner } = await setUp(t)
  const claim = owner.file("claim.md", "")
  await ok(owner, "claim", "create", "dns:mira.dev", "--out", claim, "--force")
  await ok(owner, "verify", "file", claim)
  assert.equal(store.heads.length, 1, "the one in force is good for days")
  store.heads.length = 0
  const stranger = await makePerson(t, { stores: [store.url] })
  await ok(stranger, "verify", "file", claim)
  assert.equal(store.heads.length, 0, "a stranger's chain is nobody's to sign")
  const locked = await otherComputer(t, owner, store)
  const passphrase = locked.file("passphrase", "correct horse battery\n")
  await ok(locked, "identity", "passphrase", "me", "--new-passphrase-file", passphrase)
  await ok(locked, "verify", "file", claim)
  assert.equal(store.heads.length, 0, "nobody is asked for a passphrase")
  const half = await otherComputer(t, owner, store)
  await ok(half, "verify", "file", claim, "--store", "http://127.0.0.1:9", "--timeout", "1")
  assert.equal(store.heads.length, 0, "a silent store may know more")
  const other = await otherComputer(t, owner, store)
  const { code, stderr } = await other.kez(["verify", "file", claim])
  assert.deepEqual([code, /signed anew where your chain ends; 1 of 1 stores took it/.test(stderr)], [0, true], stderr)
  const [head] = store.heads
  assert.ok(head !== undefined && Date.parse(head.payload.expires_at) - Date.now() > 6 * 86_400_000)
  await ok(other, "verify", "file", claim, "--fresh")
  assert.equal(store.heads.length, 1)
})

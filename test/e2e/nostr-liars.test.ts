/** Relays that lie, are silent or flood, beside honest ones. SPEC §7.4, adversarial cases P8 and S12. */
import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import { createNet, nostr } from "../../packages/channels/src/index.ts"
import { createAccount, forge, type Script, startScriptedRelay } from "../support/nostr-client.ts"

const signal = new AbortController().signal
const alice = createAccount(0x42)
const mallory = createAccount(0x4d)
const now = 1_800_000_000
const proof = (name: string) => `kez:z1:${name}`
const appData = { kind: 30_078, tags: [["d", "kez"]], created_at: now - 100 }

const newest = await alice.event({ ...appData, created_at: now - 10, content: proof("newest") })
const stale = await alice.event({ ...appData, content: proof("stale") })
const future = await alice.event({ ...appData, created_at: now + 301, content: proof("future") })
const foreign = await mallory.event({ ...appData, created_at: now, content: proof("foreign") })
const otherId = forge(newest, { content: proof("forged"), created_at: now })
const otherAuthor = forge(foreign, { pubkey: alice.author })
const unsigned = {
  ...(await alice.event({ ...appData, created_at: now, content: proof("unsigned") })),
  sig: "00".repeat(64),
}
const copiedSignature = { ...unsigned, sig: newest.sig }
const lies = [stale, future, foreign, otherId, otherAuthor, unsigned, copiedSignature]

async function startAll(t: TestContext, scripts: readonly Script[]) {
  const started = await Promise.all(scripts.map(startScriptedRelay))
  for (const relay of started) t.after(() => relay.close())
  const relays = started.map(({ url }) => url)
  const net = createNet({ now: () => now, settings: { relays } })
  const look = async () => {
    const began = performance.now()
    const publication = await nostr.collect(alice.npub, net, { signal })
    return { publication, tookMs: performance.now() - began }
  }
  return { started, look, net }
}

test("P8 three of five relays lie and one never answers: the newest verified event wins, in under 5 s", async (t) => {
  const { look, started } = await startAll(t, [
    { events: lies },
    { events: lies.toReversed() },
    { events: [future, otherId, "nonsense", null, { ...newest, tags: "x" }] },
    { events: [newest], delayMs: 200 },
    { ends: "silent" },
  ])
  const { publication, tookMs } = await look()
  assert.equal(publication.status, "found")
  assert.deepEqual(
    publication.candidates.map(({ text }) => text),
    [proof("newest")],
  )
  assert.ok(tookMs < 5_000, `${tookMs} ms`)
  const [liar, , , honest, silent] = publication.evidence
  assert.match(liar?.note ?? "", /7 events.*2 refused \(account.owner\)|account\.owner/)
  assert.match(liar?.note ?? "", /signature\.invalid/)
  assert.match(liar?.note ?? "", /time\.future/)
  assert.equal(honest?.note, "1 event")
  assert.equal(silent?.code, "net.timeout")
  await Promise.all(started.map((relay) => relay.allClosed()))
})

test("P8 lies alone are no proof and no fault of the person: absent", async (t) => {
  const { look } = await startAll(t, [{ events: lies.slice(1) }, {}])
  const { publication } = await look()
  assert.equal(publication.status, "absent")
})

test("P8 an older event does not come back when the newest is empty", async (t) => {
  const empty = await alice.event({ ...appData, created_at: now - 5, content: "" })
  const { look } = await startAll(t, [{ events: [newest, stale] }, { events: [empty] }])
  assert.equal((await look()).publication.status, "absent")
})

test("P8 a note that was deleted does not come back from a relay that keeps it", async (t) => {
  const note = await alice.event({ content: proof("note"), created_at: now - 50 })
  const deletion = await alice.event({ kind: 5, tags: [["e", note.id]], created_at: now - 40 })
  const byMallory = await mallory.event({ kind: 5, tags: [["e", note.id]], created_at: now - 40 })
  const { look } = await startAll(t, [{ events: [note] }, { events: [byMallory] }])
  assert.equal((await look()).publication.status, "found")
  const other = await startAll(t, [{ events: [note] }, { events: [deletion] }])
  assert.equal((await other.look()).publication.status, "absent")
})

test("P8 all relays silent is unreachable in under 5 s; one silent beside an empty one is absent", async (t) => {
  const silent = await startAll(t, [{ ends: "silent" }, { ends: "silent" }])
  const first = await silent.look()
  assert.equal(first.publication.status, "unreachable")
  assert.equal(first.publication.code, "net.timeout")
  assert.ok(first.tookMs < 5_000, `${first.tookMs} ms`)
  const { look } = await startAll(t, [{ ends: "silent" }, {}])
  const second = await look()
  assert.equal(second.publication.status, "absent")
  assert.ok(second.tookMs < 5_000, `${second.tookMs} ms`)
  assert.match(second.publication.evidence[1]?.note ?? "", /1 of 2 relays answered/)
})

test("P8 events that came before a relay fell silent count: their signature says enough", async (t) => {
  const { look } = await startAll(t, [{ events: [newest], ends: "silent" }, {}])
  assert.equal((await look()).publication.status, "found")
})

test("a slow relay with the proof is waited for when a quick one has nothing", async (t) => {
  const { look } = await startAll(t, [{}, { events: [newest], delayMs: 1_500 }])
  assert.equal((await look()).publication.status, "found")
})

test("a relay that refuses is no answer, and its words are shown without control characters", async (t) => {
  const { look } = await startAll(t, [{ ends: "closed", greeting: ["AUTH", "challenge"] }])
  const { publication } = await look()
  assert.equal(publication.status, "unreachable")
  assert.equal(publication.code, "net.refused")
  assert.match(
    publication.evidence[0]?.note ?? "",
    /asks for a login; refused to answer: auth-required: \?\[31mpay first/,
  )
})

test("a relay that floods with events is cut off, and the others decide", async (t) => {
  const flood = Array.from({ length: 300 }, () => stale)
  const { look } = await startAll(t, [{ events: flood }, { events: [newest] }])
  const { publication } = await look()
  assert.equal(publication.status, "found")
  assert.deepEqual(
    publication.candidates.map(({ text }) => text),
    [proof("newest")],
  )
  assert.equal(publication.evidence[0]?.code, "limit.body")
})

test("collect() throws the caller's reason and lets all relays go", async (t) => {
  const { net, started } = await startAll(t, [{ ends: "silent" }, { ends: "silent" }])
  const controller = new AbortController()
  const reason = new Error("gave up")
  setTimeout(() => controller.abort(reason), 50)
  await assert.rejects(nostr.collect(alice.npub, net, { signal: controller.signal }), (error) => error === reason)
  await Promise.all(started.map((relay) => relay.allClosed()))
})

/** Waiting for DNS records: a real server of the zone and a real caching resolver, and servers on bad days. */
import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { type TestContext, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import type { Answer } from "dns-packet"
import { startKnot } from "../../apps/cli/test/support/knot.ts"
import { startUnbound } from "../../apps/cli/test/support/unbound.ts"
import { askNameServer } from "../../packages/channels/src/dns-client.ts"
import {
  createResolver,
  describeReports,
  parseNameServer,
  type WatchRequest,
  type WatchRound,
  watchRecords,
} from "../../packages/channels/src/index.ts"
import { answerMessage, type DnsHandler, startDnsServer, txt } from "../../packages/channels/test/support/dns-server.ts"
import { skipWithout } from "../support/servers.ts"

const domain = "kez-watch.dev"
const name = `_kez.${domain}`
const never = new AbortController().signal
const skip = skipWithout("knotd") || skipWithout("unbound")
const question = { type: "TXT", name } as const

interface Watched extends Partial<WatchRequest> {
  readonly resolver: string
  readonly waitMs?: number
}

async function watch({ resolver, waitMs = 0, ...request }: Watched): Promise<readonly WatchRound[]> {
  const tools = {
    resolver: createResolver({ servers: [resolver] }),
    signal: never,
    sleep: () => sleep(waitMs),
  }
  const rounds: WatchRound[] = []
  const whole = { domain, wanted: ["kez:z1:new"], limitMs: 0, publicResolvers: [resolver], ...request }
  for await (const round of watchRecords(whole, tools)) rounds.push(round)
  return rounds
}

test("a resolver that caches the old record is told from the zone's server, with its time, until it forgets", {
  skip,
}, async (t) => {
  const knot = await startKnot(domain)
  t.after(() => knot.close())
  const unbound = await startUnbound(domain, knot.address)
  t.after(() => unbound.close())
  const servers = [knot.address]
  await knot.publish(['_kez 3 IN TXT "kez:z1:old"'])
  const [before] = await watch({ resolver: unbound.address, servers })
  assert.deepEqual(
    before?.reports.map(({ view }) => view.state),
    ["old", "old"],
  )
  assert.deepEqual(describeReports(before?.reports ?? []), [
    `${knot.address} does not show it yet`,
    `${unbound.address} does not show it yet`,
  ])
  await knot.publish(['_kez 3 IN TXT "kez:z1:new"', '_kez 3 IN TXT "v=other"'])
  const rounds = await watch({ resolver: unbound.address, servers, limitMs: 20_000, waitMs: 1_200 })
  const [own, cached] = describeReports(rounds[0]?.reports ?? [])
  assert.equal(own, `${knot.address} shows it`)
  assert.match(cached ?? "", /^set, but 127\.0\.0\.1:\d+ caches the old answer for [0-3] s$/)
  const last = rounds.at(-1)
  assert.equal(last?.isDone, true)
  assert.deepEqual(
    last?.reports.map(({ view }) => view.state),
    ["shown", "shown"],
  )
})

test("a resolver that caches that there is no record says for how long, by the zone's SOA record", {
  skip,
}, async (t) => {
  const knot = await startKnot(domain, { negativeTtlSeconds: 300 })
  t.after(() => knot.close())
  const unbound = await startUnbound(domain, knot.address)
  t.after(() => unbound.close())
  const servers = [knot.address]
  await watch({ resolver: unbound.address, servers })
  await knot.publish(['_kez 60 IN TXT "kez:z1:new"'])
  const [round] = await watch({ resolver: unbound.address, servers })
  const view = round?.reports[1]?.view
  assert.ok(view?.state === "missing" && view.cachedSeconds !== undefined, JSON.stringify(view))
  assert.ok(view.cachedSeconds > 240 && view.cachedSeconds <= 300, String(view.cachedSeconds))
  assert.match(describeReports(round?.reports ?? [])[1] ?? "", /caches the old answer, that there is none, for 5 min$/)
  assert.equal(round?.isDone, false)
})

test("the servers of a zone are found by its NS records, and one with a private address is not asked", {
  skip,
}, async (t) => {
  const knot = await startKnot(domain)
  t.after(() => knot.close())
  const [round] = await watch({ resolver: knot.address })
  assert.deepEqual(round?.reports[0], {
    server: `ns.${domain}`,
    role: "authoritative",
    view: { state: "unreachable", code: "net.address" },
  })
})

test("a server of the zone that is down is not waited for for ever", { skip: skipWithout("knotd") }, async (t) => {
  const knot = await startKnot(domain)
  t.after(() => knot.close())
  await knot.publish(['_kez 60 IN TXT "kez:z1:new"'])
  const servers = [knot.address, "127.0.0.1:1"]
  const rounds = await watch({ resolver: knot.address, servers, publicResolvers: [], limitMs: 10_000 })
  assert.deepEqual(
    rounds.map(({ isDone }) => isDone),
    [false, true],
  )
  assert.deepEqual(describeReports(rounds[0]?.reports ?? []), [
    `${knot.address} shows it`,
    "127.0.0.1:1 does not answer",
  ])
})

async function ask(t: TestContext, handler: DnsHandler, options: { readonly tcp?: boolean } = {}) {
  const server = await startDnsServer(handler, options)
  t.after(() => server.close())
  const reply = () => askNameServer(question, parseNameServer(server.address), { isRecursive: false, signal: never })
  return { server, reply }
}

const timed = (ttl: number, ...texts: string[]): Answer[] =>
  texts.map((text) => ({ type: "TXT", name, ttl, data: text }))

test("askNameServer() gives records with their TTL, over TCP where the answer is cut", async (t) => {
  const { server, reply } = await ask(t, () => ({ answers: timed(90, "a", "b"), truncated: true }))
  const { status, values, ttlSeconds } = await reply()
  assert.deepEqual([status, values, ttlSeconds], ["found", ["a", "b"], 90])
  assert.deepEqual(server.questions, [`TXT ${name} udp`, `TXT ${name} tcp`])
})

test("P9 askNameServer() takes a cut answer without TCP, or one cut on TCP too, for none", async (t) => {
  const closed = await ask(t, () => ({ truncated: true }), { tcp: false })
  await assert.rejects(closed.reply(), { code: "net.refused" })
  const cut = await ask(t, () => ({ truncated: true, truncatedTcp: true }))
  await assert.rejects(cut.reply(), { code: "net.dns" })
})

test("P9 askNameServer() is net.dns for SERVFAIL, REFUSED and broken messages, net.refused where nobody listens", async (t) => {
  for (const rcode of ["SERVFAIL", "REFUSED", "FORMERR"] as const) {
    await assert.rejects((await ask(t, () => ({ rcode }))).reply(), { code: "net.dns" }, rcode)
  }
  const broken = await ask(t, () => ({ raw: Buffer.from([0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0xc0]) }))
  await assert.rejects(broken.reply(), { code: "net.dns" })
  const nobody = parseNameServer("127.0.0.1:1")
  await assert.rejects(askNameServer(question, nobody, { isRecursive: false, signal: never }), { code: "net.refused" })
})

test("askNameServer() takes no answer with another id, as a stranger who guesses would send it", async (t) => {
  const udp = createSocket("udp4")
  t.after(() => udp.close())
  await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve))
  udp.on("message", (query, from) => {
    for (const [change, text] of [
      [1, "forged"],
      [0, "honest"],
    ] as const) {
      const reply = answerMessage(query, () => ({ answers: [txt(name, text)] })) ?? Buffer.alloc(0)
      reply.writeUInt16BE(query.readUInt16BE(0) ^ change)
      udp.send(reply, from.port, from.address)
    }
  })
  const server = parseNameServer(`127.0.0.1:${udp.address().port}`)
  const { values } = await askNameServer(question, server, { isRecursive: false, signal: never })
  assert.deepEqual(values, ["honest"])
})

test("askNameServer() asks again where an answer got lost", async (t) => {
  let asked = 0
  const { reply } = await ask(t, () => {
    asked++
    return asked === 1 ? undefined : { answers: [txt(name, "a")] }
  })
  assert.deepEqual((await reply()).values, ["a"])
  assert.equal(asked, 2)
})

test("askNameServer() throws the reason of a caller who gave up", async (t) => {
  const server = await startDnsServer(() => undefined)
  t.after(() => server.close())
  const reason = new Error("gave up")
  const controller = new AbortController()
  const options = { isRecursive: true, signal: controller.signal }
  const asked = askNameServer(question, parseNameServer(server.address), options)
  setTimeout(() => controller.abort(reason), 20)
  await assert.rejects(asked, (error) => error === reason)
})

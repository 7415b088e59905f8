/** Waiting for records: which servers are asked, what each shows, and when the wait is over. No network and no clock. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { type Code, KezError } from "@kez/core"
import type { DetailedReply } from "../src/dns-message.ts"
import { describeReports, viewOfReply } from "../src/dns-view.ts"
import { isSettled, type WatchRequest, type WatchRound, waitBefore, watchRecords } from "../src/dns-watch.ts"
import { findZone } from "../src/dns-zone.ts"
import { type AskNameServer, longestCache, type NameResolver, parseNameServer } from "../src/index.ts"

const proof = "kez:z1:new"
const never = new AbortController().signal

type Said = Partial<DetailedReply> | Code

function replyOf(said: Said, isRecursive: boolean): DetailedReply {
  if (typeof said === "string") throw new KezError(said, "not here")
  const values = said.values ?? []
  const status = values.length === 0 ? "no_data" : "found"
  return { status, values, isAuthoritative: !isRecursive, ttlSeconds: 60, ...said }
}

/** Servers by address; each says its next answer at each look, the last one for ever. */
function serversOf(table: Readonly<Record<string, readonly Said[]>>, asked: string[] = []): AskNameServer {
  const looks = new Map<string, number>()
  return async ({ name }, { address }, { isRecursive }) => {
    asked.push(`${name} ${address}${isRecursive ? " recursive" : ""}`)
    const says = table[address] ?? ["net.timeout"]
    const look = looks.get(address) ?? 0
    looks.set(address, look + 1)
    return replyOf(says[Math.min(look, says.length - 1)] ?? "net.timeout", isRecursive)
  }
}

interface Names {
  readonly ns?: Readonly<Record<string, readonly string[]>>
  readonly cname?: Readonly<Record<string, string>>
  readonly addresses?: Readonly<Record<string, readonly string[]>>
}

function resolverOf({ ns = {}, cname = {}, addresses = {} }: Names): NameResolver {
  return {
    resolveTxt: () => Promise.reject(new Error("nobody asks for TXT here")),
    async resolveNames(type, name) {
      return type === "NS" ? (ns[name] ?? []) : [cname[name]].flatMap((alias) => alias ?? [])
    },
    async resolveAddresses(host) {
      const found = addresses[host] ?? []
      return { status: found.length === 0 ? "no_name" : "found", addresses: found }
    },
  }
}

const example = resolverOf({
  ns: { "example.org": ["ns2.example.org", "ns1.example.org"] },
  addresses: { "ns1.example.org": ["1.0.0.1"], "ns2.example.org": ["2606:4700::1", "1.0.0.2"] },
})

interface Watch extends Partial<WatchRequest> {
  readonly says: Readonly<Record<string, readonly Said[]>>
  readonly resolver?: NameResolver
  readonly asked?: string[]
}

async function watch({ says, resolver = example, asked = [], ...request }: Watch): Promise<readonly WatchRound[]> {
  let time = 0
  const tools = {
    resolver,
    signal: never,
    ask: serversOf(says, asked),
    clockMs: () => time,
    sleep: async (ms: number) => {
      time += ms
    },
  }
  const usual = { domain: "example.org", wanted: [proof], limitMs: 180_000, publicResolvers: ["9.9.9.9"] }
  const rounds: WatchRound[] = []
  for await (const round of watchRecords({ ...usual, ...request }, tools)) rounds.push(round)
  return rounds
}

const shown = { values: [proof, "v=spf1 -all"] }
const statesOf = ({ reports }: WatchRound) => reports.map(({ server, view }) => `${server}: ${view.state}`)

test("watchRecords() asks the zone's own servers and the public resolvers, and ends when all show the records", async () => {
  const asked: string[] = []
  const says = { "1.0.0.1": [shown], "1.0.0.2": [shown], "9.9.9.9": [{}, {}, shown] }
  const rounds = await watch({ says, asked })
  assert.deepEqual(asked.slice(0, 3).sort(), [
    "_kez.example.org 1.0.0.1",
    "_kez.example.org 1.0.0.2",
    "_kez.example.org 9.9.9.9 recursive",
  ])
  assert.deepEqual(rounds.map(statesOf), [
    ["ns1.example.org (1.0.0.1): shown", "ns2.example.org (1.0.0.2): shown", "9.9.9.9: missing"],
    ["ns1.example.org (1.0.0.1): shown", "ns2.example.org (1.0.0.2): shown", "9.9.9.9: missing"],
    ["ns1.example.org (1.0.0.1): shown", "ns2.example.org (1.0.0.2): shown", "9.9.9.9: shown"],
  ])
  assert.deepEqual(
    rounds.map(({ isDone, nextMs }) => [isDone, nextMs]),
    [
      [false, 5_000],
      [false, 10_000],
      [true, undefined],
    ],
  )
})

test("watchRecords() looks once with a limit of nothing, and at the limit a last time", async () => {
  const says = { "1.0.0.1": [{}], "1.0.0.2": [{}], "9.9.9.9": [{}] }
  assert.equal((await watch({ says, limitMs: 0 })).length, 1)
  const waits = (await watch({ says, limitMs: 100_000 })).map(({ nextMs }) => nextMs)
  assert.deepEqual(waits, [5_000, 10_000, 20_000, 40_000, 25_000, undefined])
})

test("watchRecords() waits no longer for a server after two looks without an answer", async () => {
  const says = {
    "1.0.0.1": [shown],
    "1.0.0.2": ["net.timeout", shown, "net.timeout"],
    "9.9.9.9": ["net.refused"],
  } as const
  const rounds = await watch({ says })
  assert.equal(rounds.at(-1)?.isDone, true)
  assert.equal(rounds.length, 2)
  const flaky = {
    "1.0.0.1": [shown],
    "1.0.0.2": ["net.timeout", {}, "net.timeout", shown],
    "9.9.9.9": [shown],
  } as const
  assert.equal((await watch({ says: flaky })).length, 4)
})

test("watchRecords() is never done where nobody shows the records, however silent the others are", async () => {
  const rounds = await watch({ says: {}, limitMs: 60_000 })
  assert.equal(rounds.at(-1)?.isDone, false)
})

test("watchRecords() asks no private address that a zone names, and those that its caller named", async () => {
  const asked: string[] = []
  const resolver = resolverOf({
    ns: { "example.org": ["ns1.example.org", "ns2.example.org", "10.0.0.1", "localhost"] },
    addresses: { "ns1.example.org": ["127.0.0.1", "fd00::1"], "ns2.example.org": ["169.254.169.254", "1.0.0.2"] },
  })
  const [round] = await watch({ says: {}, resolver, asked, limitMs: 0, publicResolvers: ["127.0.0.1:5353"] })
  assert.deepEqual(asked.sort(), ["_kez.example.org 1.0.0.2", "_kez.example.org 127.0.0.1 recursive"])
  assert.deepEqual(round?.reports[0]?.view, { state: "unreachable", code: "net.address" })
  asked.length = 0
  await watch({ says: {}, asked, limitMs: 0, servers: ["127.0.0.1:5300"], publicResolvers: [] })
  assert.deepEqual(asked, ["_kez.example.org 127.0.0.1"])
})

test("watchRecords() says that nobody serves a domain without a zone, and goes on asking", async () => {
  const rounds = await watch({ says: { "9.9.9.9": [{}] }, resolver: resolverOf({}), limitMs: 5_000 })
  assert.deepEqual(rounds.map(statesOf)[0], ["the zone of example.org: unreachable", "9.9.9.9: missing"])
  assert.equal(rounds.length, 2)
})

test("watchRecords() throws the reason of a caller who gave up, and net.dns for a resolver that cannot be one", async () => {
  const controller = new AbortController()
  const reason = new Error("gave up")
  const sleep = async () => {
    controller.abort(reason)
    controller.signal.throwIfAborted()
  }
  const request = { domain: "example.org", wanted: [proof], limitMs: 60_000, publicResolvers: [] }
  const tools = { resolver: example, signal: controller.signal, ask: serversOf({}), clockMs: () => 0, sleep }
  await assert.rejects(
    async () => {
      for await (const _ of watchRecords(request, tools));
    },
    (error) => error === reason,
  )
  await assert.rejects(watch({ says: {}, publicResolvers: ["dns.example"] }), { code: "net.dns" })
})

test("findZone() walks up to the first name with NS records, and follows aliases to another zone", async () => {
  const addresses = { "ns1.host.example": ["1.0.0.1"] }
  const up = await findZone("_kez.a.b.example", resolverOf({ ns: { example: ["ns1.host.example"] }, addresses }), never)
  assert.equal(up.zone, "example")
  const ns = { "a.example": ["ns1.a.example"], "host.example": ["ns1.host.example"] }
  const cname = { "_kez.a.example": "kez.host.example" }
  const { owner, zone } = await findZone("_kez.a.example", resolverOf({ ns, cname, addresses }), never)
  assert.deepEqual([owner, zone], ["kez.host.example", "host.example"])
})

test("findZone() gives up on circles of aliases, odd names and names without a zone with net.dns", async () => {
  for (const names of [
    { cname: { "_kez.a.example": "b.example", "b.example": "_kez.a.example" } },
    { cname: { "_kez.a.example": "b\u0000.example" } },
    { cname: { "_kez.a.example": "" } },
    {},
  ]) {
    await assert.rejects(
      findZone("_kez.a.example", resolverOf(names), never),
      { code: "net.dns" },
      JSON.stringify(names),
    )
  }
})

test("findZone() asks at most eight servers", async () => {
  const ns = { "a.example": Array.from({ length: 300 }, (_, i) => `ns${i}.a.example`) }
  assert.equal((await findZone("_kez.a.example", resolverOf({ ns }), never)).servers.length, 8)
})

const views: readonly (readonly [
  title: string,
  said: Partial<DetailedReply>,
  isRecursive: boolean,
  expected: object,
])[] = [
  ["all of the records", shown, false, { state: "shown" }],
  ["all of them, repeated", shown, true, { state: "shown" }],
  ["other records", { values: ["kez:z1:old"] }, false, { state: "old" }],
  ["other records, cached", { values: ["kez:z1:old"], ttlSeconds: 90 }, true, { state: "old", cachedSeconds: 90 }],
  ["nothing", {}, false, { state: "missing" }],
  ["nothing, cached", { ttlSeconds: 30 }, true, { state: "missing", cachedSeconds: 30 }],
  ["nothing, without a time", { ttlSeconds: undefined }, true, { state: "missing" }],
  [
    "a word for a zone that is not its own",
    { ...shown, isAuthoritative: false },
    false,
    { state: "unreachable", code: "net.dns" },
  ],
]

for (const [title, said, isRecursive, expected] of views) {
  test(`viewOfReply() of ${title}`, () => {
    assert.deepEqual(
      viewOfReply(replyOf(said, isRecursive), [proof], isRecursive ? "public" : "authoritative"),
      expected,
    )
  })
}

test("viewOfReply() wants every one of several records", () => {
  const wanted = [proof, "Chain: https://a.example/chain"]
  assert.equal(viewOfReply(replyOf(shown, false), wanted, "authoritative").state, "old")
  assert.equal(viewOfReply(replyOf({ values: wanted.toReversed() }, false), wanted, "authoritative").state, "shown")
})

test("describeReports() says who shows it, who caches what and for how long, once it is set", () => {
  const own = (state: "shown" | "missing") => ({ server: "ns1", role: "authoritative", view: { state } }) as const
  const cached = (state: "old" | "missing", cachedSeconds: number) =>
    ({ server: "9.9.9.9", role: "public", view: { state, cachedSeconds } }) as const
  const silent = { server: "ns2", role: "authoritative", view: { state: "unreachable", code: "net.timeout" } } as const
  assert.deepEqual(describeReports([own("shown"), cached("old", 540), silent]), [
    "ns1 shows it",
    "set, but 9.9.9.9 caches the old answer for 9 min",
    "ns2 does not answer",
  ])
  assert.deepEqual(describeReports([own("missing"), cached("missing", 59)]), [
    "ns1 does not show it yet",
    "9.9.9.9 does not show it yet",
  ])
  assert.match(describeReports([own("shown"), cached("missing", 59)])[1] ?? "", /that there is none, for 59 s/)
  assert.match(describeReports([own("shown"), cached("old", 7_200)])[1] ?? "", /for 2 h/)
  assert.equal(longestCache([own("shown"), cached("old", 90), cached("missing", 30)]), 90)
  assert.equal(longestCache([own("shown")]), undefined)
})

test("waitBefore() doubles from 5 s to a minute, and the last look is at the limit", () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6].map((round) => waitBefore(round, Number.POSITIVE_INFINITY)),
    [5_000, 10_000, 20_000, 40_000, 60_000, 60_000],
  )
  assert.deepEqual([waitBefore(1, 3_000), waitBefore(1, 0), waitBefore(1, -5)], [3_000, undefined, undefined])
})

test("isSettled() is false where there is nobody", () => {
  assert.equal(isSettled([]), false)
})

test("parseNameServer() reads addresses with an optional port, and nothing else", () => {
  assert.deepEqual(parseNameServer("1.2.3.4"), { name: "1.2.3.4", address: "1.2.3.4", port: 53 })
  assert.deepEqual(parseNameServer("1.2.3.4:5353").port, 5_353)
  assert.deepEqual(parseNameServer("2606:4700::1"), { name: "2606:4700::1", address: "2606:4700::1", port: 53 })
  assert.deepEqual(parseNameServer("[2606:4700::1]:53").address, "2606:4700::1")
  for (const text of [
    "",
    "a.example",
    "1.2.3.4:0",
    "1.2.3.4:65536",
    "1.2.3.4:",
    "[1.2.3.4]:53",
    "::1:x",
    "https://1.2.3.4",
    "127.1",
  ]) {
    assert.throws(() => parseNameServer(text), { code: "net.dns" }, text)
  }
})

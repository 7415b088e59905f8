/** Stores on loopback, true and lying: both tools give the same verdict, code and exit code. SPEC §6, §8 */
import assert from "node:assert/strict"
import { startSigServer } from "../../test/support/sig-server.ts"
import { append, handOver } from "./chains.ts"
import { domainScenarios } from "./domains.ts"
import {
  alice,
  as,
  bothSay,
  chainOf,
  claimed,
  cutFirst,
  exported,
  file,
  linesOf,
  type Places,
  post,
  readers,
  said,
  told,
  withPlaces,
} from "./places.ts"
import type { PlainStore, Served } from "./plain-store.ts"
import type { Direction, Scenario } from "./scenario.ts"
import type { Tool } from "./tool.ts"

/** The chain of one tool in a real store; each event is posted as it was exported. */
async function published(direction: Direction, places: Places) {
  const server = await startSigServer(places)
  const { text, document } = await claimed(direction)
  const id = await chainOf(direction.maker)
  for (const line of linesOf(document)) assert.deepEqual(await post(server.url, id, line), [201, null, undefined])
  return { server, text, document, id }
}

async function realStore(direction: Direction, places: Places): Promise<void> {
  const { server, text, id } = await published(direction, places)
  const seeing = readers(direction)
  const look = file(text, places, "--store", server.url)
  assert.deepEqual(said(await bothSay(seeing, look)), [0, "valid", null])
  await append(direction.maker, alice("revoke", "dns:a.example"))
  const revocation = linesOf(await exported(direction.maker)).at(-1) ?? ""
  assert.deepEqual(await post(server.url, id, revocation), [201, null, undefined])
  assert.deepEqual(said(await bothSay(seeing, look)), [11, "revoked", "claim.revoked"])
  await server.end()
  assert.deepEqual(said(await bothSay(readers(direction), look)), [5, "unreachable", "chain.unreachable"])
  // Who saw the revocation needs no store to know it.
  assert.deepEqual(said(await bothSay(seeing, look)), [11, "revoked", "claim.revoked"])
}

async function conflict(direction: Direction, places: Places): Promise<void> {
  const { maker, checker } = direction
  const { server, text, id } = await published(direction, places)
  await handOver(maker, checker)
  await append(maker, alice("add", "github:alice"))
  await append(checker, alice("add", "github:bob"))
  const [mine, theirs] = [linesOf(await exported(maker)).at(-1) ?? "", linesOf(await exported(checker)).at(-1) ?? ""]
  assert.deepEqual(await post(server.url, id, mine), [201, null, undefined])
  assert.deepEqual(await post(server.url, id, theirs), [409, "chain.fork", true])
  assert.deepEqual(await post(server.url, id, theirs), [200, null, undefined])
  const look = file(text, places, "--store", server.url)
  assert.deepEqual(said(await bothSay(readers(direction), look)), [13, "fork", "chain.fork"])
  // Both are owners here: whether the end of the chain is live for them depends on what each of them signs for itself.
  for (const tool of [maker, checker]) assert.deepEqual(said(await told(tool, look(tool))), [13, "fork", "chain.fork"])
  for (const tool of [maker, checker]) {
    await tool.data(["sigchain", "fetch", id, "--store", server.url, ...places.net])
    assert.equal((await tool.data(["sigchain", "show", id])).status, "fork")
  }
}

/** A device cannot overtake its owner: its event is kept as evidence, and the store says so. */
async function deviceLoses(direction: Direction, places: Places): Promise<void> {
  const { maker, checker } = direction
  const { server, text, id } = await published(direction, places)
  await append(maker, alice("add-device", "laptop"))
  assert.deepEqual(await post(server.url, id, linesOf(await exported(maker)).at(-1) ?? ""), [201, null, undefined])
  await handOver(maker, checker)
  await append(maker, alice("add", "github:alice"))
  await append(checker, as("laptop", "revoke", "dns:a.example"))
  assert.deepEqual(await post(server.url, id, linesOf(await exported(maker)).at(-1) ?? ""), [201, null, undefined])
  const theirs = linesOf((await checker.run(["sigchain", "export", id, "-q"])).stdout).at(-1) ?? ""
  assert.deepEqual(await post(server.url, id, theirs), [409, "chain.repeat", true])
  // The revocation stays, whichever branch it is on.
  const seen = await bothSay(readers(direction), file(text, places, "--store", server.url))
  assert.deepEqual([...said(seen), seen.flags.includes("contested")], [11, "revoked", "claim.revoked", true])
}

async function rollback(direction: Direction, places: Places): Promise<void> {
  const { text, document } = await claimed(direction)
  await append(direction.maker, alice("revoke", "dns:a.example"))
  const store = await places.store({ "*": { document: await exported(direction.maker) } })
  const seeing = readers(direction)
  const look = file(text, places, "--store", store.url)
  assert.deepEqual(said(await bothSay(seeing, look)), [11, "revoked", "claim.revoked"])
  store.serves = { "*": { document } }
  const back = await bothSay(seeing, look)
  assert.deepEqual([...said(back), back.flags.includes("rollback")], [11, "revoked", "claim.revoked", true])
  store.serves = {}
  assert.deepEqual(said(await bothSay(seeing, look)), [11, "revoked", "claim.revoked"])
  // Who never saw it is told what the store says: that is the price of a first look.
  assert.deepEqual(said(await bothSay(readers(direction), look)), [0, "valid", null])
}

async function withheld(direction: Direction, places: Places): Promise<void> {
  const { maker } = direction
  const { text, document } = await claimed(direction)
  await append(maker, alice("revoke", "dns:a.example"))
  const head = await maker.data(["--identity", "alice", "sigchain", "head", "-q"])
  const store = await places.store({ "*": { document, heads: [head.text] } })
  const look = file(text, places, "--store", store.url)
  assert.deepEqual(said(await bothSay(readers(direction), look)), [5, "unreachable", "chain.withheld"])
  // The same head from another place: it was imported.
  store.serves = { "*": { document } }
  const warned = readers(direction)
  const fetched = () => ["sigchain", "fetch", "--store", store.url, "--timeout", "2", ...places.net]
  for (const tool of warned) {
    await tool.data([...fetched().slice(0, 2), await chainOf(maker), ...fetched().slice(2)])
    await tool.data(["sigchain", "import", "-"], head.text)
  }
  assert.deepEqual(said(await bothSay(warned, look)), [5, "unreachable", "chain.withheld"])
  store.serves = { "*": { document: await exported(maker) } }
  assert.deepEqual(said(await bothSay(warned, look)), [11, "revoked", "claim.revoked"])
}

/** Each reader alone sees nothing wrong; with both stores, or each other's chain, both see it. */
async function splitView(direction: Direction, places: Places): Promise<void> {
  const { maker, checker } = direction
  const { text } = await claimed(direction)
  await handOver(maker, checker)
  await append(maker, alice("add", "github:alice"))
  await append(checker, alice("add", "github:bob"))
  const left = await places.store({ "*": { document: await exported(maker) } })
  const right = await places.store({ "*": { document: await exported(checker) } })
  const [one, other] = readers(direction) as [Tool, Tool]
  const at = (...stores: readonly PlainStore[]) => file(text, places, ...stores.flatMap(({ url }) => ["--store", url]))
  const seenLeft = await bothSay([one, other.fresh()], at(left))
  const seenRight = await bothSay([other, one.fresh()], at(right))
  assert.deepEqual(
    [said(seenLeft), said(seenRight)],
    [
      [0, "valid", null],
      [0, "valid", null],
    ],
  )
  assert.notDeepEqual(seenLeft.chain, seenRight.chain)
  assert.deepEqual(said(await bothSay(readers(direction), at(left, right))), [13, "fork", "chain.fork"])
  // A mark of the one history, and the other served: a fork as well.
  assert.deepEqual(said(await told(one, at(right)(one))), [13, "fork", "chain.fork"])
  assert.deepEqual(said(await told(other, at(left)(other))), [13, "fork", "chain.fork"])
}

/** Branches beside the winning path are the store's answer too: valid ones are served, faults in them are nobody's. */
async function besideThePath(direction: Direction, places: Places): Promise<void> {
  const { maker, checker } = direction
  const { text, document } = await claimed(direction)
  await handOver(maker, checker)
  await append(maker, alice("add", "github:alice"))
  await append(checker, alice("add", "github:bob"), alice("add", "github:carol"))
  const [mine, theirs] = [await exported(maker), await exported(checker)]
  const store = await places.store({ "*": { document: mine } })
  const look = file(text, places, "--store", store.url)
  const seeing = readers(direction)
  assert.deepEqual(said(await bothSay(seeing, look)), [0, "valid", null])
  const damaged = theirs.replace("github:bob", "github:eve")
  store.serves = { "*": { document: mine, forks: cutFirst(damaged) } }
  assert.deepEqual(said(await bothSay([...seeing, ...readers(direction)], look)), [0, "valid", null])
  for (const forksStatus of [503, "silent"] as const) {
    store.serves = { "*": { document: mine, forksStatus } }
    const silent = await bothSay([...seeing, ...readers(direction)], look)
    assert.deepEqual([...said(silent), silent.flags], [0, "valid", null, ["stale", "unpublished"]])
  }
  store.serves = { "*": { document, forks: cutFirst(mine) + cutFirst(theirs) } }
  const forked = await bothSay(seeing, look)
  assert.deepEqual([...said(forked), forked.flags.includes("rollback")], [13, "fork", "chain.fork", false])
  assert.deepEqual(said(await bothSay(readers(direction), look)), [13, "fork", "chain.fork"])
}

/** A key with two chains in one store: fork. Where the store names a second one and does not give it, it did not answer. */
async function twoChains(direction: Direction, places: Places): Promise<void> {
  const { maker, checker } = direction
  const { text, document } = await claimed(direction)
  await append(checker, alice("add", "github:bob"))
  const second = await exported(checker)
  const [mine, theirs] = [await chainOf(maker), await chainOf(checker)]
  const head = await maker.data(["--identity", "alice", "sigchain", "head", "-q"])
  const one = { document, heads: [head.text] }
  const both = { "*": { chains: [mine, theirs] }, [mine]: one, [theirs]: { document: second } }
  const store = await places.store(both)
  const look = file(text, places, "--store", store.url)
  assert.deepEqual(said(await bothSay(readers(direction), look)), [13, "fork", "chain.fork"])
  const states: readonly Served[] = [{ status: 503 }, { status: "silent" }]
  for (const state of states) {
    store.serves = { ...both, [theirs]: state }
    const cutOff = await bothSay(readers(direction), look)
    assert.deepEqual([...said(cutOff), cutOff.flags.includes("stale")], [0, "valid", null, true])
  }
  // An id is not there after all, names others itself, or there are more than 4 or something else among them. VER-6
  const other = (n: number) => `sha256:${String(n).repeat(64)}`
  const lies: PlainStore["serves"][] = [
    { ...both, [theirs]: {} },
    { ...both, [theirs]: { chains: [mine] } },
    { ...both, "*": { chains: [mine, other(1), other(2), other(3), theirs] } },
    { ...both, "*": { chains: [mine, "alice"] } },
    { ...both, "*": { chains: [] } },
  ]
  for (const [at, lie] of lies.entries()) {
    store.serves = lie
    const { status, reason } = await bothSay(readers(direction), look)
    assert.deepEqual([status, reason], at < 2 ? ["valid", null] : ["unreachable", "chain.unreachable"], String(at))
  }
  store.serves = { ...both, [mine]: { status: 503 }, [theirs]: { status: 503 } }
  assert.deepEqual(said(await bothSay(readers(direction), look)), [5, "unreachable", "chain.unreachable"])
}

/** A store that answers for the key of one proof and is silent for the other. */
async function silentForOne(direction: Direction, places: Places): Promise<void> {
  const { maker } = direction
  const { text, document } = await claimed(direction)
  const phone = await maker.data(["--identity", "phone", "claim", "create", "dns:a.example", "--format", "json", "-q"])
  const fence = (claim: string) => `\`\`\`kez\n${claim.trim()}\n\`\`\`\n`
  const served = { [phone.primary]: {}, "*": { document } }
  const store = await places.store(served)
  const look = file(fence(text) + fence(phone.text), places, "--store", store.url)
  assert.equal((await bothSay(readers(direction), look)).status, "valid")
  const silence: readonly Served[] = [{ status: "silent" }, { status: 503 }]
  for (const state of silence) {
    store.serves = { ...served, [phone.primary]: state }
    const seen = await bothSay(readers(direction), look)
    assert.deepEqual([seen.status, seen.flags.includes("stale")], ["valid", true])
    store.serves = { ...served, "*": state }
    assert.deepEqual(said(await bothSay(readers(direction), look)), [5, "unreachable", "chain.unreachable"])
  }
}

/** Verifications of both tools at the same time, over one home: no mark goes back, nothing is lost. */
async function together({ maker, checker }: Direction, places: Places): Promise<void> {
  const { text, document } = await claimed({ maker, checker, show: () => {} })
  await append(maker, alice("add", "github:alice"), alice("revoke", "dns:a.example"))
  const whole = await exported(maker)
  const store = await places.store({ "*": { document: whole } })
  const behind = await places.store({ "*": { document } })
  const one = checker.fresh()
  const home = [one, maker.sharing(one)]
  const claim = one.file("claim.json", text)
  const at = ({ url }: PlainStore) => ["verify", "file", claim, "--timeout", "5", ...places.net, "--store", url]
  const looks = [store, behind, store, store, behind, store].flatMap((place) =>
    home.map((tool) => told(tool, at(place))),
  )
  for (const { status } of await Promise.all(looks)) assert.ok(["valid", "revoked"].includes(status), status)
  const after = await bothSay(home, () => at(behind))
  assert.deepEqual([...said(after), after.flags.includes("rollback")], [11, "revoked", "claim.revoked", true])
}

export const stores: readonly Scenario[] = [
  ...withPlaces("a real store: published, revoked, gone", realStore),
  ...withPlaces("a real store: 409 for a conflicting append", conflict),
  ...withPlaces("a real store: 409 for a device behind its owner", deviceLoses),
  ...withPlaces("rollback served by a store", rollback),
  ...withPlaces("a revocation that a store withholds", withheld),
  ...withPlaces("a fork served to two readers", splitView),
  ...withPlaces("evidence of forks in a store", besideThePath),
  ...withPlaces("two chains of one key in a store", twoChains),
  ...withPlaces("a store that is silent for one of two keys", silentForOne),
  ...withPlaces("verifications of both at once over one home", together),
  ...domainScenarios,
]

/** A couple of whom Alice has an archive, and what devices of hers do with it. */
import { digestOf } from "@kez/core"
import { openArchiveEntry, sealArchiveEntry } from "../../src/archive/archive-entry.ts"
import { decodeArchiveItem, encodeArchiveItem } from "../../src/archive/archive-item.ts"
import { type ArchiveEpoch, archiveKeyPairOfWords, signArchiveKey } from "../../src/archive/archive-keys.ts"
import { decodeRecords, encodeRecords, type MessageRecord } from "../../src/archive/archive-record.ts"
import { decodeRow, keys } from "../../src/engine/row.ts"
import { EngineWorld, type Home } from "./engine-world.ts"
import { settle as settleFor } from "./group-world.ts"
import { now } from "./world.ts"

export interface ArchiveWorld {
  readonly world: EngineWorld
  readonly alice: Home
  readonly bob: Home
  /** The private half of the archive key that Alice's words give. */
  readonly words: Uint8Array
}

/** Long enough for whatever waits a while. */
export function settle(world: EngineWorld, times = 1): Promise<void> {
  return settleFor(world, times, 61)
}

export async function archiveWorld(): Promise<ArchiveWorld> {
  const world = new EngineWorld()
  const person = await world.person("alice")
  const secret = crypto.getRandomValues(new Uint8Array(32))
  const archiveKey = await signArchiveKey(secret, { chain: person.chain, epoch: 0, now }, person.primary)
  const alice = await world.homeOf(person, await person.addDevice(), "alice", { archiveKey })
  const bob = await world.home("bobby")
  await world.rest()
  await alice.engine.contacts.add("bobby@localhost")
  await bob.engine.contacts.add("alice@localhost")
  await settle(world)
  return { world, alice, bob, words: (await archiveKeyPairOfWords(secret)).secretKey }
}

/** A further device of somebody. `words`: they are typed there. */
export async function addHome(world: EngineWorld, { person, handle }: Home, words?: Uint8Array): Promise<Home> {
  const device = await person.addDevice()
  return world.homeOf(person, device, handle, words === undefined ? {} : { archiveSecret: words.slice() })
}

export function archiveItems({ world, alice }: Pick<ArchiveWorld, "world" | "alice">) {
  return world.server.archives.get(world.server.register(alice.person.chain, alice.device.name).uid) ?? []
}

/** Entries of Alice's archive, with their places. */
export function entriesOf(all: Pick<ArchiveWorld, "world" | "alice">) {
  return archiveItems(all).flatMap(({ seq, data }) => {
    const item = decodeArchiveItem(data)
    return item?.kind === "entry" ? [{ seq, device: item.device, data: item.data }] : []
  })
}

/** The keys that a device's disk has. */
export function epochsIn(rows: ReadonlyMap<string, Uint8Array>): readonly ArchiveEpoch[] {
  return [...rows].flatMap(([key, row]) => {
    if (!key.startsWith(keys.archiveEpochs)) return []
    const { value, bytes } = decodeRow<Omit<ArchiveEpoch, "key">>(row)
    return [{ ...value, key: bytes }]
  })
}

/** What a device of Alice's wrote last, opened. */
function lastEntry(all: ArchiveWorld, device: string) {
  const { alice } = all
  const data = entriesOf(all).findLast((one) => one.device === device)?.data
  if (data === undefined) throw new Error("no entry")
  return openArchiveEntry(data, epochsIn(alice.rows), { chain: alice.person.chain, device })
}

/** As if Alice's device had written so many more messages, each like the last. */
export function writeMany(all: ArchiveWorld, count: number): void {
  const { alice } = all
  const device = alice.device.name
  const kept = archiveItems(all)
  const [epoch] = epochsIn(alice.rows).toSorted((a, b) => b.epoch - a.epoch)
  const last = lastEntry(all, device)
  const like = decodeRecords(last.content).find((one): one is MessageRecord => one.type === "message")
  if (like === undefined || epoch === undefined) throw new Error("nothing to go on from")
  let [at, prev] = [last.number + 1, last.digest]
  let records = Array.from({ length: count }, (_, i) => {
    const id = digestOf(new TextEncoder().encode(`message ${i}`))
    return { ...like, id, counter: like.counter + 1 + i, text: `message ${i}` }
  })
  while (records.length > 0) {
    const { bytes, count: used } = encodeRecords(records.slice(0, 512))
    records = records.slice(used)
    const sealed = sealArchiveEntry(epoch, { chain: alice.person.chain, device, number: at++, prev }, bytes)
    prev = sealed.digest
    const data = encodeArchiveItem({ kind: "entry", device, data: sealed.bytes })
    kept.push({ seq: (kept.at(-1)?.seq ?? 0) + 1, id: digestOf(data), data })
  }
}

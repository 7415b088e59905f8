/** A Welcome: this device comes into a conversation, by one of its key packages that is not used yet. */
import { type Digest, digestOf, KezError } from "@kez/core"
import type { Joined } from "../cipher/mls-join.ts"
import { joinConversation } from "../cipher/mls-join.ts"
import { decodeOwnKeyPackage, type OwnKeyPackage } from "../credential/key-package.ts"
import type { Delivery } from "../wire/delivery.ts"
import { contactRow, currentDevices, putContact } from "./contact-rows.ts"
import type { Desk } from "./desk.ts"
import { Held } from "./held.ts"
import { takePositions } from "./positions.ts"
import { beginAgain } from "./rejoin.ts"
import { decodeRow, type GroupRow, keys } from "./row.ts"
import { addGroup, otherOf, tellConversation } from "./threads.ts"
import type { Unit } from "./unit.ts"

/** Requests of strangers that are kept at once. The next ones are not shown. */
const maxRequests = 100
/** A Welcome waits so long for the chain of the device that made it. */
const earlySeconds = 600

export interface KeyPackageRow {
  readonly isLastResort: boolean
  readonly expiresAt: number
  /** Of a last-resort one: Unix seconds. */
  readonly usedAt?: number
  readonly isReplaced?: boolean
}

export async function takeWelcome(unit: Unit, desk: Desk, delivery: Delivery): Promise<void> {
  const group: Digest = `sha256:${delivery.conversation}`
  const known = await unit.get<GroupRow>(keys.group(group))
  if (known !== undefined && known.isRemoved !== true) return
  const joined = await join(unit, desk, delivery.data)
  if (joined === undefined || joined.cipher.group !== group) return
  const { cipher, used } = joined
  await markUsed(unit, desk, used)
  const other = otherOf(cipher.state, desk.chain)
  const adder = cipher.broughtInBy(desk.chain)
  const by = other ?? (adder === desk.chain ? undefined : adder)
  const isKept = by === undefined || (await isWelcome(unit, desk, by))
  if (isKept) desk.ciphers.keep(cipher)
  if (isKept && known !== undefined) await beginAgain(unit, desk, group)
  const row = isKept ? await addGroup(unit, desk, { cipher, lastCommit: delivery.seq }) : undefined
  if (row === undefined) return forget(unit, group)
  await takePositions(unit, desk, row, joined)
  await tellConversation(unit, desk, row.thread)
  unit.afterwards(() => desk.wake(group))
  unit.afterwards(() => desk.followChains())
}

/** A one-time key package is gone with its use. A last-resort one is replaced at the server first. */
async function markUsed(unit: Unit, desk: Desk, { ref, isLastResort }: OwnKeyPackage): Promise<void> {
  const key = keys.keyPackage(ref)
  const row = await unit.row<KeyPackageRow>(key)
  if (isLastResort && row !== undefined)
    unit.put(key, { ...row.value, usedAt: desk.now() } satisfies KeyPackageRow, row.bytes)
  else unit.delete(key)
  unit.afterwards(() => desk.wakeAccount())
}

/** One that is not wanted: what comes of it is dropped from now on. */
function forget(unit: Unit, group: Digest): void {
  unit.delete(keys.record(group))
  const row: GroupRow = {
    group,
    thread: group,
    lastCommit: 0,
    joinedEpoch: 0,
    nextCounter: 0,
    nextOutbox: 0,
    receipts: {},
  }
  unit.put(keys.group(group), { ...row, isRemoved: true })
}

async function join(unit: Unit, desk: Desk, welcome: Uint8Array): Promise<Joined | undefined> {
  const own: OwnKeyPackage[] = []
  for (const { value } of await unit.rows(keys.keyPackages)) own.push(await decodeOwnKeyPackage(decodeRow(value).bytes))
  const { asked, missed } = desk.ciphers
  asked.clear()
  try {
    return await joinConversation(welcome, own, desk.ciphers.ports)
  } catch (fault) {
    if (!(fault instanceof KezError)) throw fault
    // A device that was just added writes before its chain comes by here: the chains are fetched, and it is tried again.
    const isEarly = fault.code === "chat.credential" && mayBeEarly(desk, digestOf(welcome))
    if (isEarly) for (const chain of asked) missed.add(chain)
    if (isEarly || fault.code === "chain.unknown") throw new Held("chains")
    // Made for another key package, used before, or by nobody: it opens nothing, and nothing of it is shown.
    return undefined
  }
}

const firstTried = new WeakMap<Desk, Map<Digest, number>>()

/** For so long; what no chain explains by then is nobody's. */
function mayBeEarly(desk: Desk, welcome: Digest): boolean {
  const tried = firstTried.get(desk) ?? new Map<Digest, number>()
  firstTried.set(desk, tried)
  const first = tried.get(welcome)
  if (first !== undefined) return desk.now() - first < earlySeconds
  const [oldest] = tried.keys()
  if (tried.size >= maxRequests && oldest !== undefined) tried.delete(oldest)
  tried.set(welcome, desk.now())
  return true
}

/** Somebody who was not looked up is a request; nobody is shown who is blocked, or one of too many. */
async function isWelcome(unit: Unit, desk: Desk, chain: Digest): Promise<boolean> {
  const known = await contactRow(unit, chain)
  if (known !== undefined) return known.standing !== "blocked"
  const all = await unit.list<{ readonly standing: string }>(keys.contacts)
  if (all.filter(({ standing }) => standing === "request").length >= maxRequests) return false
  await putContact(unit, desk, { chain, standing: "request", seenDevices: currentDevices(desk, chain) })
  return true
}

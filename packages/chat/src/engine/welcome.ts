/** A Welcome: this device comes into a conversation, by one of its key packages that is not used yet. */
import { type Digest, decodeText, digestOf, KezError } from "@kez/core"
import { encodeText } from "../bytes.ts"
import type { Joined } from "../cipher/mls-join.ts"
import { joinConversation } from "../cipher/mls-join.ts"
import { decodeOwnKeyPackage, type OwnKeyPackage } from "../credential/key-package.ts"
import { maxToldCounter } from "../limits.ts"
import type { Delivery } from "../wire/delivery.ts"
import { decodeMessage } from "../wire/message.ts"
import { sequenceFrom } from "../wire/sequence.ts"
import { contactRow, currentDevices, putContact } from "./contact-rows.ts"
import type { Desk } from "./desk.ts"
import { Held } from "./held.ts"
import { groupAt, markAnswered, outboxOf, ownMessage } from "./outbox-rows.ts"
import { beginAgain } from "./rejoin.ts"
import { decodeRow, type GroupRow, keys } from "./row.ts"
import { putSequence, sequencesOf } from "./sequence-rows.ts"
import { addGroup, otherOf, tellConversation } from "./threads.ts"
import type { Unit } from "./unit.ts"

/** Requests of strangers that are kept at once. The next ones are not shown. */
const maxRequests = 100
/** A Welcome waits so long for the chain of the device that made it. */
const earlySeconds = 600
const maxExtraBytes = 262_144

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

type Positions = Readonly<Record<string, { readonly next: number; readonly last?: Digest }>>

/** Where the messages of each device stand, for those whom a commit adds: by it they know what they miss, and what was never for them. */
export async function positionsOf(unit: Unit, desk: Desk, group: Digest): Promise<Uint8Array> {
  const row = await groupAt(unit, group)
  const positions: Record<string, { next: number; last?: Digest }> = {}
  for (const { device, sequence } of await sequencesOf(unit, group)) {
    positions[device] = { next: sequence.next, ...(sequence.last === undefined ? {} : { last: sequence.last }) }
  }
  positions[desk.device] = await ownPosition(unit, desk, row)
  return encodeText(JSON.stringify(positions))
}

async function ownPosition(unit: Unit, desk: Desk, row: GroupRow): Promise<{ next: number; last?: Digest }> {
  await markAnswered(unit, desk, row.group)
  const [first] = await outboxOf(unit, row.group, 1)
  if (first === undefined) return { next: row.nextCounter, ...(row.lastId === undefined ? {} : { last: row.lastId }) }
  const bytes = await ownMessage(unit, row.group, first.counter)
  const prev = bytes === undefined ? undefined : decodeMessage(bytes, desk.device).prev
  return { next: first.counter, ...(prev === undefined ? {} : { last: prev }) }
}

/** What is said of others counts until they show it themselves. Nothing of theirs that can be read here stands before the commit. */
async function takePositions(
  unit: Unit,
  desk: Desk,
  { group, lastCommit }: GroupRow,
  { extra, by }: Joined,
): Promise<void> {
  if (extra.length === 0 || extra.length > maxExtraBytes) return
  if (by !== undefined) {
    const toldBy = { chain: by.chain, device: by.device }
    unit.put(keys.group(group), { ...(await groupAt(unit, group)), toldBy } satisfies GroupRow)
  }
  for (const [device, position] of Object.entries(readPositions(extra))) {
    if (device !== desk.device) {
      const sequence = { ...sequenceFrom(position.next, position.last), isTold: true } as const
      putSequence(unit, group, { device, sequence, places: new Map(), lastSeq: lastCommit, begunAt: position.next })
      continue
    }
    // Added again after its state was lost: it goes on behind what the others know of it.
    const row = await groupAt(unit, group)
    if (position.next <= row.nextCounter || position.last === undefined) continue
    const at = { nextCounter: position.next, lastId: position.last, begunAt: position.next }
    unit.put(keys.group(group), { ...row, ...at } satisfies GroupRow)
  }
}

/** By a member, encrypted; still of his making: what does not fit is left out. */
function readPositions(extra: Uint8Array): Positions {
  let value: unknown
  try {
    value = JSON.parse(decodeText(extra, maxExtraBytes))
  } catch {
    return {}
  }
  if (typeof value !== "object" || value === null) return {}
  return Object.fromEntries(
    Object.entries(value).filter(
      ([device, at]: [string, unknown]) =>
        /^[a-z0-9]+:[!-~]{1,128}$/.test(device) &&
        typeof at === "object" &&
        at !== null &&
        "next" in at &&
        Number.isSafeInteger(at.next) &&
        Number(at.next) >= 0 &&
        Number(at.next) <= maxToldCounter &&
        // Only of the first one nothing is before it.
        "last" in at === Number(at.next) > 0 &&
        (!("last" in at) || (typeof at.last === "string" && /^sha256:[0-9a-f]{64}$/.test(at.last))),
    ),
  ) as Positions
}

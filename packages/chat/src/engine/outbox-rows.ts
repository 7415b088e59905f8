/** What is to be sent: kept before anything goes out, in its order, until the server has it; and what was sent, until a device of another confirms it. */
import { type Digest, KezError } from "@kez/core"
import type { GroupCipher } from "../cipher/group-cipher.ts"
import { maxFirstContentBytes } from "../limits.ts"
import type { ContentType, ContentTypes } from "../wire/content.ts"
import { encodeMessage } from "../wire/message.ts"
import { archiveLater, isArchived } from "./archive-rows.ts"
import type { Desk } from "./desk.ts"
import { changeMessage, isShown, putMessage, putNote } from "./message-rows.ts"
import {
  decodeRow,
  type GroupRow,
  keys,
  type MessageRow,
  type OutboxRow,
  type ThreadRow,
  type UnconfirmedRow,
} from "./row.ts"
import { isOpen, stopOf } from "./threads.ts"
import type { Unit } from "./unit.ts"

/** Own messages that can be sent again to who misses them. */
const keptOwn = 2_048

export interface Outgoing<T extends ContentType> {
  readonly group: Digest
  readonly type: T
  readonly content: ContentTypes[T]
  readonly body?: Uint8Array
}

/** Gives a message its place among those of this device, and takes it into the outbox. Throws `limit.size`. */
export async function enqueue<T extends ContentType>(unit: Unit, desk: Desk, outgoing: Outgoing<T>): Promise<Digest> {
  const { group, type, content, body } = outgoing
  await markAnswered(unit, desk, group)
  const row = await groupAt(unit, group)
  const counter = row.nextCounter
  const place = { device: desk.device, counter, ...(row.lastId === undefined ? {} : { prev: row.lastId }) }
  const { bytes, message } = encodeMessage(place, type, { content, ...(body === undefined ? {} : { body }) })
  const isCopy = type === "resent"
  if (!isCopy) assertCanBeResent(bytes)
  const { id } = message
  const origin = {
    ...{ thread: row.thread, group, chain: desk.chain, device: desk.device, at: desk.now(), isEarly: false },
  }
  const shown = isShown(message.content) ? await putMessage(unit, desk, message, origin) : undefined
  if (shown === undefined) await putNote(unit, desk, message, origin)
  unit.put(keys.own(group, counter), null, bytes)
  const ownKept = await keepOwn(unit, row, isCopy)
  const isFirst = (await outboxOf(unit, group, 1)).length === 0
  const more = { ...(shown === undefined ? {} : { place: shown.place }), ...(isCopy ? { isCopy } : {}) }
  const entry: OutboxRow = { n: row.nextOutbox, counter, id, ...more }
  unit.put(keys.outbox(group, entry.n), entry)
  const ciphertext = isFirst && desk.isOnline ? await sealAtOnce(unit, desk, row, { entry, bytes }) : undefined
  const now = await groupAt(unit, group)
  unit.put(keys.group(group), { ...now, nextCounter: counter + 1, lastId: id, nextOutbox: row.nextOutbox + 1, ownKept })
  unit.afterwards(() => (ciphertext === undefined ? desk.wake(group) : desk.send(group, { entry, ciphertext })))
  return id
}

function assertCanBeResent({ length }: Uint8Array): void {
  if (length <= maxFirstContentBytes) return
  const text = `Cannot send the message: expected at most ${maxFirstContentBytes} bytes, got ${length}`
  throw new KezError("limit.size", text, { hint: "Send it in parts, or as a file." })
}

/**
 * What goes out next in any case is encrypted in the same step: one wait for the disk less. If the epoch changes before it went out, it is encrypted
 * anew (outbox.ts). Undefined: something else comes first, such as the removal of a revoked device.
 */
async function sealAtOnce(
  unit: Unit,
  desk: Desk,
  { group, thread: id, isStopped = false }: GroupRow,
  { entry, bytes }: { readonly entry: OutboxRow; readonly bytes: Uint8Array },
): Promise<Uint8Array | undefined> {
  const cipher = await desk.ciphers.of(group)
  if (cipher.pending !== undefined || !isOpen(cipher, desk.chain)) return undefined
  const ciphertext = await trySeal(unit, cipher, { group, entry, bytes })
  const thread = await unit.get<ThreadRow>(keys.thread(id))
  return isStopped || thread === undefined || (await stopOf(unit, thread)) !== undefined ? undefined : ciphertext
}

interface Unsealed {
  readonly group: Digest
  readonly entry: OutboxRow
  readonly bytes: Uint8Array
}

/** That nothing can be sent now is no reason to lose what is to be sent, or what it is to be sent for: the worker says what it waits for. */
async function trySeal(unit: Unit, cipher: GroupCipher, unsealed: Unsealed): Promise<Uint8Array | undefined> {
  try {
    return await seal(unit, cipher, unsealed)
  } catch (error) {
    if (error instanceof KezError && !error.code.startsWith("store.")) return undefined
    throw error
  }
}

/** Encrypts what stands in the outbox, in the epoch in force. */
export async function seal(unit: Unit, cipher: GroupCipher, { group, entry, bytes }: Unsealed): Promise<Uint8Array> {
  const ciphertext = await cipher.encrypt(bytes)
  const { n, counter, id, place, isCopy } = entry
  const more = { ...(place === undefined ? {} : { place }), ...(isCopy === undefined ? {} : { isCopy }) }
  const row: OutboxRow = { n, counter, id, ...more, epoch: cipher.epoch }
  unit.put(keys.outbox(group, n), row, ciphertext)
  return ciphertext
}

/** What was sent is kept for who misses it; copies of it are not, and push nothing out. Returns how many are kept. */
async function keepOwn(unit: Unit, { group, nextCounter, ownKept }: GroupRow, isCopy: boolean): Promise<number> {
  const kept = ownKept ?? Math.min(nextCounter, keptOwn)
  if (isCopy || kept < keptOwn) return isCopy ? kept : kept + 1
  const [oldest] = await unit.rows(keys.own(group), 1)
  if (oldest !== undefined) unit.delete(oldest.key)
  return kept
}

function queue(unit: Unit, { group, nextOutbox: n }: GroupRow, entry: Omit<OutboxRow, "n">): void {
  unit.put(keys.outbox(group, n), { n, ...entry } satisfies OutboxRow)
}

export async function groupAt(unit: Unit, group: Digest): Promise<GroupRow> {
  const row = await unit.get<GroupRow>(keys.group(group))
  if (row === undefined) throw new Error("a message of no group")
  return row
}

export interface OutboxEntry extends OutboxRow {
  /** Once it was made. */
  readonly ciphertext: Uint8Array | undefined
}

export async function outboxOf(unit: Unit, group: Digest, limit?: number): Promise<readonly OutboxEntry[]> {
  return (await unit.rows(keys.outbox(group), limit)).map(({ value }) => {
    const { value: row, bytes } = decodeRow<OutboxRow>(value)
    return { ...row, ciphertext: bytes.length === 0 ? undefined : bytes }
  })
}

/** What stood inside one of our own messages; undefined: too long ago. */
export async function ownMessage(unit: Unit, group: Digest, counter: number): Promise<Uint8Array | undefined> {
  return (await unit.row<null>(keys.own(group, counter)))?.bytes
}

/** Writes down what the server has said that it has. */
export async function markAnswered(unit: Unit, desk: Desk, group: Digest): Promise<void> {
  const answered = desk.answeredOf(group)
  if (answered.length === 0) return
  for (const entry of answered) {
    // Done in this step already, or taken in anew because the server lost it.
    if ((await unit.bytes(keys.outbox(group, entry.n))) !== undefined) await markSent(unit, desk, group, entry)
  }
  unit.afterwards(() => desk.forgetAnswered(group, answered))
}

export async function markAllAnswered(desk: Desk): Promise<void> {
  for (const group of desk.answered.keys()) await desk.turn((unit) => markAnswered(unit, desk, group))
}

/** The server has it on its disk. */
async function markSent(unit: Unit, desk: Desk, group: Digest, entry: OutboxRow): Promise<void> {
  const { thread, confirmed = 0 } = await groupAt(unit, group)
  unit.delete(keys.outbox(group, entry.n))
  if (entry.isCopy === true) unit.delete(keys.own(group, entry.counter))
  if (entry.place === undefined) return
  if (await isArchived(desk, group)) await archiveLater(unit, desk, { kind: "message", thread, id: entry.id })
  const state = entry.counter < confirmed ? "delivered" : "sent"
  unit.put(keys.unconfirmed(group, entry.counter), { id: entry.id, place: entry.place, state } satisfies UnconfirmedRow)
  const row = await unit.get<MessageRow>(keys.message(thread, entry.place))
  // A receipt may have been faster than the server's answer.
  if (row?.state === "delivered" || row?.state === "read") return
  await changeMessage(unit, desk, { thread, place: entry.place }, { state: "sent" })
}

/** Nothing more is sent in this group by itself. */
export async function failAll(unit: Unit, desk: Desk, group: Digest, fault: KezError): Promise<void> {
  await markAnswered(unit, desk, group)
  const before = await groupAt(unit, group)
  const { thread } = before
  unit.put(keys.group(group), { ...before, isStopped: true })
  for (const { place } of await outboxOf(unit, group)) {
    if (place === undefined) continue
    const change = { state: "failed", code: fault.code, reason: fault.message } as const
    await changeMessage(unit, desk, { thread, place }, change)
  }
}

/** Tries again what failed, in its order. */
export async function retryAll(unit: Unit, desk: Desk, group: Digest): Promise<void> {
  await markAnswered(unit, desk, group)
  const { isStopped: _, ...row } = await groupAt(unit, group)
  unit.put(keys.group(group), row)
  for (const { place } of await outboxOf(unit, group)) {
    const change = { state: "waiting", code: undefined, reason: undefined } as const
    if (place !== undefined) await changeMessage(unit, desk, { thread: row.thread, place }, change)
  }
  unit.afterwards(() => desk.wake(group))
}

/** Why what waits is not sent yet. Told once for each reason. */
export async function holdUp(
  unit: Unit,
  desk: Desk,
  group: Digest,
  why: { readonly code: string; readonly reason: string },
): Promise<void> {
  await markAnswered(unit, desk, group)
  const { thread } = await groupAt(unit, group)
  for (const { place } of await outboxOf(unit, group)) {
    const row = place === undefined ? undefined : await unit.get<MessageRow>(keys.message(thread, place))
    if (place === undefined || row?.reason === why.reason) continue
    // A receipt was faster than the server's answer, which got lost.
    if (row?.state === "delivered" || row?.state === "read") continue
    await changeMessage(unit, desk, { thread, place }, { state: "waiting", ...why })
  }
}

/** The server lost what it had: all that nobody confirmed goes out again, in its order, before what is new. */
export async function sendUnconfirmedAgain(unit: Unit, desk: Desk, group: Digest): Promise<void> {
  await markAnswered(unit, desk, group)
  const waiting = await outboxOf(unit, group)
  const inOutbox = new Set(waiting.map(({ counter }) => counter))
  const rows = await unit.list<UnconfirmedRow>(keys.unconfirmed(group))
  const row = await groupAt(unit, group)
  const again: Omit<OutboxRow, "n">[] = []
  const unconfirmed = await unit.rows(keys.unconfirmed(group))
  for (const [i, { key }] of unconfirmed.entries()) {
    const counter = Number(key.slice(-16))
    const entry = rows[i]
    if (entry?.state !== "sent" || inOutbox.has(counter)) continue
    again.push({ counter, id: entry.id, ...(entry.place === undefined ? {} : { place: entry.place }) })
  }
  if (again.length === 0) return
  for (const { n } of waiting) unit.delete(keys.outbox(group, n))
  const all = [...again, ...waiting.map(({ n: _, ciphertext: __, epoch: ___, ...entry }) => entry)]
  for (const [i, entry] of all.entries()) queue(unit, { ...row, nextOutbox: row.nextOutbox + i }, entry)
  unit.put(keys.group(group), { ...row, nextOutbox: row.nextOutbox + all.length })
  unit.afterwards(() => desk.wake(group))
}

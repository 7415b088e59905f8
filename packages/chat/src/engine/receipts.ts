/** Receipts: what we say of messages of others, and what they say of ours. One says that all of a device up to a number came, or were read. */
import type { Digest } from "@kez/core"
import type { ContentTypes } from "../wire/content.ts"
import { firstFor } from "./came-in.ts"
import type { Desk } from "./desk.ts"
import { changeMessage } from "./message-rows.ts"
import { enqueue, groupAt, markAnswered, outboxOf } from "./outbox-rows.ts"
import {
  decodeRow,
  type GroupRow,
  keys,
  type MessageRow,
  padded,
  type ReceiptRow,
  type ThreadRow,
  type UnconfirmedRow,
} from "./row.ts"
import { settingsOf } from "./settings.ts"
import { mayTell } from "./threads.ts"
import type { Unit } from "./unit.ts"

/** Larger conversations would be full of them. */
export const maxReceiptMembers = 8

/** Delivered messages that a receipt of reading is waited for. */
const maxDelivered = 500
const maxDroppedAtOnce = 64

const nothing: ReceiptRow = { delivered: 0, saidDelivered: 0, read: 0, saidRead: 0 }

/** `delivered`: how many of the device's messages came, without a gap. Receipts alone ask for none. */
export async function noteReceived(
  unit: Unit,
  group: Digest,
  { device, delivered, isShown }: { readonly device: string; readonly delivered: number; readonly isShown: boolean },
): Promise<void> {
  if (!isShown) return
  const row = await groupAt(unit, group)
  const before = row.receipts[device] ?? nothing
  if (delivered <= before.delivered) return
  unit.put(keys.group(group), { ...row, receipts: { ...row.receipts, [device]: { ...before, delivered } } })
}

/** All messages up to this place were read. */
export async function noteRead(unit: Unit, desk: Desk, thread: ThreadRow, upTo: string): Promise<void> {
  const rows = await unit.after(keys.message(thread.id), thread.readPlace, 10_000)
  for (const { value } of rows) {
    const { place, device, counter, group, isOwn } = decodeRow<MessageRow>(value).value
    if (place > upTo || isOwn) continue
    const row = await unit.get<GroupRow>(keys.group(group))
    // Out of the archive: somebody said so then.
    if (row === undefined) continue
    const before = row.receipts[device] ?? nothing
    const read = Math.max(before.read, counter + 1)
    unit.put(keys.group(group), { ...row, receipts: { ...row.receipts, [device]: { ...before, read } } })
    unit.afterwards(() => desk.wake(group))
  }
}

/** Takes the receipts that are due into the outbox. True: there were some. */
export async function sayReceipts(unit: Unit, desk: Desk, group: GroupRow): Promise<boolean> {
  const thread = await unit.get<ThreadRow>(keys.thread(group.thread))
  const cipher = await desk.ciphers.of(group.group)
  if (thread === undefined || cipher.state.members.length > maxReceiptMembers || !(await mayTell(unit, thread)))
    return false
  const { readReceipts } = await settingsOf(unit)
  let said = false
  for (const [device, receipt] of Object.entries(group.receipts)) {
    const isRead = readReceipts && receipt.read > receipt.saidRead && receipt.read <= receipt.delivered
    if (!isRead && receipt.delivered <= receipt.saidDelivered) continue
    const counter = (isRead ? receipt.read : receipt.delivered) - 1
    await enqueue(unit, desk, {
      ...{ group: group.group, type: "receipt", content: { state: isRead ? "read" : "delivered", device, counter } },
    })
    const now = await groupAt(unit, group.group)
    const after = {
      ...receipt,
      saidDelivered: Math.max(receipt.saidDelivered, isRead ? receipt.read : receipt.delivered),
      ...(isRead ? { saidRead: receipt.read } : {}),
    }
    unit.put(keys.group(group.group), { ...now, receipts: { ...now.receipts, [device]: after } })
    said = true
  }
  return said
}

interface ReceiptFrom {
  readonly group: Digest
  readonly thread: Digest
  readonly chain: Digest
  readonly by: string
  /** The device that says it is not revoked. */
  readonly isCurrent: boolean
}

/** What another says of our messages. */
export async function takeReceipt(
  unit: Unit,
  desk: Desk,
  { state, device, counter }: ContentTypes["receipt"],
  { group, thread, chain, by, isCurrent }: ReceiptFrom,
): Promise<void> {
  // Who has a stolen device does not say what its person got.
  if (device !== desk.device || !isCurrent) return
  await markAnswered(unit, desk, group)
  const before = withinSent(await groupAt(unit, group))
  // Of what was never sent: it would count for all that is sent from now on.
  if (counter >= before.nextCounter) return
  const low = firstReadBy(before, by, counter)
  // Faster than the server's answer to us: it stays in the outbox until that comes.
  for (const entry of await outboxOf(unit, group)) {
    if (entry.counter > counter || entry.counter < low || entry.place === undefined || entry.ciphertext === undefined)
      continue
    await changeMessage(unit, desk, { thread, place: entry.place }, { state })
  }
  const { confirmed = 0, given, confirmedBy = {} } = before
  // All before that were said to be delivered already, but for what only lost devices could read.
  const start = given?.[by] === undefined ? confirmed : Math.min(confirmed, low)
  const place = state === "read" || start === 0 ? "" : padded(start - 1)
  for (const { key, value } of await unit.after(keys.unconfirmed(group), place, Number.MAX_SAFE_INTEGER)) {
    const at = Number(key.slice(-16))
    if (at > counter || at < low) continue
    const row = decodeRow<UnconfirmedRow>(value).value
    if (state === "read") unit.delete(key)
    else if (row.state === "delivered") continue
    else unit.put(key, { ...row, state: "delivered" } satisfies UnconfirmedRow)
    if (row.place !== undefined) await changeMessage(unit, desk, { thread, place: row.place }, { state })
  }
  await dropOldest(unit, group, counter - maxDelivered)
  // What was before he came in is not his to confirm.
  const known = confirmedBy[chain] ?? firstFor(before, await desk.ciphers.of(group), chain)
  const isFurther = low <= known && counter >= known
  if (counter < confirmed && !isFurther) return
  unit.put(keys.group(group), {
    ...withinSent(await groupAt(unit, group)),
    confirmed: Math.max(confirmed, counter + 1),
    ...(isFurther ? { confirmedBy: { ...confirmedBy, [chain]: counter + 1 } } : {}),
  } satisfies GroupRow)
}

/** Rows of before may hold what somebody said of messages that were never sent. */
function withinSent(row: GroupRow): GroupRow {
  const { confirmed, confirmedBy, nextCounter } = row
  const kept = Object.entries(confirmedBy ?? {}).filter(([, counter]) => counter <= nextCounter)
  return {
    ...row,
    ...(confirmed === undefined ? {} : { confirmed: confirmed > nextCounter ? 0 : confirmed }),
    ...(confirmedBy === undefined ? {} : { confirmedBy: Object.fromEntries(kept) }),
  }
}

/** Of our messages: a device that came later says nothing of what was before, but of what it was given of it. */
function firstReadBy({ since, given }: GroupRow, by: string, counter: number): number {
  const first = since?.[by] ?? 0
  const more = given?.[by]
  return more === undefined || counter < more.last ? first : Math.min(first, more.from)
}

/** Who never says that he read it would make them grow without end. */
async function dropOldest(unit: Unit, group: Digest, before: number): Promise<void> {
  const [oldest] = before <= 0 ? [] : await unit.rows(keys.unconfirmed(group), 1)
  // Many at once: each look at them reads them.
  if (oldest === undefined || Number(oldest.key.slice(-16)) > before - maxDroppedAtOnce / 2) return
  for (const { key } of await unit.rows(keys.unconfirmed(group), maxDroppedAtOnce)) {
    if (Number(key.slice(-16)) < before) unit.delete(key)
  }
}

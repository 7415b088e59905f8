/** What a device's count says is missing: told, and asked for of that device in pieces. */
import { type Digest, KezError } from "@kez/core"
import type { FarAhead } from "../cipher/group-cipher.ts"
import { maxAskedMessages } from "../limits.ts"
import { close, openAlarms, raise } from "./alarms.ts"
import type { Desk } from "./desk.ts"
import { changeMessage } from "./message-rows.ts"
import { enqueue, groupAt } from "./outbox-rows.ts"
import { noteReceived } from "./receipts.ts"
import { type GroupRow, keys, type ThreadRow } from "./row.ts"
import { type DeviceSequence, isAskDue, isMissed, missingOf, putSequence, sequenceOf, skipIn } from "./sequence-rows.ts"
import { mayTell } from "./threads.ts"
import type { Unit } from "./unit.ts"

interface Missing {
  readonly conversation: Digest
  readonly device: string
  readonly from: number
  readonly to: number
}

/** One for each device: one that names holes without end must not hide those of others behind them. */
export async function raiseMissing(unit: Unit, desk: Desk, missing: Missing): Promise<void> {
  const { conversation, device, from, to } = missing
  const isOpen = (await openAlarms(unit)).some(
    ({ alarm }) => alarm.kind === "messages_missing" && alarm.conversation === conversation && alarm.device === device,
  )
  if (isOpen) return
  const fault = new KezError("chat.gap", `Messages ${from} to ${to} of a device did not come`, {
    hint: "They were asked for again of who sent them. The server lost them, or holds them back.",
  })
  await raise(unit, desk, { kind: "messages_missing", ...missing }, fault)
}

/** What came is not missing any more. */
export function closeMissing(unit: Unit, desk: Desk, conversation: Digest, sequence: DeviceSequence): Promise<void> {
  return close(
    unit,
    desk,
    (alarm) =>
      alarm.kind === "messages_missing" &&
      alarm.conversation === conversation &&
      alarm.device === sequence.device &&
      !isMissed(sequence, alarm),
  )
}

/** What waits in the outbox is encrypted anew in a later epoch: so many messages may come that were counted already. */
const maxSentTwice = 64

/** Whoever let this device in said of another one where its messages stand, and they stand elsewhere. */
export async function judgeTold(
  unit: Unit,
  desk: Desk,
  group: GroupRow,
  { device, counter, told }: { readonly device: string; readonly counter: number; readonly told: number },
): Promise<void> {
  if (counter < told && told - counter <= maxSentTwice) return
  const { thread: conversation, toldBy } = group
  const by = toldBy === undefined || toldBy.chain === desk.chain ? {} : { contact: toldBy.chain }
  const fault = new KezError("chat.gap", "Who let this device in said something wrong about what another device sent", {
    hint: "Nothing of it is lost: the device itself was believed. What was sent before is not for you.",
  })
  await raise(unit, desk, { kind: "told_wrong", conversation, ...by, device }, fault)
}

/** A device says that it sends nothing before a message of it: it was not for this one, or is not there any more. */
export async function passOver(
  unit: Unit,
  desk: Desk,
  {
    group,
    thread,
    device,
    before,
  }: { readonly group: Digest; readonly thread: Digest; readonly device: string; readonly before: number },
): Promise<void> {
  const sequence = await sequenceOf(unit, group, device)
  if (before <= sequence.sequence.next) return
  const { after, released, lost } = skipIn(sequence, before)
  putSequence(unit, group, after)
  for (const place of released) await changeMessage(unit, desk, { thread, place }, { isEarly: false })
  if (released.length > 0) await noteReceived(unit, group, { device, delivered: after.sequence.next, isShown: true })
  if (lost !== undefined) await raiseMissing(unit, desk, { conversation: thread, device, from: lost.from, to: lost.to })
  if (lost?.fault !== undefined) {
    const { next: counter } = after.sequence
    await raise(unit, desk, { kind: "sender_fork", conversation: thread, device, counter }, lost.fault)
  }
  await closeMissing(unit, desk, thread, after)
}

interface Asked {
  readonly group: Digest
  readonly thread: ThreadRow
  readonly device: string
}

/** What is missing and did not come by history is asked for of its sender. */
export async function askAgain(unit: Unit, desk: Desk, { group, thread, device }: Asked): Promise<void> {
  const before = await sequenceOf(unit, group, device)
  const missing = missingOf(before)
  if (missing === undefined || !isAskDue(before, desk.now())) return
  const { from, to } = missing
  await raiseMissing(unit, desk, { conversation: thread.id, device, from, to })
  const askedTimes = before.askedFrom === from ? (before.askedTimes ?? 1) + 1 : 1
  putSequence(unit, group, { ...before, askedAt: desk.now(), askedFrom: from, askedTimes })
  if (!(await mayTell(unit, thread))) return
  const content = { device, from, to: Math.min(to, from + maxAskedMessages - 1) }
  await enqueue(unit, desk, { group, type: "resend_request", content })
}

/**
 * Something of a device is so far ahead that it cannot be opened, and the history does not have what is before it. Nor could what is sent again be opened
 * in this epoch: a new one is begun.
 */
export async function noteFar(unit: Unit, desk: Desk, group: Digest, { device, ahead }: FarAhead): Promise<void> {
  const row = await groupAt(unit, group)
  const thread = await unit.get<ThreadRow>(keys.thread(row.thread))
  if (thread === undefined) return
  const before = await sequenceOf(unit, group, device)
  const farTo = before.sequence.next + Math.min(ahead + 1, maxAskedMessages)
  putSequence(unit, group, { ...before, farTo: Math.max(before.farTo ?? 0, farTo) })
  await askAgain(unit, desk, { group, thread, device })
  const { epoch } = await desk.ciphers.of(group)
  unit.put(keys.group(group), { ...(await groupAt(unit, group)), stuckEpoch: epoch } satisfies GroupRow)
}

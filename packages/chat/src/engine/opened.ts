/** A message that was opened: placed among those of its device, then kept, shown or acted on, all in one step with the key that opened it. */
import { type Digest, KezError } from "@kez/core"
import type { OpenedMessage } from "../cipher/group-cipher.ts"
import type { ContentTypes } from "../wire/content.ts"
import { decodeMessage, type Message, readResent } from "../wire/message.ts"
import { raise } from "./alarms.ts"
import { contactRow } from "./contact-rows.ts"
import type { Desk } from "./desk.ts"
import { fileStateName } from "./files-part.ts"
import { takeGiven } from "./given.ts"
import { takeLeave } from "./groups.ts"
import { changeMessage, isShown, keepSaid, type Origin } from "./message-rows.ts"
import { closeMissing, judgeTold, passOver, raiseMissing } from "./missing.ts"
import { takePresence, takeShares } from "./presence-rows.ts"
import { noteReceived, takeReceipt } from "./receipts.ts"
import { answerResend } from "./resend.ts"
import { type GroupRow, keys, type ThreadRow } from "./row.ts"
import { placeIn, putSequence, sequenceOf, slotBefore } from "./sequence-rows.ts"
import { mayTell } from "./threads.ts"
import type { Unit } from "./unit.ts"

export interface OpenedAt {
  readonly group: Digest
  /** The server's place; undefined for one that was sent again inside another message, or live. */
  readonly seq: number | undefined
  readonly isHistory?: boolean
}

export async function takeOpened(unit: Unit, desk: Desk, opened: OpenedMessage, at: OpenedAt): Promise<void> {
  const { chain, device } = opened.sender
  const isBlocked = (await contactRow(unit, chain))?.standing === "blocked"
  let message: Message
  try {
    message = decodeMessage(opened.content, device)
  } catch (fault) {
    if (!(fault instanceof KezError)) throw fault
    return refuse(unit, desk, at, fault)
  }
  const sender = { chain, epoch: opened.epoch, isCurrent: !isOut(opened.sender) }
  if (isBlocked) return count(unit, desk, message, { ...at, ...sender })
  if (message.content.type === "typing") return tellTyping(unit, desk, message.content, { group: at.group, chain })
  if (message.content.type === "presence")
    return takePresence(unit, desk, message.body, { group: at.group, chain, device, wish: message.content.for })
  if (message.content.type === "shares")
    return takeShares(unit, desk, message.body, { group: at.group, chain, device, shares: message.content })
  await place(unit, desk, message, { ...at, ...sender, at: opened.at, by: device })
}

/** Revoked: in the conversation until the commit that removes it. */
function isOut({ standing }: Pick<OpenedMessage["sender"], "standing">): boolean {
  return standing === "revoked" || standing === "suspended"
}

/** Of somebody who is blocked: it has its place, so that it is not missed later, and nothing else comes of it, but that he may leave. */
async function count(
  unit: Unit,
  desk: Desk,
  { counter, id, prev, device, content }: Message,
  from: OpenedAt & Sender,
): Promise<void> {
  if (counter === undefined) return
  const { group, seq } = from
  const before = await sequenceOf(unit, group, device)
  const { after, arrival } = placeIn(before, { counter, id, ...(prev === undefined ? {} : { prev }) }, seq)
  putSequence(unit, group, after)
  const isNew = arrival.kind === "in_order" || arrival.kind === "gap"
  if (isNew && content.type === "membership") await letGo(unit, desk, from)
}

interface Sender {
  readonly chain: Digest
  /** Of what came, also where its own device sends it again: it does so for nothing of before it came in. 0: somebody else passed it on. */
  readonly epoch: number
  readonly isCurrent: boolean
}

/** Who has a stolen device does not make its person leave. */
async function letGo(unit: Unit, desk: Desk, { group, ...sender }: OpenedAt & Sender): Promise<void> {
  const row = await unit.get<GroupRow>(keys.group(group))
  if (row !== undefined && sender.isCurrent) await takeLeave(unit, desk, row, sender)
}

interface From extends OpenedAt, Sender {
  readonly at: number
  /** The device that sent it, which is another one where it was sent again. */
  readonly by: string
}

async function place(unit: Unit, desk: Desk, message: Message, from: From): Promise<void> {
  const { counter, id, prev, device } = message
  if (counter === undefined) return
  const group = await unit.get<GroupRow>(keys.group(from.group))
  if (group === undefined) return
  const before = await sequenceOf(unit, from.group, device)
  const placed = placeIn(before, { counter, id, ...(prev === undefined ? {} : { prev }) }, from.seq)
  const { arrival, after, released, lost } = placed
  const thread = group.thread
  switch (arrival.kind) {
    case "repeat":
      return
    case "fork":
      return raise(
        unit,
        desk,
        { kind: "sender_fork", conversation: thread, device, counter: arrival.counter },
        arrival.fault,
      )
    case "outside":
      return
    case "gap":
    case "late":
    case "in_order":
      break
  }
  const slot = slotBefore(before, counter)
  const origin: Origin = {
    ...{ thread, group: from.group, chain: from.chain, device, at: from.at, isEarly: arrival.kind !== "in_order" },
    ...(from.seq === undefined ? {} : { seq: from.seq }),
    ...(slot === undefined ? {} : { slot }),
  }
  const shownAt = await keepSaid(unit, desk, message, origin)
  const places = new Map(after.places)
  if (arrival.kind === "gap" && shownAt !== undefined) places.set(counter, shownAt)
  putSequence(unit, from.group, { ...after, places })
  for (const released_ of released) await changeMessage(unit, desk, { thread, place: released_ }, { isEarly: false })
  const fork = lost?.fault ?? (arrival.kind === "in_order" ? arrival.fault : undefined)
  if (fork !== undefined) {
    const { next: at } = after.sequence
    await raise(unit, desk, { kind: "sender_fork", conversation: thread, device, counter: at }, fork)
  }
  const told = arrival.kind === "in_order" ? arrival.wronglyTold : undefined
  if (told !== undefined) await judgeTold(unit, desk, group, { device, counter, told })
  if (lost !== undefined) await raiseMissing(unit, desk, { conversation: thread, device, from: lost.from, to: lost.to })
  await closeMissing(unit, desk, thread, after)
  if (from.chain !== desk.chain) {
    await noteReceived(unit, from.group, { device, delivered: after.sequence.next, isShown: isShown(message.content) })
  }
  await act(unit, desk, message, { ...from, thread })
}

async function act(unit: Unit, desk: Desk, message: Message, from: From & { readonly thread: Digest }): Promise<void> {
  const { content } = message
  switch (content.type) {
    case "receipt":
      if (from.chain !== desk.chain) await takeReceipt(unit, desk, content, from)
      return
    case "resend_request": {
      const { group, chain, by } = from
      if (content.device === desk.device) await answerResend(unit, desk, { ...content, group, chain, by })
      return
    }
    case "membership":
      return letGo(unit, desk, from)
    case "file_state": {
      const { conversation, chain, device } = { conversation: from.thread, chain: from.chain, device: message.device }
      const { transfer, state } = content
      if (state === "open" || !from.isCurrent) return
      unit.put(keys.shelf(fileStateName({ transfer, conversation, device })), {
        conversation,
        chain,
        device,
        transfer,
        state,
      })
      unit.afterwards(() => desk.tell({ kind: "file_state", conversation, chain, device, transfer, state }))
      return
    }
    case "not_resent": {
      const { group, thread, by: device } = from
      const { counter = 0 } = message
      if (content.to !== desk.device || content.before > counter || message.device !== device) return
      return passOver(unit, desk, { group, thread, device, before: content.before })
    }
    case "resent":
      return takeResent(unit, desk, { message, content }, from)
  }
}

/**
 * A message that was missing. From its own device it is believed; from another only if it is the one that a later message of its device names as the one
 * before: nobody else can make that.
 */
async function takeResent(
  unit: Unit,
  desk: Desk,
  { message, content }: { readonly message: Message; readonly content: ContentTypes["resent"] },
  from: From & { readonly thread: Digest },
): Promise<void> {
  let inner: Message
  try {
    inner = readResent(message.body)
  } catch (fault) {
    if (fault instanceof KezError) return
    throw fault
  }
  if (inner.device !== content.device || inner.counter !== content.counter || inner.content.type === "resent") return
  const before = await sequenceOf(unit, from.group, inner.device)
  const isByItself = inner.device === from.by
  if (content.at !== undefined && isByItself && content.counter < (before.begunAt ?? 0)) {
    return takeGiven(unit, desk, inner, { ...from, at: Math.min(content.at, from.at), before })
  }
  if (!isByItself && before.sequence.held.get(content.counter + 1)?.prev !== inner.id) return
  if (isByItself) return place(unit, desk, inner, { ...from, seq: undefined })
  const owner = (await desk.ciphers.of(from.group)).members().find(({ device }) => device === inner.device)
  if (owner === undefined) return
  // What it does is judged by who said it, not by who passed it on; and nobody says in which epoch it was.
  const said = { chain: owner.chain, isCurrent: !isOut(owner), by: inner.device, epoch: 0 }
  await place(unit, desk, inner, { ...from, ...said, seq: undefined })
}

export async function refuse(unit: Unit, desk: Desk, { group, seq = 0 }: OpenedAt, fault: KezError): Promise<void> {
  const conversation = (await unit.get<GroupRow>(keys.group(group)))?.thread ?? group
  await raise(unit, desk, { kind: "message_refused", conversation, seq }, fault)
}

async function tellTyping(
  unit: Unit,
  desk: Desk,
  { state }: { readonly state: "on" | "off" },
  { group, chain }: { readonly group: Digest; readonly chain: Digest },
): Promise<void> {
  const row = await unit.get<GroupRow>(keys.group(group))
  const thread = row === undefined ? undefined : await unit.get<ThreadRow>(keys.thread(row.thread))
  if (thread === undefined || chain === desk.chain || !(await mayTell(unit, thread))) return
  unit.afterwards(() => desk.tell({ kind: "typing", conversation: thread.id, chain, isTyping: state === "on" }))
}

/**
 * What comes from the mailbox: kept with the cursor in one step, then worked off conversation by conversation, each piece in one step with what it
 * changed. Nothing that the server says in the clear is believed: it only says what to try.
 */
import { type Digest, KezError } from "@kez/core"
import type { MessageOutcome } from "../cipher/group-cipher.ts"
import type { MailboxItem } from "../transport/transport.ts"
import { isCounted } from "../wire/content.ts"
import { type Delivery, decodeDelivery, decodeLive, type Live } from "../wire/delivery.ts"
import { decodeMessage } from "../wire/message.ts"
import { raise } from "./alarms.ts"
import { takeCommit } from "./commit-rows.ts"
import { contactRow } from "./contact-rows.ts"
import type { Desk } from "./desk.ts"
import { Held, type Waiting } from "./held.ts"
import { type OpenedAt, refuse, takeOpened } from "./opened.ts"
import { markAnswered } from "./outbox-rows.ts"
import { type GroupRow, keys } from "./row.ts"
import { type Coming, noteStrangers, roomFor } from "./strangers.ts"
import type { Unit } from "./unit.ts"
import { takeWelcome } from "./welcome.ts"

/** Messages that are opened in one step. */
const maxAtOnce = 32

export const groupOf = (conversation: string): Digest => `sha256:${conversation}`

interface Arrived {
  readonly seq: number
  readonly bytes: Uint8Array
  readonly group: Digest
  readonly delivery: Delivery
}

/** What came after the cursor and is for this device, and the cursor after it. */
async function arrivedOf(unit: Unit, desk: Desk, items: readonly MailboxItem[]) {
  const arrived: Arrived[] = []
  let cursor = Math.max((await unit.get<number>(keys.cursor)) ?? 0, desk.cursorAhead)
  for (const { seq, bytes } of items) {
    if (seq <= cursor) continue
    cursor = seq
    const delivery = tryDelivery(bytes)
    // Bytes that are no delivery, and Welcomes for other devices of this person.
    if (delivery === undefined || (delivery.kind === "welcome" && delivery.device !== desk.name.dev)) continue
    // What this run sent comes back to it; the rest of its own is told by the cipher. A wrong name is as good as a message that is held back.
    if (delivery.kind === "message" && desk.sent.has(delivery.id)) continue
    arrived.push({ seq, bytes, group: groupOf(delivery.conversation), delivery })
  }
  return { arrived, cursor }
}

/** Takes items, with the cursor. Returns the groups that have work now. */
export async function takeMailbox(desk: Desk, items: readonly MailboxItem[]): Promise<ReadonlySet<Digest>> {
  const groups = await takeAtOnce(desk, items).catch((error: unknown) => {
    if (error instanceof KezError && error.code.startsWith("store.")) throw error
    // One of them has to wait, or is to be refused: which one, the inbox shows.
    return undefined
  })
  return groups ?? desk.turn((unit) => takeIntoInbox(unit, desk, items))
}

/**
 * Opens what came in one step with the cursor, where nothing before it waits: what arrives while one looks on costs one wait for the disk, and so do
 * many that arrive together. Undefined: it has to go through the inbox; then nothing was changed.
 */
function takeAtOnce(desk: Desk, items: readonly MailboxItem[]): Promise<ReadonlySet<Digest> | undefined> {
  return desk.turn(async (unit) => {
    const { arrived, cursor } = await arrivedOf(unit, desk, items)
    const groups = new Set(arrived.map(({ group }) => group))
    if (arrived.length > maxAtOnce || arrived.some(({ delivery }) => delivery.kind !== "message")) return undefined
    for (const group of groups) {
      const isFree = (await unit.bytes(keys.group(group))) !== undefined
      if (!isFree || (await unit.rows(keys.inbox(group), 1)).length > 0) return undefined
    }
    // What is skipped waits for no disk: from an older cursor it is skipped again.
    if (arrived.length === 0) {
      desk.cursorAhead = cursor
      return groups
    }
    for (const { delivery } of arrived) await take(unit, desk, delivery)
    for (const group of groups) await markAnswered(unit, desk, group)
    unit.put(keys.cursor, cursor)
    return groups
  })
}

async function takeIntoInbox(unit: Unit, desk: Desk, items: readonly MailboxItem[]): Promise<ReadonlySet<Digest>> {
  const { arrived, cursor } = await arrivedOf(unit, desk, items)
  const groups = new Set<Digest>()
  const rooms = new Map<Digest, number>()
  const full = new Map<Digest, number>()
  const coming: Coming[] = []
  for (const { seq, bytes, group, delivery } of arrived) {
    const room = rooms.get(group) ?? (await roomFor(unit, group))
    rooms.set(group, room - 1)
    if (delivery.kind !== "welcome" && room <= 0) {
      full.set(group, Math.min(full.get(group) ?? delivery.seq, delivery.seq))
      continue
    }
    unit.putBytes(keys.inbox(group, seq), bytes)
    coming.push({ group, bytes: bytes.length })
    groups.add(group)
  }
  for (const [group, from] of full) if (await noteBehind(unit, group, from)) groups.add(group)
  unit.put(keys.cursor, cursor)
  await noteStrangers(unit, coming, isWelcomeRow)
  return groups
}

/** What is dropped here is read from the history. False: this device is not in the conversation (yet). */
async function noteBehind(unit: Unit, group: Digest, from: number): Promise<boolean> {
  const row = await unit.get<GroupRow>(keys.group(group))
  if (row === undefined) return false
  const behindFrom = Math.min(row.behindFrom ?? from, from)
  unit.put(keys.group(group), { ...row, isBehind: true, behindFrom } satisfies GroupRow)
  return true
}

const isWelcomeRow = (bytes: Uint8Array): boolean => tryDelivery(bytes)?.kind === "welcome"

function tryDelivery(bytes: Uint8Array): Delivery | undefined {
  try {
    return decodeDelivery(bytes)
  } catch (fault) {
    if (fault instanceof KezError) return undefined
    throw fault
  }
}

function tryLive(bytes: Uint8Array): Live | undefined {
  try {
    return decodeLive(bytes)
  } catch (fault) {
    if (fault instanceof KezError) return undefined
    throw fault
  }
}

/** Works off what waits, in its order, as often as that leads on. Resolves to the rest. */
export async function workInbox(desk: Desk, group: Digest): Promise<readonly Waiting[]> {
  for (;;) {
    const rows = await desk.turn((unit) => unit.rows(keys.inbox(group)))
    const waiting: Waiting[] = []
    for (const { key, value } of rows) {
      if (desk.isClosed) return waiting
      const delivery = tryDelivery(value)
      const held =
        delivery === undefined ? undefined : await workOff(desk, delivery, { done: (unit) => unit.delete(key) })
      if (delivery === undefined) await desk.turn(async (unit) => unit.delete(key))
      if (held !== undefined) waiting.push({ key, seq: delivery?.seq ?? 0, bytes: value.length, held })
    }
    if (waiting.length === rows.length || waiting.length === 0) return waiting
  }
}

interface WorkingOff {
  readonly done?: (unit: Unit) => void
  /** It comes out of the conversation's history, not out of the mailbox. */
  readonly isHistory?: boolean
}

/** One delivery in one step. Resolves to what it has to wait for; then nothing was changed. */
export async function workOff(
  desk: Desk,
  delivery: Delivery,
  { done = () => undefined, isHistory = false }: WorkingOff = {},
): Promise<Held | undefined> {
  try {
    await desk.turn(async (unit) => {
      await take(unit, desk, delivery, isHistory)
      done(unit)
    })
    return undefined
  } catch (error) {
    if (error instanceof Held) return error
    if (error instanceof KezError && error.code.startsWith("store.")) throw error
    // What is wrong with a commit is refused (commit-rows.ts). All that comes later is in its epoch.
    if (delivery.kind === "commit") return new Held("again", { cause: error })
    await desk.turn(async (unit) => {
      await giveUp(unit, desk, delivery, error)
      done(unit)
    })
    return undefined
  }
}

/** Whatever somebody made to break the reader must not stop what comes behind it. */
async function giveUp(unit: Unit, desk: Desk, delivery: Delivery, error: unknown): Promise<void> {
  if (!(error instanceof KezError)) desk.fault(error)
  const text = "Cannot read what came: KEZ could not work it off"
  const fault =
    error instanceof KezError ? error : new KezError("internal", text, { hint: "Update KEZ.", cause: error })
  const group = groupOf(delivery.conversation)
  if ((await unit.bytes(keys.group(group))) === undefined) return
  await refuse(unit, desk, { group, seq: delivery.seq }, fault)
}

async function take(unit: Unit, desk: Desk, delivery: Delivery, isHistory = false): Promise<void> {
  const group = groupOf(delivery.conversation)
  if (delivery.kind === "welcome") return takeWelcome(unit, desk, delivery)
  const row = await unit.get<GroupRow>(keys.group(group))
  if (row === undefined) throw new Held("welcome")
  if (row.isRemoved === true) return
  if (delivery.kind === "commit") return takeCommit(unit, desk, { row, ...delivery })
  await takeMessage(unit, desk, delivery.data, { row, at: { group, seq: delivery.seq, isHistory } })
}

async function takeMessage(
  unit: Unit,
  desk: Desk,
  data: Uint8Array,
  { row, at }: { readonly row: GroupRow; readonly at: OpenedAt },
): Promise<void> {
  const cipher = await desk.ciphers.of(row.group)
  if (cipher.isRemoved) return
  const outcome = await cipher.decrypt(data)
  switch (outcome.kind) {
    case "own":
      return
    case "ahead":
      throw new Held("commits", { epoch: outcome.epoch })
    case "message": {
      if (!outcome.isHeadKnown) desk.ciphers.missed.add(outcome.head.chain)
      await takeOpened(unit, desk, outcome, at)
      return noteOpened(unit, at)
    }
    case "refused":
      return takeRefused(unit, desk, outcome, { row, at })
  }
}

/** In the conversation's row, which a message that is shown changes anyway. */
async function noteOpened(unit: Unit, { group, seq = 0 }: OpenedAt): Promise<void> {
  const row = await unit.get<GroupRow>(keys.group(group))
  if (row === undefined || seq <= (row.openedTo ?? 0)) return
  unit.put(keys.group(group), { ...row, openedTo: seq } satisfies GroupRow)
}

async function takeRefused(
  unit: Unit,
  desk: Desk,
  { fault, far }: Extract<MessageOutcome, { kind: "refused" }>,
  { row, at }: { readonly row: GroupRow; readonly at: OpenedAt },
): Promise<void> {
  const { thread } = row
  switch (fault.code) {
    case "chat.repeat": {
      // Among what was read already it is a reader that was opened anew; behind that somebody puts it in again. In the history it stands once: a mailbox
      // may name its place as it was before a broker broke down. Nor is another ciphertext under a used key an alarm there (a copied device): what of it opens
      // later is a fork.
      if (at.isHistory === true || (at.seq ?? 0) <= (row.openedTo ?? Number.POSITIVE_INFINITY)) return
      return raise(unit, desk, { kind: "message_repeated", conversation: thread, seq: at.seq ?? 0 }, fault)
    }
    case "chat.gap":
      throw new Held("history", { far })
    case "chat.epoch":
      // From before this device was in it, or so late that its keys are gone: then the count of its sender shows it.
      return
    case "chat.fork":
      return raise(unit, desk, { kind: "conversation_fork", conversation: thread }, fault)
    default:
      return refuse(unit, desk, at, fault)
  }
}

/**
 * Something that came without being kept: opened if it can be, and forgotten otherwise. What has a place in its sender's count comes by the mailbox alone, which
 * brings it again where it could not be written: then nothing is changed, so that it can be opened there.
 */
export async function takeLive(desk: Desk, bytes: Uint8Array): Promise<void> {
  const live = tryLive(bytes)
  if (live === undefined) return
  await desk.turn(async (unit) => {
    const group = groupOf(live.conversation)
    const row = await unit.get<GroupRow>(keys.group(group))
    if (row === undefined || row.isRemoved === true) return
    const outcome = await (await desk.ciphers.of(group)).decrypt(live.data)
    if (outcome.kind !== "message") return
    const { type } = decodeMessage(outcome.content, outcome.sender.device).content
    if (isCounted(type)) throw new KezError("chat.policy", "Cannot take a message live: it is to be kept")
    if ((await contactRow(unit, outcome.sender.chain))?.standing === "blocked") return
    await takeOpened(unit, desk, outcome, { group, seq: undefined })
  })
}

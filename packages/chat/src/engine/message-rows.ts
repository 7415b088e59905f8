/** Messages as they are kept and as they are shown. */
import { type Digest, KezError } from "@kez/core"
import type { Content, ContentTypes } from "../wire/content.ts"
import { type Message, textOf } from "../wire/message.ts"
import { archiveLater, isArchived } from "./archive-rows.ts"
import type { Desk } from "./desk.ts"
import type { Delivered, Reaction, ShownMessage } from "./engine.ts"
import { noteOffer } from "./files-part.ts"
import { decodeRow, keys, type MessageRow, type NoteRow, padded, type ThreadRow } from "./row.ts"
import { tellConversation } from "./threads.ts"
import type { Unit } from "./unit.ts"

/** Where a disk stays full, messages beyond these are shown once they are kept. */
const maxShownAhead = 1_024

/** Who said it, where, and when. */
export interface Origin {
  readonly thread: Digest
  readonly group: Digest
  readonly chain: Digest
  readonly device: string
  readonly at: number
  readonly isEarly: boolean
  readonly seq?: number
  readonly slot?: number
}

/**
 * Of messages out of the archive, in the order in which they came to a device of ours; `n` counts them. They sort before all that came here, whose places
 * begin with a digit.
 */
export function archivePlace(cameAt: number, n: number): string {
  return `-${padded(cameAt)}.${padded(n)}`
}

export function isArchivePlace(place: string): boolean {
  return place.startsWith("-")
}

const shownTypes: ReadonlySet<string> = new Set(["text", "reply", "thread", "file_offer", "membership", "unknown"])

export function isShown({ type }: Content): boolean {
  return shownTypes.has(type)
}

/** Keeps a message that is shown. Returns its slot. */
export async function putMessage(unit: Unit, desk: Desk, message: Message, origin: Origin): Promise<MessageRow> {
  const { thread: id, slot: given, isEarly, ...from } = origin
  const thread = await threadAt(unit, id)
  // The archive had it first.
  const before = thread.nextArchived === undefined ? undefined : await unit.get<string>(keys.placeOf(id, message.id))
  if (before !== undefined && isArchivePlace(before)) unit.delete(keys.message(id, before))
  const slot = given ?? thread.nextSlot
  const counter = message.counter ?? 0
  const row: MessageRow = {
    ...{ id: message.id, place: `${padded(slot)}.${padded(counter)}`, group: from.group, chain: from.chain },
    ...{
      device: from.device,
      counter,
      at: from.at,
      cameAt: desk.now(),
      type: message.content.type,
      content: message.content,
    },
    ...(message.body.length === 0 ? {} : { text: textOf(message) }),
    ...{ isEarly, isOwn: from.chain === desk.chain },
    ...(from.seq === undefined ? {} : { seq: from.seq }),
    ...(from.device === desk.device ? { state: "waiting" as const } : {}),
  }
  unit.put(keys.message(id, row.place), row)
  unit.put(keys.placeOf(id, row.id), row.place)
  const { content } = message
  if (content.type === "file_offer") await noteOffer(unit, id, { chain: row.chain, transfer: content.transfer })
  // What this device sends is written once it is sent.
  if (from.device !== desk.device && (await isArchived(desk, from.group))) {
    await archiveLater(unit, desk, { kind: "message", thread: id, id: row.id })
  }
  const lastAt = Math.max(thread.lastAt ?? 0, from.at)
  const unread = thread.unread + (row.isOwn || row.place <= thread.readPlace ? 0 : 1)
  unit.put(keys.thread(id), { ...thread, lastAt, unread, nextSlot: Math.max(thread.nextSlot, slot + 1) })
  const shown = await show(unit, desk, id, row)
  tellMessage(unit, desk, { message: shown, isFromHere: from.device === desk.device })
  await tellConversation(unit, desk, id)
  return row
}

/**
 * What comes is shown while it is written: who reads need not wait for the disk. If it cannot be written nothing is lost, since the cursor stands: it
 * comes again, and is not shown twice: then it is told as changed, for who looked for it in the store meanwhile.
 */
function tellMessage(
  unit: Unit,
  desk: Desk,
  { message, isFromHere }: { readonly message: ShownMessage; readonly isFromHere: boolean },
): void {
  const name = `${message.conversation} ${message.id}`
  const isShownAhead = desk.shownAhead.has(name)
  const tell = (): void => desk.tell({ kind: "message", message })
  if (!isShownAhead && (isFromHere || desk.shownAhead.size >= maxShownAhead)) unit.afterwards(tell)
  else {
    unit.meanwhile(() => {
      desk.shownAhead.add(name)
      if (!isShownAhead) tell()
    })
    unit.afterwards(() => {
      desk.shownAhead.delete(name)
      if (isShownAhead) desk.tell({ kind: "message_changed", message })
    })
  }
}

export async function threadAt(unit: Unit, id: Digest): Promise<ThreadRow> {
  const thread = await unit.get<ThreadRow>(keys.thread(id))
  if (thread === undefined) throw new Error("a message of no conversation")
  return thread
}

export async function findMessage(unit: Unit, thread: Digest, id: Digest): Promise<MessageRow | undefined> {
  const place = await unit.get<string>(keys.placeOf(thread, id))
  return place === undefined ? undefined : unit.get<MessageRow>(keys.message(thread, place))
}

/** Changes what is kept of a message, and tells it. */
export async function changeMessage(
  unit: Unit,
  desk: Desk,
  { thread, place }: { readonly thread: Digest; readonly place: string },
  change: Partial<MessageRow>,
): Promise<void> {
  const row = await unit.get<MessageRow>(keys.message(thread, place))
  if (row === undefined) return
  const next = { ...row, ...change }
  unit.put(keys.message(thread, place), next)
  const message = await show(unit, desk, thread, next)
  unit.afterwards(() => {
    if (change.state === undefined) desk.tell({ kind: "message_changed", message })
    else desk.tell({ kind: "outbox", conversation: thread, message: row.id, delivered: deliveredOf(next) })
  })
}

/** An edit, a deletion or a reaction: kept beside what it is about, which may still be on its way. */
export async function putNote(unit: Unit, desk: Desk, message: Message, origin: Origin): Promise<void> {
  const { content, counter = 0, id } = message
  if (content.type !== "edit" && content.type !== "delete" && content.type !== "reaction") return
  const about = content.type === "reaction" ? content.to : content.of
  const { thread, chain, device, at } = origin
  const note: NoteRow = {
    ...{ id, kind: content.type, chain, device, counter, at },
    ...(content.type === "edit" ? { text: textOf(message) } : {}),
    ...(content.type === "reaction" ? { emoji: content.emoji, action: content.action } : {}),
  }
  unit.put(keys.note(thread, about, id), note)
  if (await isArchived(desk, origin.group)) await archiveLater(unit, desk, { kind: "note", thread, about, id })
  const row = await findMessage(unit, thread, about)
  if (row === undefined) return
  const shown = await show(unit, desk, thread, row)
  unit.afterwards(() => desk.tell({ kind: "message_changed", message: shown }))
}

/** Keeps what is said, shown or beside what it is about. Returns the place of what is shown. */
export async function keepSaid(unit: Unit, desk: Desk, message: Message, origin: Origin): Promise<string | undefined> {
  if (isShown(message.content)) {
    try {
      return (await putMessage(unit, desk, message, origin)).place
    } catch (fault) {
      // Text that is not UTF-8: its place counts, and it is shown as something that cannot be read.
      if (!(fault instanceof KezError)) throw fault
      const content: Content = { type: "unknown", name: message.content.type }
      return (await putMessage(unit, desk, { ...message, content, body: new Uint8Array() }, origin)).place
    }
  }
  await putNote(unit, desk, message, origin)
  return undefined
}

/** A message with what was said about it since. Only who wrote it can edit it or take it back. */
export async function show(unit: Unit, desk: Desk, thread: Digest, row: MessageRow): Promise<ShownMessage> {
  // In most conversations there are none at all, which is known without asking.
  const hasNotes = (await unit.rows(keys.notes(thread), 1)).length > 0
  const notes = hasNotes ? await unit.list<NoteRow>(keys.note(thread, row.id)) : []
  const own = notes.filter(({ chain }) => chain === row.chain)
  const isDeleted = own.some(({ kind }) => kind === "delete")
  const edit = newest(own.filter(({ kind }) => kind === "edit"))
  const text = edit?.text ?? row.text
  const content = row.content as Content // the row holds what was checked when it came
  return {
    ...{ id: row.id, conversation: thread, place: row.place, at: row.at, isEarly: row.isEarly },
    sender: { chain: row.chain, device: row.device, isSelf: row.chain === desk.chain },
    type: isDeleted ? "deleted" : (row.type as ShownMessage["type"]),
    ...(isDeleted || text === undefined ? {} : { text }),
    ...(content.type === "reply" ? { answers: content.to } : {}),
    ...(content.type === "thread" ? { answers: content.root } : {}),
    ...(content.type === "file_offer" && !isDeleted ? { fileOffer: offerOf(content) } : {}),
    mentions: "mentions" in content ? (content.mentions ?? []) : [],
    ...(edit === undefined || isDeleted ? {} : { editedAt: edit.at }),
    reactions: reactionsOf(notes),
    ...(row.state === undefined ? {} : { delivered: deliveredOf(row) }),
  }
}

function offerOf(content: ContentTypes["file_offer"]): ContentTypes["file_offer"] {
  const { transfer, name, size, media_type, hash, files, list_size } = content
  const list = files === undefined || list_size === undefined ? {} : { files, list_size }
  return { transfer, name, size, media_type, hash, ...list }
}

/** Why it waited is of no interest once it is there. */
function deliveredOf({ state = "waiting", code, reason }: MessageRow): Delivered {
  if (state !== "waiting" && state !== "failed") return { state }
  return { state, ...(code === undefined ? {} : { code }), ...(reason === undefined ? {} : { reason }) }
}

/** Of one device by its own count, of two by their clocks. */
function newest(notes: readonly NoteRow[]): NoteRow | undefined {
  const isNewer = (a: NoteRow, b: NoteRow): boolean => (a.device === b.device ? a.counter > b.counter : a.at > b.at)
  return notes.reduce<NoteRow | undefined>(
    (best, note) => (best === undefined || isNewer(note, best) ? note : best),
    undefined,
  )
}

/** What each person said last of each emoji counts. */
function reactionsOf(notes: readonly NoteRow[]): readonly Reaction[] {
  const said = new Map<string, NoteRow[]>()
  for (const note of notes) {
    if (note.kind !== "reaction") continue
    const name = `${note.chain} ${note.emoji}`
    said.set(name, [...(said.get(name) ?? []), note])
  }
  const by = new Map<string, Digest[]>()
  for (const of of said.values()) {
    const last = newest(of)
    if (last?.action !== "add" || last.emoji === undefined) continue
    by.set(last.emoji, [...(by.get(last.emoji) ?? []), last.chain])
  }
  return [...by].map(([emoji, people]) => ({ emoji, by: people }))
}

/** A page of a conversation, oldest first. */
export async function page(
  desk: Desk,
  unit: Unit,
  { thread, before, limit }: { readonly thread: Digest; readonly before: string | undefined; readonly limit: number },
): Promise<readonly ShownMessage[]> {
  const from = keys.message(thread)
  const to = before === undefined ? `${from}\x7f` : keys.message(thread, before)
  const rows = await desk.ports.store.list({ from, to, limit, reverse: true })
  const shown: ShownMessage[] = []
  for (const { value } of rows.toReversed())
    shown.push(await show(unit, desk, thread, decodeRow<MessageRow>(value).value))
  return shown
}

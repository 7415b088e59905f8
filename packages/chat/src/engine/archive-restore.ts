/** Records out of the archive, taken into what this device shows. Each is recognised by its id: devices write the same ones, and a server repeats. */

import type { Digest } from "@kez/core"
import type {
  ArchiveRecord,
  ContactRecord,
  MessageRecord,
  NoteRecord,
  ThreadRecord,
} from "../archive/archive-record.ts"
import { contactOf, contactRow } from "./contact-rows.ts"
import type { Desk } from "./desk.ts"
import { noteOffer } from "./files-part.ts"
import { archivePlace, findMessage, show } from "./message-rows.ts"
import { type ContactRow, type GroupRow, keys, type MessageRow, type NoteRow, type ThreadRow } from "./row.ts"
import { sequenceOf } from "./sequence-rows.ts"
import { directThread } from "./threads.ts"
import type { Unit } from "./unit.ts"

/** What a step changed, told at its end. */
export interface Taken {
  readonly threads: Set<Digest>
  messages: number
}

export async function takeRecord(unit: Unit, desk: Desk, record: ArchiveRecord, taken: Taken): Promise<void> {
  switch (record.type) {
    case "thread":
      return takeThread(unit, desk, record, taken)
    case "message":
      return takeMessage(unit, desk, record, taken)
    case "note":
      return takeNote(unit, desk, record)
    case "contact":
      return takeContact(unit, desk, record)
  }
}

async function takeThread(unit: Unit, desk: Desk, record: ThreadRecord, taken: Taken): Promise<void> {
  const { thread: id, kind, contact, name, members } = record
  // The name of a conversation of two is that of both people.
  if (kind === "dm" && (contact === undefined || directThread(desk.chain, contact) !== id)) return
  const before = await unit.get<ThreadRow>(keys.thread(id))
  const row: ThreadRow = before ?? { id, kind, groups: [], nextSlot: 0, readPlace: "", unread: 0 }
  unit.put(keys.thread(id), {
    ...row,
    members,
    ...(kind === "dm" && contact !== undefined ? { contact } : {}),
    ...(name === undefined ? {} : { name }),
  } satisfies ThreadRow)
  taken.threads.add(id)
}

async function takeMessage(unit: Unit, desk: Desk, record: MessageRecord, taken: Taken): Promise<void> {
  const { type: _, thread: id, content, ...said } = record
  const thread = await unit.get<ThreadRow>(keys.thread(id))
  if (thread === undefined || (await isHereOrComes(unit, desk, record))) return
  const n = thread.nextArchived ?? 0
  const place = archivePlace(said.cameAt, n)
  const row: MessageRow = {
    ...said,
    ...{ place, type: content.type, content, isEarly: false, isOwn: said.chain === desk.chain },
  }
  unit.put(keys.message(id, place), row)
  unit.put(keys.placeOf(id, said.id), place)
  if (content.type === "file_offer") await noteOffer(unit, id, { chain: said.chain, transfer: content.transfer })
  unit.put(keys.thread(id), {
    ...thread,
    nextArchived: n + 1,
    lastAt: Math.max(thread.lastAt ?? 0, said.at),
    // It was read where it came.
    readPlace: thread.readPlace > place ? thread.readPlace : place,
  } satisfies ThreadRow)
  taken.threads.add(id)
  taken.messages++
}

/** What the conversation itself still brings is not taken from here: it comes in its order, with what it says of its device. */
async function isHereOrComes(unit: Unit, desk: Desk, record: MessageRecord): Promise<boolean> {
  const { thread, id, group, device, counter } = record
  if ((await unit.bytes(keys.placeOf(thread, id))) !== undefined) return true
  const row = await unit.get<GroupRow>(keys.group(group))
  if (row === undefined || row.isRemoved === true) return false
  if (device === desk.device) return counter >= row.nextCounter
  return counter >= (await sequenceOf(unit, group, device)).sequence.next
}

async function takeNote(unit: Unit, desk: Desk, record: NoteRecord): Promise<void> {
  const { type: _, thread, about, ...said } = record
  const key = keys.note(thread, about, said.id)
  if ((await unit.bytes(key)) !== undefined || (await unit.bytes(keys.thread(thread))) === undefined) return
  const note: NoteRow = said
  unit.put(key, note)
  const row = await findMessage(unit, thread, about)
  if (row === undefined) return
  const message = await show(unit, desk, thread, row)
  unit.afterwards(() => desk.tell({ kind: "message_changed", message }))
}

/** What this device pinned or decided itself stays: another device's word is taken where it has none. */
async function takeContact(unit: Unit, desk: Desk, record: ContactRecord): Promise<void> {
  const { chain, handle, standing, devices } = record
  if (chain === desk.chain) return
  const before = await contactRow(unit, chain)
  const name = before?.handle ?? handle
  const row: ContactRow = {
    chain,
    ...(name === undefined ? {} : { handle: name }),
    standing: before === undefined || before.standing === "request" ? standing : before.standing,
    seenDevices: before?.seenDevices ?? devices,
  }
  unit.put(keys.contact(chain), row)
  if (handle !== undefined && (await unit.bytes(keys.pin(handle))) === undefined) unit.put(keys.pin(handle), chain)
  const contact = await contactOf(unit, desk, chain)
  unit.afterwards(() => desk.tell({ kind: "contact", contact }))
  if (before === undefined) unit.afterwards(() => desk.followChains())
}

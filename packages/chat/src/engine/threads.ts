/** Conversations as people see them: of two people it is one, also where both opened a group for it at once. */
import { canonicalize, type Digest, digestOf } from "@kez/core"
import { encodeText } from "../bytes.ts"
import type { GroupCipher } from "../cipher/group-cipher.ts"
import type { StateBody } from "../conversation/state-body.ts"
import { openStops } from "./alarms.ts"
import { contactOf, contactRow, currentDevices } from "./contact-rows.ts"
import type { Desk } from "./desk.ts"
import type { Contact, Conversation } from "./engine.ts"
import { decodeRow, type GroupRow, keys, type MessageRow, type ThreadRow } from "./row.ts"
import type { Unit } from "./unit.ts"

/** Groups of one pair of people that are followed. More of them are somebody's nonsense. */
const maxGroupsOfPair = 8
const maxCounted = 1_000

/** Both sides come to the same name, without asking. */
export function directThread(a: Digest, b: Digest): Digest {
  const members = [a, b].sort()
  return digestOf(encodeText(canonicalize({ type: "kez/dm/v1", members })))
}

export function otherOf({ kind, members }: StateBody, self: Digest): Digest | undefined {
  return kind === "dm" ? members.find(({ chain }) => chain !== self)?.chain : undefined
}

/** Whether anybody else has a device in it. */
export function isOpen(cipher: GroupCipher, self: Digest): boolean {
  return cipher.members().some(({ chain }) => chain !== self)
}

/** Takes a group that was made or joined into its conversation. False: it is one too many, and is not kept. */
export async function addGroup(
  unit: Unit,
  desk: Desk,
  { cipher, lastCommit }: { readonly cipher: GroupCipher; readonly lastCommit: number },
): Promise<GroupRow | undefined> {
  const { group, state, epoch } = cipher
  const other = otherOf(state, desk.chain)
  const id = other === undefined ? group : directThread(desk.chain, other)
  const before = await unit.get<ThreadRow>(keys.thread(id))
  const known = await unit.get<GroupRow>(keys.group(group))
  if (known === undefined && (before?.groups.length ?? 0) >= maxGroupsOfPair) return undefined
  const thread: ThreadRow = before ?? {
    id,
    kind: other === undefined ? "group" : "dm",
    ...(other === undefined ? {} : { contact: other }),
    groups: [],
    nextSlot: 0,
    readPlace: "",
    unread: 0,
  }
  const begun: GroupRow = {
    group,
    thread: id,
    lastCommit,
    openedTo: 0,
    joinedEpoch: epoch,
    nextCounter: 0,
    nextOutbox: 0,
    receipts: {},
    cameIn: {},
  }
  const { isRemoved: _, isStopped: __, ...kept } = known ?? begun
  const row: GroupRow = { ...kept, lastCommit, joinedEpoch: epoch }
  unit.put(keys.group(group), row)
  const { isLeaving: _left, addedBy: _before, ...there } = thread
  const addedBy = thread.kind === "group" ? cipher.broughtInBy(desk.chain) : undefined
  const by = addedBy === undefined || addedBy === desk.chain ? {} : { addedBy }
  const groups = [...new Set([...thread.groups, group])].sort()
  unit.put(keys.thread(id), { ...there, ...by, groups } satisfies ThreadRow)
  await tellConversation(unit, desk, id)
  return row
}

/**
 * The group that is written to, of those that have somebody else in them: where the fewest devices of its people are missing, since a device that came
 * back by the words is in none of the old ones; then the one with the smallest id, which both sides find alike. The others are read on.
 */
export async function currentGroup(unit: Unit, desk: Desk, { groups }: ThreadRow): Promise<GroupRow | undefined> {
  let best: { readonly row: GroupRow; readonly missing: number } | undefined
  for (const group of groups) {
    const row = await unit.get<GroupRow>(keys.group(group))
    if (row === undefined || row.isRemoved === true) continue
    const cipher = await desk.ciphers.of(group)
    const missing = isOpen(cipher, desk.chain) ? missingIn(desk, cipher) : Number.POSITIVE_INFINITY
    if (best === undefined || missing < best.missing) best = { row, missing }
  }
  return best?.row
}

/** Devices that its members have now, and that are not in it. */
function missingIn(desk: Desk, cipher: GroupCipher): number {
  const here = new Set(cipher.members().map(({ device }) => device))
  return cipher.state.members
    .flatMap(({ chain }) => currentDevices(desk, chain))
    .filter((device) => !here.has(device) && device !== desk.device).length
}

export async function tellConversation(unit: Unit, desk: Desk, id: Digest): Promise<void> {
  const thread = await unit.get<ThreadRow>(keys.thread(id))
  if (thread === undefined) return
  const conversation = await viewThread(unit, desk, thread)
  if (conversation.state !== "blocked") unit.afterwards(() => desk.tell({ kind: "conversation", conversation }))
}

export async function viewThread(unit: Unit, desk: Desk, thread: ThreadRow): Promise<Conversation> {
  const row = await currentGroup(unit, desk, thread)
  const cipher = row === undefined ? undefined : await desk.ciphers.of(row.group)
  const contact = thread.contact === undefined ? undefined : await contactOf(unit, desk, thread.contact)
  const standing = contact?.standing ?? (await standingOfAdder(unit, thread))
  const members = cipher?.state.members.map(({ chain }) => chain)
  const name = cipher === undefined ? thread.name : cipher.state.name
  const namedBy = cipher?.namedBy()
  return {
    id: thread.id,
    kind: thread.kind,
    ...(name === undefined ? {} : { name }),
    members: members ?? thread.members ?? [desk.chain, ...(thread.contact === undefined ? [] : [thread.contact])],
    ...(cipher === undefined || thread.kind === "dm" ? {} : { roles: cipher.state.members }),
    ...(thread.addedBy === undefined ? {} : { addedBy: thread.addedBy }),
    ...(namedBy === undefined ? {} : { namedBy }),
    ...(contact === undefined ? {} : { contact }),
    state: thread.groups.length === 0 ? stateOutside(thread, contact) : stateOf(cipher, desk.chain, standing),
    unread: thread.unread,
    ...(thread.lastAt === undefined ? {} : { lastAt: thread.lastAt }),
    ...(cipher === undefined ? {} : { safetyCode: cipher.safetyCode() }),
  }
}

/** Out of the archive, and this device is in no group of it yet. */
function stateOutside({ kind }: ThreadRow, contact: Contact | undefined): Conversation["state"] {
  if (contact?.standing === "blocked" || contact?.standing === "request") return contact.standing
  return kind === "dm" ? "opening" : "removed"
}

function stateOf(
  cipher: GroupCipher | undefined,
  self: Digest,
  standing: "accepted" | "request" | "blocked" | undefined,
): Conversation["state"] {
  if (standing === "blocked") return "blocked"
  if (cipher === undefined) return "removed"
  if (standing === "request") return "request"
  return isOpen(cipher, self) ? "open" : "opening"
}

/** Counted when something was read; what comes is added. */
export async function unreadAfter(unit: Unit, id: Digest, readPlace: string): Promise<number> {
  const rows = await unit.after(keys.message(id), readPlace, maxCounted)
  return rows.filter(({ value }) => !decodeRow<MessageRow>(value).value.isOwn).length
}

/** Receipts and typing go to people who were accepted, and to nobody else; into a group once who brought us there was. */
export async function mayTell(unit: Unit, thread: ThreadRow): Promise<boolean> {
  const { contact = thread.addedBy } = thread
  return contact === undefined || (await contactRow(unit, contact))?.standing === "accepted"
}

async function standingOfAdder(unit: Unit, { addedBy }: ThreadRow): Promise<Contact["standing"] | undefined> {
  return addedBy === undefined ? undefined : ((await contactRow(unit, addedBy))?.standing ?? "request")
}

/** Why nothing is sent in a conversation, or undefined. */
export async function stopOf(unit: Unit, thread: ThreadRow): Promise<{ code: string; reason: string } | undefined> {
  if (thread.contact !== undefined && (await contactRow(unit, thread.contact))?.standing === "blocked") {
    return { code: "usage", reason: "You blocked this contact. Accept him again to write." }
  }
  const stops = await openStops(unit)
  const hit = stops.find((alarm) =>
    "contact" in alarm ? alarm.contact === thread.contact : "conversation" in alarm && alarm.conversation === thread.id,
  )
  return hit === undefined ? undefined : { code: hit.code, reason: hit.message }
}

/** What a person does in a conversation: begins one, and writes. */
import { type Digest, formatHex, KezError } from "@kez/core"
import { backend } from "#chat-backend"
import { standingNow } from "../chains.ts"
import { createConversation } from "../cipher/mls-join.ts"
import { directPolicy, type StateBody } from "../conversation/state-body.ts"
import { contactRow, putContact } from "./contact-rows.ts"
import type { Desk } from "./desk.ts"
import { draftOf } from "./draft.ts"
import type { Draft, ShownMessage } from "./engine.ts"
import { findMessage, show } from "./message-rows.ts"
import { enqueue } from "./outbox-rows.ts"
import { keys, type MessageRow, type ThreadRow } from "./row.ts"
import { addGroup, currentGroup, stopOf } from "./threads.ts"
import type { Unit } from "./unit.ts"

export async function conversationAt(unit: Unit, id: Digest): Promise<ThreadRow> {
  const thread = await unit.get<ThreadRow>(keys.thread(id))
  if (thread === undefined) throw new KezError("usage", "Cannot do that: no such conversation")
  return thread
}

/** Makes the group of two. Who else is to be in it is added by its worker. */
export async function beginDirect(unit: Unit, desk: Desk, other: Digest): Promise<void> {
  const { credential } = desk
  if (credential === undefined) throw new Error("a conversation before the credential")
  assertCurrent(desk)
  const members = [desk.chain, other].sort().map((chain) => ({ chain, role: "owner" as const }))
  const salt = formatHex(backend.randomBytes(32))
  const body: StateBody = { version: 1, kind: "dm", salt, members, policy: directPolicy }
  const cipher = await createConversation(body, credential, desk.ciphers.ports)
  desk.ciphers.keep(cipher)
  await addGroup(unit, desk, { cipher, lastCommit: 0 })
  unit.afterwards(() => desk.wake(cipher.group))
  unit.afterwards(() => desk.followChains())
}

export async function writeDraft(unit: Unit, desk: Desk, conversation: Digest, draft: Draft): Promise<ShownMessage> {
  assertCurrent(desk)
  const thread = await conversationAt(unit, conversation)
  const stop = await stopOf(unit, thread)
  if (stop !== undefined) throw new KezError("account.changed", `Cannot send: ${stop.reason}`)
  // Out of the archive: this device is in no group of it yet.
  if (thread.groups.length === 0 && thread.contact !== undefined) await beginDirect(unit, desk, thread.contact)
  const row = await currentGroup(unit, desk, await conversationAt(unit, conversation))
  if (row === undefined) {
    throw new KezError("chat.removed", "Cannot send: this device is not in the conversation any more")
  }
  const about = await aboutOf(unit, desk, conversation, draft)
  const id = await enqueue(unit, desk, { group: row.group, ...draftOf(draft) })
  await acceptByAnswer(unit, desk, thread)
  const message = about ?? (await findMessage(unit, conversation, id))
  if (message === undefined) throw new Error("a message that was just kept")
  return show(unit, desk, conversation, message)
}

/** The message that an edit, a deletion or a reaction is about. */
async function aboutOf(unit: Unit, desk: Desk, conversation: Digest, draft: Draft): Promise<MessageRow | undefined> {
  if (draft.type !== "edit" && draft.type !== "delete" && draft.type !== "reaction") return undefined
  const about = await findMessage(unit, conversation, draft.type === "reaction" ? draft.to : draft.of)
  if (about === undefined) throw new KezError("usage", "Cannot do that: the message that it is about is not here")
  if (draft.type === "reaction" || about.chain === desk.chain) return about
  throw new KezError("usage", "Cannot do that: only who wrote a message can change it or take it back")
}

/** Who answers a stranger has accepted him. */
async function acceptByAnswer(unit: Unit, desk: Desk, thread: ThreadRow): Promise<void> {
  const { contact = thread.addedBy } = thread
  const row = contact === undefined ? undefined : await contactRow(unit, contact)
  if (row?.standing === "request") await putContact(unit, desk, { ...row, standing: "accepted" })
}

/** Throws `chat.removed`. */
export function assertCurrent(desk: Desk): void {
  const replay = desk.known(desk.chain)
  const standing = replay === undefined ? "current" : standingNow(replay, desk.device)
  if (standing === "current") return
  throw new KezError("chat.removed", `Cannot send: your sigchain says that this device is ${standing}`, {
    hint: "Add it again with another of your devices, or with your words.",
  })
}

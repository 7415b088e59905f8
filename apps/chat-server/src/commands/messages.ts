/** `send`, `live`: what members say to each other. The server knows no plaintext and does not look for any. */
import { chatLimits, decodeDelivery, encodeDelivery, encodeLive } from "@kez/chat"
import { type Digest, KezError, liveSubjectOf } from "@kez/core"
import { maxLiveBytes } from "../limits.ts"
import { type CommandDeps, conversationFor, type Handler, partOf } from "./command.ts"

/**
 * First into the conversation, then into the mailboxes, then the answer: what is answered is kept, and reaches everybody. Messages do not wait for
 * each other: the broker acknowledges them in their order, and so they go out.
 */
export function send(deps: CommandDeps): Handler<"send"> {
  const { mailboxes } = deps
  return async (caller, { header: { conversation, id }, parts }) => {
    const part = partOf(parts, chatLimits.maxMessageBytes)
    const { members } = await conversationFor(deps, caller, conversation)
    return mailboxes.holding(members.length, async () => {
      // Ids are of all conversations of a stream: without the sender in it, somebody else could use this one up.
      const name = `${conversation}.${caller.uid}.${caller.dev}.${id}`
      const known = await deps.sent.find(name)
      if (known === undefined) await assertRoom(deps, members, caller.uid)
      const stored = encodeDelivery({ kind: "message", conversation, seq: 0, id, data: part })
      const { seq, data } = await append(deps, { conversation, id, name, stored, known })
      deps.sent.note(name, seq)
      deps.writers.note(conversation, caller.uid)
      const uids = members.map(({ uid }) => uid)
      await mailboxes.deliverToAll({ ...decodeDelivery(data), seq }, uids)
      return { answer: { seq } }
    })
  }
}

interface Appending {
  readonly conversation: string
  readonly id: Digest
  readonly name: string
  readonly stored: Uint8Array
  /** Where it is, if it was sent before. */
  readonly known: number | undefined
}

/** What was sent before under the name is what counts: mailboxes must not hold another thing than the log. */
async function append(
  { store }: CommandDeps,
  { conversation, id, name, stored, known }: Appending,
): Promise<{ readonly seq: number; readonly data: Uint8Array }> {
  const kept =
    known === undefined
      ? await store.append({ conversation, id: name, data: stored })
      : { seq: known, isDuplicate: true }
  if (!kept.isDuplicate) return { seq: kept.seq, data: stored }
  const [before] = (await store.read({ conversation, kind: "messages", fromSeq: kept.seq, limit: 1 })).messages
  if (before?.seq === kept.seq && decodeDelivery(before.data).id === id) return before
  // A broker that lost its disk: the message is put there again.
  const { seq } = await store.append({ conversation, id: `${name}.again`, data: stored })
  return { seq, data: stored }
}

/** In a conversation of two, a mailbox that is full is a reason to keep the message; in a larger one, one person must not stop all others. */
async function assertRoom(
  { devices, mailboxes }: CommandDeps,
  members: readonly { readonly uid: string }[],
  sender: string,
): Promise<void> {
  const [other, ...more] = members.filter(({ uid }) => uid !== sender)
  if (other === undefined || more.length > 0) return
  const rows = (await devices.ofPerson(other.uid)).filter(({ revokedSeq }) => revokedSeq === undefined)
  if (rows.length === 0 || !rows.every(({ missed }) => missed === "full") || (await mailboxes.makeRoom(other.uid)))
    return
  throw new KezError("store.full", "Cannot deliver the message: the mailbox of the other person is full", {
    hint: "It is emptied when they come online. Keep the message and try again later.",
  })
}

/** Kept nowhere, and what is decrypted says whose it is. */
export function live(deps: CommandDeps): Handler<"live"> {
  return async (caller, { header: { conversation, topic }, parts }) => {
    const data = encodeLive({ conversation, data: partOf(parts, maxLiveBytes) })
    const { members } = await conversationFor(deps, caller, conversation)
    for (const { uid } of members) deps.publishLive(liveSubjectOf(uid, topic), data)
    return { answer: {} }
  }
}

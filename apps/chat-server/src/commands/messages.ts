/** `send`, `live`: what members say to each other. The server knows no plaintext and does not look for any. */
import { chatLimits, decodeDelivery, encodeDelivery, encodeLive } from "@kez/chat"
import { type BrokerDevice, type Digest, digestOf, KezError, liveSubjectOf } from "@kez/core"
import { maxLiveBytes } from "../limits.ts"
import { type CommandDeps, conversationFor, type Handler, partOf } from "./command.ts"

/**
 * Into the conversation and into the mailboxes at once, where the place that it will get is known before; else first into the conversation. The answer
 * comes when all have it: what is answered is kept, and reaches everybody. Messages do not wait for each other: the broker takes them in their order.
 */
export function send(deps: CommandDeps): Handler<"send"> {
  const { mailboxes } = deps
  return async (caller, { header: { conversation, id }, parts }) => {
    const data = partOf(parts, chatLimits.maxMessageBytes)
    const { members } = await conversationFor(deps, caller, conversation)
    return mailboxes.holding(members.length, async () => {
      // Ids are of all conversations of a stream: without the sender in it, somebody else could use this one up.
      const name = `${conversation}.${caller.uid}.${caller.dev}.${id}`
      const known = await deps.sent.find(name)
      if (known === undefined) await assertRoom(deps, members, caller.uid)
      deps.writers.note(conversation, caller.uid)
      const sending = { conversation, id, name, data, uids: await recipientsOf(deps, members, caller) }
      return {
        answer: { seq: await (known === undefined ? sendFirst(deps, sending) : sendAgain(deps, sending, known)) },
      }
    })
  }
}

/** Of the sender's own devices the others get it. One that has no others knows what it sent; whoever comes later cannot open it. */
async function recipientsOf(
  { devices }: CommandDeps,
  members: readonly { readonly uid: string }[],
  { uid: sender, dev }: BrokerDevice,
): Promise<readonly string[]> {
  const own = await devices.ofPerson(sender)
  const hasOthers = own.some((device) => device.dev !== dev && device.revokedSeq === undefined)
  return members.map(({ uid }) => uid).filter((uid) => hasOthers || uid !== sender)
}

interface Sending {
  readonly conversation: string
  readonly id: Digest
  readonly name: string
  readonly data: Uint8Array
  readonly uids: readonly string[]
}

async function sendFirst(deps: CommandDeps, sending: Sending): Promise<number> {
  const { conversation, id, name, data, uids } = sending
  let delivering: Promise<void> | undefined
  const deliver = (seq: number): void => {
    delivering = deps.mailboxes.deliverToAll({ kind: "message", conversation, seq, id, data }, uids, name)
    // Waited for below, if the conversation has it.
    delivering.catch(() => undefined)
  }
  // Over PostgreSQL other copies of this server write too. A name that says what it is had the same under it before: mailboxes hold what the log holds.
  const mayTell = deps.database.kind === "sqlite" && digestOf(data) === id
  const kept = await deps.store.append(forLog(sending), mayTell ? deliver : undefined)
  deps.sent.note(name, kept.seq)
  if (delivering === undefined && kept.isDuplicate) return sendAgain(deps, sending, kept.seq)
  if (delivering === undefined) deliver(kept.seq)
  await delivering
  return kept.seq
}

const forLog = ({ conversation, id, name, data }: Sending) => ({
  conversation,
  id: name,
  data: encodeDelivery({ kind: "message", conversation, seq: 0, id, data }),
})

/** What was sent before under the name is what counts: mailboxes must not hold another thing than the log. */
async function sendAgain(deps: CommandDeps, sending: Sending, known: number): Promise<number> {
  const { conversation, id, name, data, uids } = sending
  const read = await deps.store.read({ conversation, kind: "messages", fromSeq: known, limit: 1 })
  const [before] = read.messages
  const found = before?.seq === known ? decodeDelivery(before.data) : undefined
  if (found?.id === id) {
    await deps.mailboxes.deliverToAll({ ...found, seq: known }, uids, name)
    return known
  }
  // A broker that lost its disk: the message is put there again.
  const { seq } = await deps.store.append({ ...forLog(sending), id: `${name}.again` })
  deps.sent.note(name, seq)
  await deps.mailboxes.deliverToAll({ kind: "message", conversation, seq, id, data }, uids, name)
  return seq
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

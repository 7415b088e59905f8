/** `send`, `live`: what members say to each other. The server knows no plaintext and does not look for any. */
import { chatLimits, encodeDelivery, encodeLive } from "@kez/chat"
import { KezError, liveSubjectOf } from "@kez/core"
import { maxLiveBytes } from "../limits.ts"
import { type CommandDeps, conversationFor, type Handler, partOf } from "./command.ts"

/** First into the conversation, then into the mailboxes, then the answer: what is answered is kept, and reaches everybody. */
export function send(deps: CommandDeps): Handler<"send"> {
  const { store, mailboxes, turns } = deps
  return (caller, { header: { conversation, id }, parts }) => {
    const data = partOf(parts, chatLimits.maxMessageBytes)
    return turns.take(conversation, async () => {
      const { members } = await conversationFor(deps, caller, conversation)
      await assertRoom(deps, members, caller.uid)
      const stored = encodeDelivery({ kind: "message", conversation, seq: 0, id, data })
      // Ids are of all conversations of a stream: without the sender in it, somebody else could use this one up.
      const { seq } = await store.append({
        conversation,
        id: `${conversation}.${caller.uid}.${caller.dev}.${id}`,
        data: stored,
      })
      await mailboxes.deliverToAll(
        { kind: "message", conversation, seq, id, data },
        members.map(({ uid }) => uid),
      )
      return { answer: { seq } }
    })
  }
}

/** In a conversation of two, a mailbox that is full is a reason to keep the message; in a larger one, one person must not stop all others. */
async function assertRoom(
  { devices }: CommandDeps,
  members: readonly { readonly uid: string }[],
  sender: string,
): Promise<void> {
  const others = members.filter(({ uid }) => uid !== sender)
  const [other] = others
  if (other === undefined || others.length > 1) return
  const rows = await devices.ofPerson(other.uid)
  if (rows.length === 0 || !rows.every(({ missed, revokedSeq }) => missed || revokedSeq !== undefined)) return
  throw new KezError("store.full", "Cannot deliver the message: the mailbox of the other person is full", {
    hint: "It is emptied when they come online. Keep the message and try again later.",
  })
}

export function live(deps: CommandDeps): Handler<"live"> {
  return async (caller, { header: { conversation, topic }, parts }) => {
    const data = encodeLive({ conversation, data: partOf(parts, maxLiveBytes) })
    const { members } = await conversationFor(deps, caller, conversation)
    for (const { uid } of members) deps.publishLive(liveSubjectOf(uid, topic), data)
    return { answer: {} }
  }
}

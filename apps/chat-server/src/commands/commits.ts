/** `commit`, `welcome`: who is in a conversation. The broker compares and sets; the table of members follows what it accepted. */
import { decodeDelivery, encodeDelivery } from "@kez/chat"
import { type Digest, deviceIdOf, KezError, userIdOf } from "@kez/core"
import type { DeviceRow } from "../broker/devices.ts"
import { isFull } from "../conversations/mailboxes.ts"
import {
  type Accepted,
  type Conversation,
  findConversation,
  placeOfCommit,
  saveCommit,
} from "../conversations/members.ts"
import { catchUpCommits, maxCatchUpBytes, maxHandshakePartBytes } from "../limits.ts"
import { type Answering, type CommandDeps, conversationFor, type Handler, partOf } from "./command.ts"

interface Commit extends Omit<Accepted, "seq"> {
  readonly follows: number
  readonly data: Uint8Array
}

export function commit(deps: CommandDeps): Handler<"commit"> {
  return (caller, { header, parts }) => {
    const asked: Commit = { ...header, data: partOf(parts, maxHandshakePartBytes) }
    return deps.turns.take(header.conversation, () => take(deps, caller, asked))
  }
}

async function take(deps: CommandDeps, caller: DeviceRow, asked: Commit): Promise<Answering<"commit">> {
  const { conversation, id, members } = asked
  if (!members.some((chain) => chain === caller.chain)) {
    throw new KezError("chat.commit", "Cannot accept the commit: its members do not name who sends it", {
      hint: "Nobody can remove himself: ask another member.",
    })
  }
  const before = await conversationBefore(deps, caller, asked)
  return deps.mailboxes.holding(members.length, async () => {
    const repeated = await repeat(deps, conversation, id)
    return repeated ?? publish(deps, { before, caller, asked })
  })
}

interface Publishing {
  readonly before: Conversation | undefined
  readonly caller: DeviceRow
  readonly asked: Commit
}

async function publish(deps: CommandDeps, { before, caller, asked }: Publishing): Promise<Answering<"commit">> {
  const { conversation, id, follows, members, data } = asked
  const coming = await assertComing(deps, before, { members, sender: caller.uid })
  const stored = encodeDelivery({ kind: "commit", conversation, seq: 0, id, follows, members, data })
  const outcome = await deps.store.commit({
    conversation,
    id: `${conversation}.${caller.uid}.${id}`,
    follows,
    data: stored,
  })
  if (outcome.accepted) {
    for (const uid of coming) deps.limitNew.spend(caller.uid, uid)
    deps.writers.note(conversation, caller.uid)
    return accept(deps, before, { ...asked, seq: outcome.seq })
  }
  // Of a commit whose sender or server broke off, the table may not know yet.
  if (outcome.newest > (before?.newestCommit ?? 0)) await catchUp(deps, conversation, before?.newestCommit ?? 0)
  return { answer: { accepted: false, newest: outcome.newest } }
}

/** The answer was lost, or the deliveries broke off: what was accepted then goes out again, whatever is sent now under its name. */
async function repeat(
  { store, mailboxes, database }: CommandDeps,
  conversation: string,
  id: Digest,
): Promise<Answering<"commit"> | undefined> {
  const seq = await placeOfCommit(database, conversation, id)
  if (seq === undefined) return undefined
  const [stored] = (await store.read({ conversation, kind: "commits", fromSeq: seq, limit: 1 })).messages
  const delivery = stored?.seq === seq ? { ...decodeDelivery(stored.data), seq } : undefined
  // A broker that lost its disk has another one there, or none.
  if (delivery?.id !== id) return undefined
  const now = await findConversation(database, conversation)
  const uids = new Set([...(now?.members.map(({ uid }) => uid) ?? []), ...(delivery.members ?? []).map(userIdOf)])
  await mailboxes.deliverToAll(delivery, [...uids])
  return { answer: { accepted: true, seq } }
}

async function conversationBefore(
  deps: CommandDeps,
  caller: DeviceRow,
  { conversation, follows }: Commit,
): Promise<Conversation | undefined> {
  const found = await findConversation(deps.database, conversation)
  // Whoever names a conversation that is there must be in it, also to begin it again.
  return found === undefined && follows === 0 ? undefined : conversationFor(deps, caller, conversation)
}

/**
 * Uids of those who come in, the sender's own for a conversation that begins. Nobody is made to get what they never asked for on a server that they do
 * not use, and nothing piles up for people who are none.
 */
async function assertComing(
  { database, limitNew }: CommandDeps,
  before: Conversation | undefined,
  { members, sender }: { readonly members: Commit["members"]; readonly sender: string },
): Promise<readonly string[]> {
  const known = new Set(before?.members.map(({ chain }) => chain))
  const coming = before === undefined ? [sender] : []
  for (const chain of members.filter((one) => !known.has(one))) {
    const rows = await database.rows("SELECT handle FROM handles WHERE chain = $1 AND state = 'registered'", [chain])
    if (rows.length === 0) {
      throw new KezError("chain.unknown", `Cannot accept the commit: ${chain} has no handle on this server`, {
        hint: "Only people of this server can be in its conversations.",
      })
    }
    if (userIdOf(chain) !== sender) coming.push(userIdOf(chain))
  }
  for (const uid of coming) limitNew.assert(sender, uid)
  return coming
}

async function accept(
  { database, store, mailboxes }: CommandDeps,
  before: Conversation | undefined,
  accepted: Commit & Accepted,
): Promise<Answering<"commit">> {
  const { conversation, id, seq, follows, members, data } = accepted
  // A lower place than the table has: another copy was faster with a later commit, or the broker began anew and this is its newest.
  const isLower = seq <= (before?.newestCommit ?? 0)
  const after = { conversation, kind: "commits", fromSeq: seq + 1, limit: 1 } as const
  const isReset = isLower && (await store.read(after)).messages.length === 0
  await database.transact((sql) => saveCommit(sql, { ...accepted, isReset }))
  // Who was removed gets this one too: it says so.
  const uids = new Set([...(before?.members.map(({ uid }) => uid) ?? []), ...members.map(userIdOf)])
  await mailboxes.deliverToAll({ kind: "commit", conversation, seq, id, follows, members, data }, [...uids])
  return { answer: { accepted: true, seq } }
}

/** Brings the table, and the mailboxes, to what the broker has accepted. */
async function catchUp({ database, store, mailboxes }: CommandDeps, conversation: string, from: number): Promise<void> {
  let after = from
  for (;;) {
    const { messages, isEnd } = await store.read({
      ...{ conversation, kind: "commits", fromSeq: after + 1 },
      ...{ limit: catchUpCommits, maxBytes: maxCatchUpBytes },
    })
    for (const { seq, data } of messages) {
      const delivery = { ...decodeDelivery(data), seq }
      const members = delivery.members ?? []
      const before = await findConversation(database, conversation)
      await database.transact((sql) => saveCommit(sql, { conversation, id: delivery.id, seq, members }))
      const uids = new Set([...(before?.members.map(({ uid }) => uid) ?? []), ...members.map(userIdOf)])
      await mailboxes.deliverToAll(delivery, [...uids])
      after = seq
    }
    if (isEnd || messages.length === 0) return
  }
}

/** Only to a device of somebody who is in the conversation, from somebody who is. */
export function welcome(deps: CommandDeps): Handler<"welcome"> {
  return (caller, { header, parts }) => {
    const { conversation, id, commit: at, chain, device } = header
    const data = partOf(parts, maxHandshakePartBytes)
    return deps.turns.take(conversation, async () => {
      const { members, newestCommit } = await conversationFor(deps, caller, conversation)
      if (at < 1 || at > newestCommit)
        throw new KezError("chat.commit", "Cannot pass the Welcome on: there is no such commit")
      const to = { uid: userIdOf(chain), dev: deviceIdOf(device) }
      const row = members.some((member) => member.uid === to.uid) ? await deps.devices.find(to) : undefined
      if (row === undefined || row.revokedSeq !== undefined) {
        throw new KezError(
          "auth.refused",
          "Cannot pass the Welcome on: expected a device of a member, that was here before",
        )
      }
      try {
        const name = `${conversation}.welcome.${at}.${caller.uid}.${caller.dev}.${id}:${to.uid}`
        await deps.mailboxes.deliver(
          { kind: "welcome", conversation, seq: at, id, device: to.dev, data },
          { uid: to.uid, id: name },
        )
      } catch (error) {
        if (!isFull(error)) throw error
        throw new KezError("store.full", "Cannot pass the Welcome on: the mailbox of the person is full", {
          cause: error,
          hint: "It is emptied when they come online. Keep the Welcome and try again later.",
        })
      }
      return { answer: {} }
    })
  }
}

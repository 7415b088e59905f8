/** What commands are made of: who asks, what they work with, what they answer. */
import type { BrokerStore } from "@kez/broker"
import type { CommandAnswers, CommandRequests, Operation, WithParts } from "@kez/chat"
import { KezError } from "@kez/core"
import type { DeviceRow, Devices } from "../broker/devices.ts"
import type { Standings } from "../broker/standing.ts"
import type { Mailboxes } from "../conversations/mailboxes.ts"
import { type Conversation, findConversation } from "../conversations/members.ts"
import type { Sent } from "../conversations/sent.ts"
import type { Turns } from "../conversations/turns.ts"
import type { Writers } from "../conversations/writers.ts"
import type { Database } from "../storage/database.ts"
import type { NewLimit } from "./rate-limit.ts"

export interface CommandDeps {
  readonly database: Database
  readonly store: BrokerStore
  readonly devices: Devices
  readonly standings: Standings
  readonly mailboxes: Mailboxes
  readonly sent: Sent
  readonly writers: Writers
  /** One thing at a time in each conversation. */
  readonly turns: Turns
  /** Key identities of those who may make invitations. */
  readonly admins: readonly string[]
  readonly nowSeconds: () => number
  /** Of conversations that one person begins, and of people that one brings in. */
  readonly limitNew: NewLimit
  /** Passes on to who listens now. */
  publishLive(subject: string, data: Uint8Array): void
}

export interface Answering<O extends Operation> {
  readonly answer: CommandAnswers[O]
  readonly parts?: readonly Uint8Array[]
}

export type Handler<O extends Operation> = (
  caller: DeviceRow,
  request: WithParts<CommandRequests[O]>,
) => Promise<Answering<O>>

export type Handlers = { readonly [O in Operation]: Handler<O> }

/** The conversation, for a member. Strangers hear the same whether there is one or not. */
export async function conversationFor(
  { database }: Pick<CommandDeps, "database">,
  { uid }: Pick<DeviceRow, "uid">,
  conversation: string,
): Promise<Conversation> {
  const found = await findConversation(database, conversation)
  if (found?.members.some((member) => member.uid === uid) === true) return found
  throw new KezError("chat.removed", "Cannot do that: this person is in no conversation of this name", {
    hint: "Somebody may have removed you, or the first commit did not get through. Ask a member.",
  })
}

/** The only part. `partsOf` has made sure that there is one. */
export function partOf(parts: readonly Uint8Array[], maxBytes: number): Uint8Array {
  const [part] = parts
  if (part === undefined) throw new KezError("chat.encoding", "Cannot do that: expected one part")
  if (part.length <= maxBytes) return part
  throw new KezError("limit.size", `Cannot take it: expected at most ${maxBytes} bytes, got ${part.length}`)
}

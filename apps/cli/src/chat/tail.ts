/** `kez dm WHO --tail --follow`: the last messages of a conversation, and those that come, as lines or as JSON. */
import type { ShownMessage } from "@kez/chat"
import { KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { paint, writeResult } from "../output.ts"
import type { Outcome } from "../run.ts"
import { messageJson, senderName } from "./chat-json.ts"
import { archiveText, bodyLines, clockText, dayText, notesOf, quoteOf, reactionText } from "./message-text.ts"
import { type OpenChat, waitOnline } from "./open-chat.ts"
import { findKnown, findPerson } from "./people.ts"
import { type ChatOptions, withChat } from "./with-chat.ts"

const connectMs = 5_000
const settleMs = 15_000

export interface TailRequest {
  readonly who: string
  readonly count: number
  readonly follow: boolean
}

export async function showTail(context: Context, options: ChatOptions, request: TailRequest): Promise<Outcome> {
  return withChat(context, { ...options, holder: "kez dm", follows: request.follow }, async (chat) => {
    const { engine } = chat
    // What waits at the server belongs to the last messages too.
    await waitOnline(engine, connectMs)
    await engine.settled(engine.connection().kind === "online" ? settleMs : 0)
    const contact = (await findKnown(chat, request.who)) ?? (await findPerson(context, chat, request.who))
    const conversation = (await engine.conversations()).find((one) => one.contact?.chain === contact.chain)
    const events = engine.events()
    if (conversation === undefined && !request.follow) {
      throw new KezError("store.unknown", `Cannot show messages: there is no conversation with ${request.who} yet`, {
        // A history that is not here may hold one.
        hint: archiveText(engine.archive()) ?? `To begin one: kez dm ${request.who} "hello"`,
      })
    }
    const messages =
      conversation === undefined || request.count === 0
        ? []
        : await engine.messages(conversation.id, { limit: request.count })
    if (!request.follow) {
      await events.return?.()
      const last = messages.at(-1)
      if (last !== undefined) await engine.markRead(last.conversation, last.id)
      return {
        schema: "kez.messages/1",
        data: {
          conversation: conversation?.id ?? null,
          messages: messages.map((message) => messageJson(chat, message)),
        },
        text: messagesText(context, chat, messages),
      }
    }
    for (const message of messages) writeMessage(context, chat, message)
    let known = conversation?.id
    for await (const event of events) {
      if (event.kind !== "message" || event.message.sender.isSelf) continue
      if (event.message.conversation !== known) {
        const of = await engine.conversation(event.message.conversation)
        if (of?.contact?.chain !== contact.chain) continue
        known = of.id
      }
      writeMessage(context, chat, event.message)
      await engine.markRead(event.message.conversation, event.message.id)
    }
    return { schema: "kez.messages/1", data: { conversation: conversation?.id ?? null, messages: [] }, text: "" }
  })
}

function writeMessage(context: Context, chat: OpenChat, message: ShownMessage): void {
  const text = messageLines(context, chat, message, { below: offerHint(message) }).join("\n")
  writeResult({ schema: "kez.message/1", data: messageJson(chat, message), text, warnings: [] }, context.flags)
}

function offerHint({ fileOffer, sender }: ShownMessage): readonly string[] {
  return fileOffer === undefined || sender.isSelf ? [] : ["kez receive fetches it"]
}

function messagesText(context: Context, chat: OpenChat, messages: readonly ShownMessage[]): string {
  if (messages.length === 0) return "no messages yet"
  let day = ""
  return messages
    .flatMap((message) => {
      const own = dayText(message.at)
      const head = own === day ? [] : [own]
      day = own
      return [...head, ...messageLines(context, chat, message, { below: offerHint(message) })]
    })
    .join("\n")
}

interface LineOptions {
  /** What a reply answers. */
  readonly answered?: ShownMessage | undefined
  /** Further lines, such as how far a file is. */
  readonly below?: readonly string[]
}

/** `14:02 bob@host: text`, further lines below it. */
export function messageLines(
  { terminal }: Context,
  chat: OpenChat,
  message: ShownMessage,
  { answered, below = [] }: LineOptions = {},
): readonly string[] {
  const { color } = terminal
  const name = message.sender.isSelf ? "you" : senderName(chat, message)
  const quote = message.answers === undefined ? "" : ` (to "${quoteOf(answered)}")`
  const [first = "", ...rest] = [...bodyLines(message), ...below]
  const notes = [notesOf(message), reactionText(message)].filter((part) => part !== "").join("  ")
  const lines = [
    `${clockText(message.at)} ${paint(color, message.sender.isSelf ? "cyan" : "bold", name)}${quote}: ${first}`,
    ...rest.map((line) => `      ${line}`),
  ]
  return notes === "" ? lines : [...lines.slice(0, -1), `${lines.at(-1)}  ${paint(color, "dim", `[${notes}]`)}`]
}

/** `kez chat --json`: one JSON object a line in both directions. Commands in on stdin, events and answers out on stdout. docs/json.md */
import { createInterface } from "node:readline"
import { type Draft, type EngineEvent, isAcceptable } from "@kez/chat"
import { type Json, type JsonObject, KezError, parseJson } from "@kez/core"
import { assertObject } from "@kez/core/schema"
import { acceptContact } from "../commands/contacts-stand.ts"
import type { Context } from "../context.ts"
import type { ChatFileOptions } from "../files/chat-files.ts"
import { failureOf, formatJson, writeOut } from "../output.ts"
import { badgeJson, checkBadges } from "./badges.ts"
import { textIn } from "./bot-command.ts"
import { type BotFiles, createBotFiles } from "./bot-files.ts"
import { runGroupCommand } from "./bot-groups.ts"
import { alarmJson, contactJson, conversationJson, deliveredJson, messageJson, rememberNames } from "./chat-json.ts"
import type { OpenChat } from "./open-chat.ts"
import { assertSameHost, findKnown, findPerson } from "./people.ts"
import { runLines } from "./run-lines.ts"

const maxLineCharacters = 262_144
const sendMs = 20_000

export async function runBotChat(context: Context, chat: OpenChat, options: ChatFileOptions): Promise<void> {
  const { engine } = chat
  const events = engine.events()
  const write = (data: object): void =>
    writeOut(`${formatJson({ schema: "kez.chat_event/1", ok: true, data, warnings: [] })}\n`)
  write({
    kind: "begin",
    account: `${chat.account.handle}@${chat.account.host}`,
    chain: engine.chain,
    device: engine.device,
    connection: engine.connection(),
    archive: engine.archive(),
  })
  const following = (async () => {
    for await (const event of events) {
      const told = eventJson(chat, event)
      if (told !== undefined) write(told)
    }
  })()
  const files = createBotFiles(context, chat, { options, write })
  void files.files.begin()
  const lines = createInterface({ input: process.stdin, terminal: false })
  let isInterrupted = false
  const end = (): void => {
    isInterrupted = true
    lines.close()
  }
  process.once("SIGINT", end)
  process.once("SIGTERM", end)
  const run = async (line: string): Promise<"go" | "quit"> => {
    if (line.trim() === "") return "go"
    const answer = await answerTo(context, { chat, files }, line)
    writeOut(`${formatJson(answer)}\n`)
    return "data" in answer && answer.data.kind === "quit" ? "quit" : "go"
  }
  const { settled } = await runLines(lines, { run, isLong })
  if (!isInterrupted) await settled
  await engine.settled(sendMs)
  await files.files.close()
  await events.return?.()
  await following
}

/** Undefined: of the files part, which tells what comes of it. */
export function eventJson(chat: OpenChat, event: EngineEvent): object | undefined {
  switch (event.kind) {
    case "message":
    case "message_changed":
      return { kind: event.kind, ...messageJson(chat, event.message) }
    case "outbox":
      return {
        kind: event.kind,
        conversation: event.conversation,
        message: event.message,
        delivered: deliveredJson(event.delivered),
      }
    case "typing":
      return { kind: event.kind, conversation: event.conversation, chain: event.chain, is_typing: event.isTyping }
    case "conversation":
      return { kind: event.kind, ...conversationJson(chat, event.conversation) }
    case "contact":
      rememberNames(chat, [event.contact])
      return { kind: event.kind, ...contactJson(chat, event.contact) }
    case "alarm":
      return { kind: "alarm", is_open: event.isOpen, ...alarmNamed(chat, event) }
    case "connection":
      return { kind: event.kind, connection: event.connection }
    case "change_refused": {
      const { kind, conversation, code, reason, hint = null } = event
      return { kind, conversation, code, reason, hint }
    }
    case "presence":
    case "file_state":
    case "devices":
      return undefined
    case "archive":
      return { kind: event.kind, archive: event.archive }
  }
}

/** `kind` of an alarm is `alarm_kind` here: `kind` is that of the event. */
function alarmNamed(chat: OpenChat, { alarm }: EngineEvent & { readonly kind: "alarm" }): object {
  const { kind, ...rest } = alarmJson(chat, alarm)
  return { alarm_kind: kind, ...rest }
}

type BotAnswer =
  | {
      readonly schema: "kez.chat_answer/1"
      readonly ok: true
      readonly data: { readonly kind: string; readonly id: Json }
      readonly warnings: readonly string[]
    }
  | {
      readonly schema: "kez.error/1"
      readonly ok: false
      readonly id: Json
      readonly error: object
      readonly warnings: readonly string[]
    }

interface Bot {
  readonly chat: OpenChat
  readonly files: BotFiles
}

async function answerTo(context: Context, bot: Bot, line: string): Promise<BotAnswer> {
  let id: Json = null
  try {
    const command = readCommand(line)
    id = command["id"] ?? null
    const kind = textIn(command, "do")
    const data = await run(context, bot, kind, command)
    return { schema: "kez.chat_answer/1", ok: true, data: { kind, id, ...data }, warnings: [] }
  } catch (error) {
    const { code, message, hint } = failureOf(error)
    return {
      schema: "kez.error/1",
      ok: false,
      id,
      error: hint === undefined ? { code, message } : { code, message, hint },
      warnings: [],
    }
  }
}

/** It reads what is to be sent, however large that is. */
function isLong(line: string): boolean {
  try {
    return readCommand(line)["do"] === "send_file"
  } catch {
    return false
  }
}

function readCommand(line: string): JsonObject {
  if (line.length > maxLineCharacters)
    throw new KezError("limit.size", `Cannot read the command: expected at most ${maxLineCharacters} characters`)
  const value = parseJson(line)
  assertObject(value, "the command")
  return value
}

const commands =
  "send, reply, edit, delete, react, read, typing, history, conversations, contacts, add, show, accept, block, alarms, settle, retry, send_file, receive, decline, transfers, group, group_add, group_remove, group_leave, quit"

async function run(context: Context, { chat, files }: Bot, kind: string, command: JsonObject): Promise<object> {
  const { engine } = chat
  switch (kind) {
    case "send":
    case "reply":
    case "edit":
    case "delete":
    case "react":
      return {
        ...messageJson(chat, await engine.send(await conversationOf(context, chat, command), draftOf(kind, command))),
      }
    case "read":
      await engine.markRead(await conversationOf(context, chat, command), textIn(command, "message"))
      return {}
    case "typing":
      await engine.setTyping(await conversationOf(context, chat, command), command["on"] !== false)
      return {}
    case "history": {
      const { before, limit } = command
      const options = {
        ...(typeof before === "string" ? { before } : {}),
        ...(typeof limit === "number" ? { limit } : {}),
      }
      const messages = await engine.messages(await conversationOf(context, chat, command), options)
      return { messages: messages.map((message) => messageJson(chat, message)) }
    }
    case "conversations":
      return { conversations: (await engine.conversations()).map((one) => conversationJson(chat, one)) }
    case "contacts":
      return { contacts: (await engine.contacts.list()).map((one) => contactJson(chat, one)) }
    case "add":
      return contactJson(chat, await findPerson(context, chat, textIn(command, "who")))
    case "show": {
      const contact = await findPerson(context, chat, textIn(command, "who"))
      return { ...contactJson(chat, contact), proofs: (await checkBadges(context, chat, contact.chain)).map(badgeJson) }
    }
    case "accept":
      return contactJson(
        chat,
        await acceptContact(context, chat, await knownContact(chat, command), textIn(command, "who")),
      )
    case "block": {
      const { chain } = await knownContact(chat, command)
      await engine.contacts.block(chain)
      return {}
    }
    case "alarms":
      return {
        alarms: (await engine.alarms.list()).map((state) => ({
          ...alarmJson(chat, state),
          is_acceptable: isAcceptable(state.alarm),
        })),
      }
    case "settle":
      await engine.alarms.settle(textIn(command, "alarm"), command["decision"] === "accept" ? "accept" : "dismiss")
      return {}
    case "retry":
      await engine.retry(await conversationOf(context, chat, command))
      return {}
    case "quit":
      return {}
    default: {
      const done =
        (await files.run(kind, command, () => conversationOf(context, chat, command))) ??
        (await runGroupCommand(context, chat, { kind, command }))
      if (done !== undefined) return done
      throw new KezError("usage", `Cannot do that: expected "do" to be one of ${commands}`)
    }
  }
}

function draftOf(kind: "send" | "reply" | "edit" | "delete" | "react", command: JsonObject): Draft {
  switch (kind) {
    case "send":
      return { type: "text", text: textIn(command, "text") }
    case "reply":
      return { type: "reply", to: textIn(command, "message"), text: textIn(command, "text") }
    case "edit":
      return { type: "edit", of: textIn(command, "message"), text: textIn(command, "text") }
    case "delete":
      return { type: "delete", of: textIn(command, "message") }
    case "react":
      return {
        type: "reaction",
        to: textIn(command, "message"),
        emoji: textIn(command, "emoji"),
        action: command["remove"] === true ? "remove" : "add",
      }
  }
}

/** By its id, or by a person, with whom it is made where there is none. */
async function conversationOf(context: Context, chat: OpenChat, command: JsonObject): Promise<string> {
  const { conversation } = command
  if (typeof conversation === "string") return conversation
  const contact = await findPerson(context, chat, textIn(command, "to"))
  assertSameHost(chat, contact)
  return (await chat.engine.openDirect(contact.chain)).id
}

async function knownContact(chat: OpenChat, command: JsonObject) {
  const who = textIn(command, "who")
  const contact = await findKnown(chat, who)
  if (contact !== undefined) return contact
  throw new KezError("store.unknown", "Cannot find the person among the contacts", {
    hint: '{"do":"contacts"} lists them.',
  })
}

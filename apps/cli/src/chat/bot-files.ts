/** Files in `kez chat --json`: commands that move them, and what becomes of them. docs/json.md */
import type { ShownMessage, TransferNote, TransferView } from "@kez/chat"
import { type Json, type JsonObject, KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { type ChatFileOptions, ChatFiles } from "../files/chat-files.ts"
import { transferJson } from "../files/transfer-text.ts"
import { textIn } from "./bot-command.ts"
import { nameOfConversation } from "./chat-json.ts"
import type { OpenChat } from "./open-chat.ts"

/** Between two lines that only say how far it is. */
const progressMs = 500
const lookedAt = 500

export interface BotFiles {
  readonly files: ChatFiles
  /** Undefined: it is no command of this part. */
  run(kind: string, command: JsonObject, conversationOf: () => Promise<string>): Promise<object | undefined>
}

export function createBotFiles(
  context: Context,
  chat: OpenChat,
  { options, write }: { readonly options: ChatFileOptions; readonly write: (data: object) => void },
): BotFiles {
  const names = new Map<string, string>()
  const last = new Map<string, number>()
  const json = (view: TransferView, what?: TransferNote) => ({
    ...transferJson(view, names.get(view.conversation) ?? "", what),
    conversation: view.conversation,
  })
  const isDue = ({ id, state }: TransferView, what: TransferNote | undefined): boolean => {
    if (what !== undefined) return true
    if (state !== "running" || performance.now() - (last.get(id) ?? -progressMs) < progressMs) return false
    last.set(id, performance.now())
    return true
  }
  const tell = async (view: TransferView, what: TransferNote | undefined): Promise<void> => {
    if (!names.has(view.conversation)) {
      const conversation = await chat.engine.conversation(view.conversation)
      if (conversation !== undefined) names.set(view.conversation, nameOfConversation(chat, conversation))
    }
    write({ kind: "transfer", ...json(view, what) })
  }
  const files = new ChatFiles(context, chat, {
    ...options,
    events: {
      onTransfer: (view, what) => {
        if (isDue(view, what)) void tell(view, what).catch(() => undefined)
      },
      onTrouble: ({ code, message, hint }) => write({ kind: "files_off", code, message, hint: hint ?? null }),
      onNotice: (text) => write({ kind: "files_notice", text }),
    },
  })
  const offerIn = async (command: JsonObject, conversationOf: () => Promise<string>): Promise<ShownMessage> => {
    const messages = await chat.engine.messages(await conversationOf(), { limit: lookedAt })
    const found = messages.find(({ id }) => id === textIn(command, "message"))
    if (found !== undefined) return found
    throw new KezError("usage", "Cannot do that: the message is not among the last ones of the conversation")
  }
  return {
    files,
    async run(kind, command, conversationOf) {
      switch (kind) {
        case "send_file":
          await files.offer({ id: await conversationOf() }, textIn(command, "path"))
          return {}
        case "receive":
          await files.fetch(await offerIn(command, conversationOf), optionalText(command["dir"]))
          return {}
        case "decline":
          await files.decline(await offerIn(command, conversationOf))
          return {}
        case "transfers":
          return { transfers: files.views().map((view) => json(view)) }
        default:
          return undefined
      }
    },
  }
}

function optionalText(value: Json | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined
}

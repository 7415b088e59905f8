/** Groups in `kez chat --json`. docs/json.md */
import { type Json, type JsonObject, KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { textIn } from "./bot-command.ts"
import { conversationJson, rememberNames } from "./chat-json.ts"
import type { OpenChat } from "./open-chat.ts"
import { chainsOf, memberNamed } from "./session-groups.ts"

/** Undefined: it is no command of this part. */
export async function runGroupCommand(
  context: Context,
  chat: OpenChat,
  { kind, command }: { readonly kind: string; readonly command: JsonObject },
): Promise<object | undefined> {
  const { engine } = chat
  const { groups } = engine
  switch (kind) {
    case "group": {
      const people = await chainsOf(context, chat, listIn(command["members"]))
      rememberNames(chat, await engine.contacts.list())
      return conversationJson(chat, await groups.create(textIn(command, "name"), people))
    }
    case "group_add":
      for (const chain of await chainsOf(context, chat, [textIn(command, "who")]))
        await groups.add(textIn(command, "conversation"), chain)
      return {}
    case "group_remove": {
      const id = textIn(command, "conversation")
      await groups.remove(id, await memberNamed(chat, id, textIn(command, "who")))
      return {}
    }
    case "group_leave":
      await groups.leave(textIn(command, "conversation"))
      return {}
    default:
      return undefined
  }
}

function listIn(value: Json | undefined): readonly string[] {
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value
  throw new KezError("schema.type", 'Cannot read the command: expected "members" to be a list of texts')
}

/** Doing what was typed. What only shows something is told back: how it is shown differs. */
import type { Draft, ShownMessage } from "@kez/chat"
import { KezError } from "@kez/core"
import type { ChatSession } from "./session.ts"
import { fetchFile, lastOffer, offerFile, shareFile, unshareFile } from "./session-files.ts"
import { changeGroup, makeGroup } from "./session-groups.ts"
import { parseTyped, type Typed } from "./typed.ts"

export type TypedResult = "done" | "quit" | "help" | "list" | "alarms" | "evidence" | "history" | "members"

/** Of plain lines: messages have numbers there. */
export interface Numbers {
  messageAt(number: string): ShownMessage | undefined
}

export async function runTyped(session: ChatSession, line: string, numbers?: Numbers): Promise<TypedResult> {
  const typed = parseTyped(line)
  switch (typed.do) {
    case "nothing":
      return "done"
    case "text":
      await session.send({ type: "text", text: typed.text })
      return "done"
    case "to":
      await session.open(typed.who)
      return "done"
    case "reply":
    case "edit":
    case "delete":
      await change(session, typed, numbers)
      return "done"
    case "react":
      await session.send(draftOf(session, "react", numbered(session, typed.who, numbers).id, typed.text))
      return "done"
    case "send":
      await offerFile(session, typed.text)
      return "done"
    case "share":
      await shareFile(session, typed.text)
      return "done"
    case "unshare":
      await unshareFile(session, typed.text)
      return "done"
    case "receive":
    case "decline": {
      const { which, text } = typed
      const offer = which === undefined ? lastOffer(session) : numbered(session, which, numbers)
      await (typed.do === "receive" ? fetchFile(session, offer, text) : session.files.decline(offer))
      return "done"
    }
    case "group":
      await makeGroup(session, typed.name, typed.who)
      return "done"
    case "add":
    case "remove":
      await changeGroup(session, typed.do, typed.who)
      return "done"
    case "leave":
      await session.chat.engine.groups.leave(session.here().id)
      return "done"
    case "settle":
      await session.settle(alarmId(session, typed.which), typed.decision)
      return "done"
    case "accept":
      await session.accept()
      return "done"
    case "block":
      await session.block()
      return "done"
    case "retry":
      await session.retry()
      return "done"
    case "quit":
    case "help":
    case "list":
    case "alarms":
    case "evidence":
    case "history":
    case "members":
      return typed.do
  }
}

async function change(
  session: ChatSession,
  { do: what, which, text }: Typed & { readonly do: "reply" | "edit" | "delete" },
  numbers?: Numbers,
): Promise<void> {
  const message = which === undefined ? lastOf(session, what) : numbered(session, which, numbers)
  await session.send(what === "delete" ? { type: "delete", of: message.id } : draftOf(session, what, message.id, text))
}

/** A reply, edit or reaction. The same reaction again takes it away. */
export function draftOf(session: ChatSession, kind: "reply" | "edit" | "react", message: string, text: string): Draft {
  switch (kind) {
    case "reply":
      return { type: "reply", to: message, text }
    case "edit":
      return { type: "edit", of: message, text }
    case "react": {
      const emoji = text.trim()
      const own = session.chat.engine.chain
      const isThere =
        session.findMessage(message)?.reactions.some((one) => one.emoji === emoji && one.by.includes(own)) === true
      return { type: "reaction", to: message, emoji, action: isThere ? "remove" : "add" }
    }
  }
}

/** The last of the other side to reply to; the own last one to change. */
function lastOf({ messages }: ChatSession, what: "reply" | "edit" | "delete"): ShownMessage {
  const found = messages.findLast(({ sender, type }) =>
    what === "reply" ? !sender.isSelf : sender.isSelf && type !== "deleted",
  )
  if (found !== undefined) return found
  throw new KezError("usage", `Cannot ${what}: there is no message here that it could be about`)
}

function numbered({ messages }: ChatSession, typed: string, numbers: Numbers | undefined): ShownMessage {
  const bare = typed.replace(/^#/, "")
  // Without numbers on the screen, 1 is the newest.
  const found = numbers === undefined ? messages.at(-Number(bare)) : numbers.messageAt(bare)
  if (found !== undefined && /^[0-9]+$/.test(bare)) return found
  throw new KezError("usage", "Cannot do that: expected the number of a message", {
    hint:
      numbers === undefined
        ? "1 is the newest. Ctrl-P chooses one by the eye."
        : "It stands before each message, as #12.",
  })
}

function alarmId({ alarms }: ChatSession, typed: string): string {
  const byPlace = /^[0-9]{1,3}$/.test(typed) ? alarms[Number(typed) - 1]?.id : undefined
  const id = alarms.find((one) => one.id === typed)?.id ?? byPlace
  if (id !== undefined) return id
  throw new KezError("usage", "Cannot settle: expected the number of an open alarm", { hint: "/alarms lists them." })
}

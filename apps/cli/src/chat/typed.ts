/** What is typed into a chat: a text, or a command that begins with a slash. The same on the screen and in plain lines. */
import { KezError } from "@kez/core"
import { nearestOf } from "../nearest.ts"

export type Typed =
  | { readonly do: "text"; readonly text: string }
  | { readonly do: "to" | "react"; readonly who: string; readonly text: string }
  | { readonly do: "reply" | "edit" | "delete"; readonly which: string | undefined; readonly text: string }
  /** `text`: a path. */
  | { readonly do: "send" | "share"; readonly text: string }
  /** `text`: a name in the list, or a path. */
  | { readonly do: "unshare"; readonly text: string }
  | { readonly do: "receive" | "decline"; readonly which: string | undefined; readonly text: string }
  | { readonly do: "group"; readonly name: string; readonly who: readonly string[] }
  | { readonly do: "add" | "remove"; readonly who: string }
  | { readonly do: "settle"; readonly which: string; readonly decision: "accept" | "dismiss" }
  | {
      readonly do:
        | "list"
        | "accept"
        | "block"
        | "evidence"
        | "alarms"
        | "retry"
        | "history"
        | "members"
        | "leave"
        | "help"
        | "quit"
        | "nothing"
    }

export const typedCommands: ReadonlyArray<readonly [form: string, meaning: string]> = [
  ["/to WHO", "write to somebody: bob, bob@host, github:bob; or to a group, by its name"],
  ["/list", "your conversations"],
  ["/history", "more of what was before"],
  ["/reply [N] TEXT", "answer message N, or the last one"],
  ["/edit [N] TEXT", "change your message N, or your last one"],
  ["/delete [N]", "take it back"],
  ["/react N EMOJI", "react to message N; the same again takes it away"],
  ["/send PATH", "offer a file or folder here, and serve it while the chat is open"],
  ["/share PATH", "let those who are here now look through it and fetch it while the chat is open"],
  ["/unshare NAME", "nobody gets it any more"],
  ["/receive [N] [FOLDER]", "fetch what message N offers, or the last offer"],
  ["/decline [N]", "do not want it"],
  ["/group NAME WHO…", "a group with these people; you own it"],
  ["/add WHO, /remove WHO", "in the group that is open, for owners and admins"],
  ["/members, /leave", "who is in the group; ask to be let go"],
  ["/evidence", "look at the proofs of the person now, and show all that was seen"],
  ["/accept, /block", "the person who wrote first"],
  ["/alarms", "what may be a lie, and what to do about it"],
  ["/settle N accept|dismiss", "settle alarm N"],
  ["/retry", "send again what failed"],
  ["/quit", "leave. //TEXT sends a text that begins with a slash"],
]

const bare = [
  "list",
  "history",
  "accept",
  "block",
  "evidence",
  "alarms",
  "retry",
  "members",
  "leave",
  "help",
  "quit",
] as const
const names = [
  ...bare,
  "to",
  "reply",
  "edit",
  "delete",
  "react",
  "settle",
  "send",
  "share",
  "unshare",
  "receive",
  "decline",
  "group",
  "add",
  "remove",
]

/** Throws `usage`, naming the nearest command. */
export function parseTyped(line: string): Typed {
  if (line.trim() === "") return { do: "nothing" }
  if (line.startsWith("//")) return { do: "text", text: line.slice(1) }
  if (!line.startsWith("/")) return { do: "text", text: line }
  const [, name = "", rest = ""] = /^\/(\S*)\s*(.*)$/s.exec(line) ?? []
  const simple = bare.find((one) => one === name)
  if (simple !== undefined) return { do: simple }
  switch (name) {
    case "to":
      if (rest.trim() === "") throw misuse("/to WHO, such as /to bob@chat.example.org")
      return { do: "to", who: rest.trim(), text: "" }
    case "react": {
      const [, who = "", text = ""] = /^(\S+)\s+(\S+)\s*$/.exec(rest) ?? []
      if (text === "") throw misuse("/react N EMOJI")
      return { do: "react", who, text }
    }
    case "reply":
    case "edit":
    case "delete": {
      const { which, text } = numberedRest(rest)
      if (name !== "delete" && text.trim() === "") throw misuse(`/${name} [N] TEXT`)
      return { do: name, which, text }
    }
    case "group": {
      const [group = "", ...who] = rest.trim().split(/\s+/)
      if (who.length === 0) throw misuse("/group NAME WHO WHO, such as /group garden bob carol")
      return { do: "group", name: group, who }
    }
    case "add":
    case "remove":
      if (!/^\S+$/.test(rest.trim())) throw misuse(`/${name} WHO`)
      return { do: name, who: rest.trim() }
    case "send":
      if (rest.trim() === "") throw misuse("/send PATH, such as /send ~/photo.jpg")
      return { do: "send", text: rest.trim() }
    case "share":
    case "unshare":
      if (rest.trim() === "") throw misuse(name === "share" ? "/share PATH, such as /share ~/photos" : "/unshare NAME")
      return { do: name, text: rest.trim() }
    case "receive":
    case "decline": {
      const { which, text } = numberedRest(rest)
      if (name === "decline" && text.trim() !== "") throw misuse("/decline [N]")
      return { do: name, which, text: text.trim() }
    }
    case "settle": {
      const [, which = "", decision = ""] = /^(\S+)\s+(accept|dismiss)\s*$/.exec(rest) ?? []
      if (decision !== "accept" && decision !== "dismiss") throw misuse("/settle N accept, or /settle N dismiss")
      return { do: "settle", which, decision }
    }
    default:
      throw unknown(name)
  }
}

/** A number of a message, if one stands there, and what is behind it. */
function numberedRest(rest: string): { readonly which: string | undefined; readonly text: string } {
  const [, which, text = ""] = /^(?:#?([0-9]{1,6})(?:\s+|$))?(.*)$/s.exec(rest) ?? []
  return { which, text }
}

function misuse(expected: string): KezError {
  return new KezError("usage", `Cannot do that: expected ${expected}`)
}

function unknown(name: string): KezError {
  const near = nearestOf(name, names)
  return new KezError("usage", "Cannot do that: there is no such command", {
    hint:
      near === undefined ? "/help lists them. //TEXT sends a text that begins with a slash." : `Did you mean /${near}?`,
  })
}

/** Whether it reads whole files, which may take minutes. */
export function isLongTyped(line: string): boolean {
  try {
    return ["send", "share"].includes(parseTyped(line).do)
  } catch {
    return false
  }
}

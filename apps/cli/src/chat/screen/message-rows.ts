/** The messages of a conversation as rows of a given width: days, names, texts, what became of them. */
import type { ShownMessage } from "@kez/chat"
import { printable } from "../../output.ts"
import { badgeSummary } from "../badges.ts"
import { bodyLines, clockText, dayText, notesOf, quoteOf, reactionText } from "../message-text.ts"
import type { ChatSession } from "../session.ts"
import { breakCells, cutCells } from "./cells.ts"
import { type Row, type Style, piece } from "./paint-row.ts"
import type { ScreenState } from "./state.ts"

/** A longer message shows its beginning; `kez dm WHO --tail` shows all of it. */
const maxCharacters = 4_000
const indent = "      "

export interface MessageRows {
  readonly rows: readonly Row[]
  /** Where the chosen message begins and ends. */
  readonly chosen: readonly [from: number, to: number] | undefined
}

export function messageRows(session: ChatSession, { chosen }: ScreenState, width: number): MessageRows {
  const rows: Row[] = []
  let place: readonly [number, number] | undefined
  let day = ""
  let unreadShown = false
  const unread = session.current?.unread ?? 0
  const { messages } = session
  messages.forEach((message, at) => {
    const own = dayText(message.at)
    if (own !== day) rows.push([piece(`── ${own} ──`, "dim")])
    day = own
    if (!unreadShown && unread > 0 && messages.length - at <= unread) {
      rows.push([piece("── new ──", "warn")])
      unreadShown = true
    }
    const from = rows.length
    rows.push(...rowsOf(session, message, { width, isChosen: message.id === chosen }))
    if (message.id === chosen) place = [from, rows.length]
  })
  return { rows, chosen: place }
}

function rowsOf(session: ChatSession, message: ShownMessage, { width, isChosen }: { readonly width: number; readonly isChosen: boolean }): readonly Row[] {
  const { isSelf } = message.sender
  const style: Style = isSelf ? "self" : "bold"
  const name = shortName(session, message)
  const badge = isSelf ? "" : badgeSummary(session.badgesOf(message.sender.chain).filter(({ badge }) => badge.glyph !== "○"))
  const head = `${clockText(message.at)} ${name}${badge === "" ? "" : ` ${badge}`}: `
  const textStyle: Style = ["text", "reply", "thread"].includes(message.type) ? "plain" : "dim"
  const [first = "", ...rest] = bodyLines(message, maxCharacters)
  const flowing = breakCells(head + first, width)
  const body = [
    ...(message.answers === undefined ? [] : [{ text: `${indent}┌ ${cutCells(printable(quoteText(session, message)), width - 8)}`, isHead: false, style: "dim" as const }]),
    ...flowing.flatMap((text, at) => (at === 0 ? [{ text, isHead: true, style: textStyle }] : continued(text, width, textStyle))),
    ...rest.flatMap((line) => continued(line, width, textStyle)),
  ]
  const notes = [notesOf(message), reactionText(message)].filter((part) => part !== "").join("  ")
  const rows: Row[] = body.map(({ text, isHead, style: own }) => {
    const mark = isChosen ? "▸" : ""
    if (!isHead) return [piece(isChosen ? `▸${text.slice(1)}` : text, own)]
    const cut = Math.min(head.length, text.length)
    return [piece(mark + text.slice(0, cut), isChosen ? "chosen" : style), piece(text.slice(cut), own)]
  })
  if (notes === "") return rows
  const isFault = message.delivered?.state === "failed"
  return [...rows, ...breakCells(notes, width - indent.length).map((text): Row => [piece(`${indent}${text}`, isFault ? "bad" : "dim")])]
}

function continued(text: string, width: number, style: Style) {
  return breakCells(text, width - indent.length).map((line) => ({ text: indent + line, isHead: false, style }))
}

function quoteText(session: ChatSession, { answers }: ShownMessage): string {
  const answered = answers === undefined ? undefined : session.findMessage(answers)
  return answered === undefined ? quoteOf(undefined) : `${session.senderOf(answered)}: ${quoteOf(answered)}`
}

/** Without the host where that is one's own: the title has the whole name. */
export function shortName(session: ChatSession, message: ShownMessage): string {
  return withoutOwnHost(session, printable(session.senderOf(message), 60))
}

export function withoutOwnHost({ chat }: ChatSession, name: string): string {
  return name.replace(`@${chat.account.host}`, "")
}

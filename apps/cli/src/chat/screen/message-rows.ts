/** The messages of a conversation as rows of a given width: days, names, texts, what became of them. */
import type { ShownMessage } from "@kez/chat"
import type { Digest } from "@kez/core"
import { printable } from "../../output.ts"
import { badgeSummary } from "../badges.ts"
import { bodyLines, clockText, dayText, notesOf, quoteOf, reactionText } from "../message-text.ts"
import type { ChatSession } from "../session.ts"
import { offerLine } from "../session-files.ts"
import { breakCells, cellsOf, cutCells } from "./cells.ts"
import { cellsOfRow, piece, type Row, type Style } from "./paint-row.ts"
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

function rowsOf(
  session: ChatSession,
  message: ShownMessage,
  { width, isChosen }: { readonly width: number; readonly isChosen: boolean },
): readonly Row[] {
  const { isSelf } = message.sender
  const style: Style = isSelf ? "self" : "bold"
  const name = shortName(session, message)
  const badge = isSelf || name.endsWith("?") ? "" : summaryOf(session, message.sender.chain)
  const quote = message.answers === undefined ? "" : ` ↪ ${printable(quoteText(session, message))}`
  const head = `${clockText(message.at)} ${name}${badge === "" ? "" : ` ${badge}`}${quote === "" ? ": " : ""}`
  const textStyle: Style = ["text", "reply", "thread"].includes(message.type) ? "plain" : "dim"
  const mark = isChosen ? "▸" : ""
  const offer = offerLine(session, message)
  const lines = [...bodyLines(message, maxCharacters), ...(offer === undefined ? [] : [offer])]
  const headRow = (text: string, own: Style): Row => [piece(mark + head, isChosen ? "chosen" : style), piece(text, own)]
  const below = (line: string): readonly Row[] =>
    breakCells(line, width - indent.length).map(
      (text): Row => [piece(`${isChosen ? `▸${indent.slice(1)}` : indent}`), piece(text, textStyle)],
    )
  const rows: readonly Row[] =
    quote === ""
      ? flowing(lines, { width, head, textStyle, headRow, below })
      : [headRow(cutCells(quote, width - cellsOf(head) - 1), "dim"), ...lines.flatMap(below)]
  const notes = [notesOf(message), reactionText(message)].filter((part) => part !== "").join("  ")
  if (notes === "") return rows
  const isFault = message.delivered?.state === "failed"
  const last = rows.at(-1) ?? []
  // Behind the text where there is room, so that short messages take one line.
  if (cellsOfRow(last) + cellsOf(notes) + 3 <= width)
    return [...rows.slice(0, -1), [...last, piece(`  · ${notes}`.slice(1), isFault ? "bad" : "dim")]]
  return [
    ...rows,
    ...breakCells(notes, width - indent.length).map(
      (text): Row => [piece(`${indent}${text}`, isFault ? "bad" : "dim")],
    ),
  ]
}

interface Flow {
  readonly width: number
  readonly head: string
  readonly textStyle: Style
  headRow(text: string, style: Style): Row
  below(line: string): readonly Row[]
}

/** The first line begins behind the name; what follows stands below it. */
function flowing(
  [first = "", ...rest]: readonly string[],
  { width, head, textStyle, headRow, below }: Flow,
): readonly Row[] {
  const [start = "", ...more] = breakCells(first, width - indent.length, width - cellsOf(head) - 1)
  return [headRow(start, textStyle), ...[...more, ...rest].flatMap(below)]
}

function quoteText(session: ChatSession, { answers }: ShownMessage): string {
  const answered = answers === undefined ? undefined : session.findMessage(answers)
  return answered === undefined ? quoteOf(undefined) : `${shortName(session, answered)}: ${quoteOf(answered)}`
}

/** Without the host where that is one's own: the title has the whole name. */
export function shortName(session: ChatSession, message: ShownMessage): string {
  return withoutOwnHost(session, printable(session.senderOf(message), 60))
}

/** What was seen of somebody's accounts, beside a name that was looked up. Beside one of his own choice it would seem to confirm that. */
export function summaryOf(session: ChatSession, chain: Digest): string {
  return badgeSummary(session.badgesOf(chain).filter(({ badge }) => badge.glyph !== "○"))
}

/** Only where the host ends there: `bob@chat.example` must not look like somebody at `chat.example.net`. */
export function withoutOwnHost({ chat }: Pick<ChatSession, "chat">, name: string): string {
  const [, handle, mark] = /^([^@]*)@[^?]*(\??)$/.exec(name) ?? []
  const short = `${handle}${mark}`
  return name === `${handle}@${chat.account.host}${mark}` ? short : name
}

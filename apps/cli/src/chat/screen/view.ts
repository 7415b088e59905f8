/** The whole screen as rows, from what is known and what is typed: list, messages, line. A function of its input, so that it can be looked at in tests. */

import { tonePaints } from "../../graph/graph-badges.ts"
import { printable } from "../../output.ts"
import { contactOfAlarm } from "../alarm-text.ts"
import { archiveText, safeLines } from "../message-text.ts"
import type { ChatSession } from "../session.ts"
import { runningLine } from "../session-files.ts"
import { membersText } from "../session-groups.ts"
import { breakCells, cellsOf, cutCells } from "./cells.ts"
import { textOf } from "./editor.ts"
import { messageRows, summaryOf, withoutOwnHost } from "./message-rows.ts"
import { overlayRows } from "./overlays.ts"
import { cellsOfRow, fitRow, type Piece, piece, type Row, type Style } from "./paint-row.ts"
import type { ScreenState } from "./state.ts"

export interface Size {
  readonly columns: number
  readonly rows: number
}

export interface View {
  readonly rows: readonly Row[]
  /** From 0; undefined hides it. */
  readonly cursor: { readonly row: number; readonly column: number } | undefined
  /** As far as it makes sense to scroll back. */
  readonly maxScroll: number
}

/** From here on the list stands beside the messages. */
const wideColumns = 70
const listWidth = 24
const maxInputRows = 5
const maxStatusRows = 3

export function viewOf(session: ChatSession, state: ScreenState, { columns, rows: height }: Size): View {
  const width = Math.max(16, columns)
  const input = inputRows(session, state, width)
  const title = titleRow(session, width)
  const status = statusRows(session, state, width)
  const keys = fitRow([piece(hintOf(session, state, width), "dim")], width)
  const room = Math.max(1, height - 2 - status.length - input.rows.length)
  const body = bodyRows(session, state, { width, room })
  const rows = [title, ...body.rows, ...status, ...input.rows, keys].slice(0, height)
  const inputAt = 1 + body.rows.length + status.length
  const isTyping = state.overlay === undefined && state.chosen === undefined
  const cursor = isTyping ? { row: inputAt + input.row, column: input.column } : undefined
  return { rows, cursor: cursor !== undefined && cursor.row < height ? cursor : undefined, maxScroll: body.maxScroll }
}

function titleRow(session: ChatSession, width: number): Row {
  const { account } = session.chat
  const stops = session.alarms.filter(({ isStop }) => isStop).length
  const alarms =
    session.alarms.length === 0
      ? ""
      : ` ${stops > 0 ? "⑂" : "!"} ${session.alarms.length} alarm${session.alarms.length === 1 ? "" : "s"} `
  const state = session.connection.kind
  const left = ` ${account.handle}@${account.host}`
  const { kind } = session.archive
  const history = kind === "off" || kind === "closed" ? `◌ history ${kind}  ` : ""
  const right = `${history}${state === "online" ? "● online" : state === "revoked" ? "⊘ revoked" : `○ ${state}`}${alarms} `
  const gap = Math.max(1, width - cellsOf(left) - cellsOf(right))
  return fitRow([piece(left + " ".repeat(gap) + right, "bar")], width, "bar")
}

function bodyRows(
  session: ChatSession,
  state: ScreenState,
  { width, room }: { readonly width: number; readonly room: number },
) {
  const isWide = width >= wideColumns
  const paneWidth = isWide ? width - listWidth - 1 : width
  const pane = paneRows(session, state, { width: paneWidth, room })
  if (!isWide) return pane
  const list = listRows(session, room)
  const rows = pane.rows.map((row, at): Row => [...fitRow(list[at] ?? [], listWidth), piece("│", "dim"), ...row])
  return { rows, maxScroll: pane.maxScroll }
}

function listRows(session: ChatSession, room: number): readonly Row[] {
  const { conversations, current } = session
  const at = conversations.findIndex(({ id }) => id === current?.id)
  const from = Math.max(0, Math.min(at - room + 2, conversations.length - room))
  if (conversations.length === 0) return [[piece(" no conversations", "dim")], [piece(" Ctrl-K finds somebody", "dim")]]
  return conversations.slice(from, from + room).map((one): Row => {
    const isCurrent = one.id === current?.id
    const mark = one.contact?.stop !== undefined ? "⑂" : one.state === "request" ? "?" : one.unread > 0 ? "•" : " "
    const badges = one.contact?.handle === undefined ? "" : summaryOf(session, one.contact.chain)
    const end = [badges, one.unread > 0 ? String(one.unread) : ""].filter((part) => part !== "").join(" ")
    const name = printable(withoutOwnHost(session, session.nameOf(one)), 60)
    const cut = cutCells(name, listWidth - 3 - (end === "" ? 0 : cellsOf(end) + 1))
    const gap = " ".repeat(Math.max(0, listWidth - 3 - cellsOf(cut) - cellsOf(end)))
    const style: Style = isCurrent ? "chosen" : one.unread > 0 ? "bold" : "plain"
    return [piece(`${mark} `, one.contact?.stop === undefined ? "warn" : "bad"), piece(`${cut}${gap}${end}`, style)]
  })
}

function paneRows(
  session: ChatSession,
  state: ScreenState,
  { width, room }: { readonly width: number; readonly room: number },
) {
  if (state.overlay !== undefined) return overlayPane(session, state, { width, room })
  const head = headRows(session, width).slice(0, Math.max(1, room - 1))
  const inner = width - 1
  const { rows: all, chosen } = messageRows(session, state, inner)
  const shown = all.length === 0 ? emptyRows(session, inner) : all
  const space = Math.max(0, room - head.length)
  const maxScroll = Math.max(0, shown.length - space)
  const wanted =
    chosen === undefined ? state.scroll : shown.length - Math.max(chosen[1], Math.min(chosen[0] + space, shown.length))
  const scroll = Math.max(0, Math.min(wanted, maxScroll))
  const end = shown.length - scroll
  const visible = shown.slice(Math.max(0, end - space), end)
  const padding = Array.from({ length: Math.max(0, space - visible.length) }, (): Row => [])
  const rows = [...head, ...(all.length === 0 ? [...visible, ...padding] : [...padding, ...visible])]
  const below = scroll > 0 ? [piece(` ↓ ${scroll} lines below: PgDn`, "warn")] : undefined
  const placed = below === undefined ? rows : [...rows.slice(0, -1), below]
  return { rows: placed.map((row) => fitRow([piece(" "), ...row], width)), maxScroll }
}

function overlayPane(
  session: ChatSession,
  state: ScreenState,
  { width, room }: { readonly width: number; readonly room: number },
) {
  const { overlay } = state
  if (overlay === undefined) throw new Error("unreachable: asked only with an overlay")
  const { title, rows, focus } = overlayRows(session, overlay, width - 2)
  const space = Math.max(1, room - 1)
  const maxScroll = Math.max(0, rows.length - space)
  const own = "top" in overlay ? overlay.top : overlay.kind === "help" ? state.scroll : Math.max(0, focus - space + 4)
  const top = Math.min(own, maxScroll)
  const visible = rows.slice(top, top + space)
  const padding = Array.from({ length: space - visible.length }, (): Row => [])
  const head: Row = [piece(title, "bold"), piece(maxScroll > top ? "  ↓ more" : "", "warn")]
  return { rows: [head, ...visible, ...padding].map((row) => fitRow([piece(" "), ...row], width)), maxScroll }
}

const requestText =
  "Wrote first, under a name of their own choice. Ctrl-E shows the proofs. An answer or /accept looks the name up and accepts; /block blocks."

/** Who it is, what is proven, and what stops us from writing. */
function headRows(session: ChatSession, width: number): readonly Row[] {
  const { current } = session
  if (current === undefined) return [[piece("Welcome", "bold")]]
  const chain = current.contact?.chain
  const badges = session.badgesOf(chain)
  const pieces = badges.flatMap(({ subject, badge }): Piece[] => [
    piece("  "),
    piece(badge.glyph, paintStyle[tonePaints[badge.tone]] ?? "plain"),
    piece(` ${printable(subject, 100)}${badge.glyph === "✓" ? "" : ` (${badge.word})`}`),
  ])
  const name = piece(printable(session.nameOf(current), 100), "bold")
  const none = current.kind === "group" ? `  ${membersText(session)}` : "  ○ no accounts proven elsewhere"
  const line: Row = [name, ...(pieces.length === 0 ? [piece(none, "dim")] : pieces)]
  const request =
    current.state === "request" ? breakCells(requestText, width - 1).map((text): Row => [piece(text, "warn")]) : []
  const removed =
    current.state === "removed"
      ? [[piece("This device is not in the conversation any more. What was read stays.", "warn")]]
      : []
  const stop = current.contact?.stop
  const stopped =
    stop === undefined
      ? []
      : breakCells(`⑂ ${printable(stop.message, 300)} Nothing is sent: Ctrl-G.`, width - 1).map(
          (text): Row => [piece(text, "bad")],
        )
  const others = session.alarms.filter(
    ({ alarm, isStop }) => !isStop && chain !== undefined && contactOfAlarm(alarm) === chain,
  )
  const quiet =
    others.length === 0
      ? []
      : [[piece(`! ${others.length} alarm${others.length === 1 ? "" : "s"} about this person: Ctrl-G`, "warn")]]
  const shown = cellsOfRow(line) <= width - 1 || pieces.length === 0 ? [line] : [[name], fitRow(pieces, width - 1)]
  return [...shown, ...request, ...removed, ...stopped, ...quiet]
}

const paintStyle: Readonly<Record<string, Style>> = { green: "good", yellow: "warn", red: "bad", dim: "dim" }

function emptyRows(session: ChatSession, width: number): readonly Row[] {
  const { account } = session.chat
  const waiting = session.conversations.map(
    (one) => `  ${printable(session.nameOf(one), 60)}${one.unread === 0 ? "" : `, ${one.unread} new`}`,
  )
  const lines =
    session.current !== undefined
      ? ["", "No messages yet. What you write is encrypted between the two of you; the server cannot read it."]
      : [
          "",
          ...(waiting.length === 0 ? [] : ["Tab opens the first of these:", ...waiting, ""]),
          `Your name here is ${account.handle}@${account.host}: give it to those who shall write to you.`,
          "",
          "Ctrl-K finds somebody by handle (bob@chat.example.org) or by an account that is proven (github:bob).",
        ]
  return lines.flatMap((line) => breakCells(line, width)).map((text): Row => [piece(text, "dim")])
}

function statusRows(session: ChatSession, { notice }: ScreenState, width: number): readonly Row[] {
  const { current, connection } = session
  const said = (text: string, style: Style): readonly Row[] => {
    const lines = breakCells(text, width - 2)
    const shown =
      lines.length > maxStatusRows
        ? [...lines.slice(0, maxStatusRows - 1), lines.slice(maxStatusRows - 1).join(" ")]
        : lines
    return shown.map((line) => fitRow([piece(` ${line}`, style)], width))
  }
  if (notice !== undefined)
    return said(`${notice.isFault ? "✕ " : ""}${printable(notice.text, 400)}`, notice.isFault ? "bad" : "good")
  if (connection.kind === "offline") {
    return said(
      `○ offline: ${printable(connection.reason, 200).replace(/\.$/, "")}. What you write is kept and goes out by itself.`,
      "warn",
    )
  }
  if (connection.kind === "revoked")
    return said(`⊘ ${printable(connection.reason, 200)} To write again: kez account restore`, "bad")
  if (session.archive.kind === "restoring") return said(`… ${archiveText(session.archive) ?? ""}`, "dim")
  if (current !== undefined && session.isTyping(current.id))
    return said(`${printable(session.nameOf(current), 60)} is typing …`, "dim")
  const running = runningLine(session)
  if (running !== undefined) return [fitRow([piece(` ${running}`, "dim")], width)]
  return [fitRow([piece("─".repeat(width), "dim")], width)]
}

function inputRows(session: ChatSession, { editor, purpose }: ScreenState, width: number) {
  const prompt = purpose.kind === "text" ? "> " : `${purpose.kind}> `
  const inner = Math.max(4, width - cellsOf(prompt) - 1)
  const marked = safeLines(editor.before).flatMap((line) => chop(line, inner))
  const cursorRow = marked.length - 1
  const column = cellsOf(prompt) + cellsOf(marked.at(-1) ?? "")
  const all = safeLines(textOf(editor)).flatMap((line) => chop(line, inner))
  const from = Math.max(0, Math.min(cursorRow - maxInputRows + 1, all.length - maxInputRows))
  const shown = all.slice(from, from + maxInputRows)
  const hint =
    textOf(editor) === "" && session.current !== undefined && purpose.kind === "text"
      ? piece(`write to ${printable(session.nameOf(session.current), 60)}`, "dim")
      : undefined
  const rows = shown.map(
    (text, at): Row =>
      fitRow([piece(at === 0 ? prompt : " ".repeat(cellsOf(prompt)), "bold"), hint ?? piece(text)], width),
  )
  return { rows, row: cursorRow - from, column }
}

/** Exactly at the edge, so that the cursor of the text before it stands where the text is. */
function chop(line: string, cells: number): readonly string[] {
  const parts: string[] = []
  let rest = line
  while (cellsOf(rest) > cells) {
    const cut = [...rest]
    let part = ""
    while (cut.length > 0 && cellsOf(part + cut[0]) <= cells) part += cut.shift()
    if (part === "") break
    parts.push(part)
    rest = cut.join("")
  }
  return [...parts, rest]
}

function hintOf(session: ChatSession, { overlay, chosen, purpose }: ScreenState, width: number): string {
  if (overlay !== undefined) return ` ${overlayRows(session, overlay, width).keys}`
  if (chosen !== undefined) {
    const isOffer = session.findMessage(chosen)?.fileOffer !== undefined
    return ` r reply · e edit · d take back · + react${isOffer ? " · f fetch · n no" : ""} · i proofs · ↑↓ choose · Esc back`
  }
  if (purpose.kind !== "text") return " Enter does it · Esc stops"
  return " F1 help  ^K whom  ^E proofs  ^G alarms  ^P choose a message  Tab next  ^Q leave"
}

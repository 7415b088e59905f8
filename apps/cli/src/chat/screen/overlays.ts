/** What lies over the messages for a while: help, the switcher, alarms, evidence. */
import { printable } from "../../output.ts"
import { alarmWords } from "../alarm-text.ts"
import { badgeSummary } from "../badges.ts"
import { archiveText } from "../message-text.ts"
import type { ChatSession } from "../session.ts"
import { typedCommands } from "../typed.ts"
import { breakCells } from "./cells.ts"
import { textOf } from "./editor.ts"
import { piece, type Row } from "./paint-row.ts"
import type { Overlay } from "./state.ts"

export interface OverlayRows {
  readonly title: string
  readonly rows: readonly Row[]
  /** The row that has to be seen. */
  readonly focus: number
  readonly keys: string
}

export function overlayRows(session: ChatSession, overlay: Overlay, width: number): OverlayRows {
  switch (overlay.kind) {
    case "help":
      return { title: "Help", rows: helpRows(width), focus: 0, keys: "↑↓ scroll · Esc back" }
    case "switcher":
      return switcherRows(session, overlay)
    case "alarms":
      return alarmRows(session, overlay.at, width)
    case "evidence":
      return {
        title: `Evidence: ${overlay.title}`,
        rows: (overlay.lines ?? ["looking at every account …"]).flatMap((line) =>
          breakCells(line, width).map((text): Row => [piece(text)]),
        ),
        focus: 0,
        keys: "↑↓ scroll · r look again · Esc back",
      }
  }
}

const keyHelp: ReadonlyArray<readonly [string, string]> = [
  ["Enter", "send; Alt-Enter begins a new line"],
  ["Ctrl-K", "switch to another conversation, or find somebody new"],
  ["Tab, Alt-↓ / Alt-↑", "next, previous conversation"],
  ["↑ (nothing typed)", "change your last message"],
  ["Ctrl-P / Ctrl-N", "choose a message; then r reply, e edit, d take back, + react; of a file f fetch, n no"],
  ["PgUp / PgDn", "scroll"],
  ["Ctrl-E", "the proofs of this person, looked at now"],
  ["Ctrl-G", "alarms, and why your history is not in your archive"],
  ["Esc", "close, or stop choosing"],
  ["Ctrl-L", "draw the screen anew"],
  ["Ctrl-Q, Ctrl-C", "leave"],
]

function helpRows(width: number): readonly Row[] {
  const line = ([left, right]: readonly [string, string]): readonly Row[] => {
    const [first = "", ...rest] = breakCells(right, Math.max(10, width - 22))
    return [[piece(left.padEnd(22), "bold"), piece(first)], ...rest.map((text): Row => [piece(" ".repeat(22) + text)])]
  }
  return [
    ...keyHelp.flatMap(line),
    [piece("")],
    [piece("Commands, typed like a message", "bold")],
    ...typedCommands.flatMap(line),
  ]
}

/** What the switcher offers for what is typed. */
export function switcherChoices(
  session: ChatSession,
  filter: string,
): readonly { readonly id: string | undefined; readonly name: string }[] {
  const wanted = filter.trim().toLowerCase()
  const found = session.conversations
    .map((conversation) => ({ id: conversation.id, name: session.nameOf(conversation) }))
    .filter(({ name }) => name.toLowerCase().includes(wanted))
  const isExact = found.some(({ name }) => name === wanted || name.startsWith(`${wanted}@`))
  return wanted === "" || isExact ? found : [...found, { id: undefined, name: wanted }]
}

function switcherRows(session: ChatSession, { filter, at }: Overlay & { readonly kind: "switcher" }): OverlayRows {
  const typed = textOf(filter)
  const choices = switcherChoices(session, typed)
  const chosen = Math.min(at, Math.max(0, choices.length - 1))
  const rows = choices.map(({ id, name }, i): Row => {
    const conversation = session.conversations.find((one) => one.id === id)
    const badges = badgeSummary(session.badgesOf(conversation?.contact?.chain))
    const text = id === undefined ? `look up ${printable(name, 100)}` : printable(name, 100)
    return [
      piece(`${i === chosen ? "▸ " : "  "}${text}`, i === chosen ? "chosen" : "plain"),
      piece(badges === "" ? "" : `  ${badges}`, "dim"),
    ]
  })
  const nobody: Row = [piece("Nobody yet. Type a handle, or an account such as github:bob", "dim")]
  return {
    title: "Whom?",
    rows: [[piece(`> ${printable(typed, 200)}`, "bold")], ...(rows.length === 0 ? [nobody] : rows)],
    focus: chosen + 1,
    keys: "↑↓ choose · Enter open · Esc back",
  }
}

function alarmRows(session: ChatSession, at: number, width: number): OverlayRows {
  const { alarms, archive } = session
  const history = archive.kind === "restoring" ? undefined : archiveText(archive)
  const historyRows = (history === undefined ? [] : ["", `◌ ${history}`])
    .flatMap((text) => breakCells(text, width - 4))
    .map((text): Row => [piece(text, "warn")])
  const chosen = Math.min(at, Math.max(0, alarms.length - 1))
  let focus = 0
  const rows: Row[] = []
  alarms.forEach((state, i) => {
    const { title, details, isLoud } = alarmWords(state, (chain) => session.nameOfChain(chain))
    if (i === chosen) focus = rows.length
    breakCells(title, width - 4).forEach((text, line) => {
      rows.push([
        piece(line === 0 ? `${i === chosen ? "▸" : " "} ${isLoud ? "⑂" : "!"} ` : "    ", isLoud ? "bad" : "warn"),
        piece(text, i === chosen ? "bold" : "plain"),
      ])
    })
    if (i === chosen)
      for (const text of details.flatMap((line) => breakCells(line, width - 4)))
        rows.push([piece(`    ${text}`, "dim")])
  })
  const current = alarms[chosen]
  const can =
    current === undefined ? "" : `${current.isAcceptable ? "a accept · " : ""}${current.isStop ? "" : "x seen · "}`
  return {
    title: `Alarms (${alarms.length})`,
    rows: [...(rows.length === 0 ? [[piece("✓ none", "good")]] : rows), ...historyRows],
    focus,
    keys: `↑↓ choose · ${can}Esc back`,
  }
}

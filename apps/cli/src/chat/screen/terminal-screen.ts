/**
 * The terminal while a view has all of it: the alternate screen, keys as they are pressed, rows drawn where they changed. However the process
 * ends, the terminal is as it was: after an error, a signal, a crash.
 */
import { constants } from "node:os"
import { emitKeypressEvents, type Interface, type Key } from "node:readline"
import { cellsOfRow, formatRow, type Row } from "./paint-row.ts"
import type { Size, View } from "./view.ts"

export interface KeyPress {
  /** `return`, `up`, `a`; "" for a character without a name. */
  readonly name: string
  /** The characters that it stands for, where it stands for any. */
  readonly text: string
  readonly ctrl: boolean
  readonly alt: boolean
  readonly shift: boolean
}

export interface ScreenEvents {
  onKey(key: KeyPress): void
  onPaste(text: string): void
  onResize(): void
}

export interface TerminalScreen {
  size(): Size
  draw(view: View): void
  /** Draws everything the next time: something else may have written over it. */
  forget(): void
  leave(): void
}

/** Alternate screen, no wrapping at the edge (a character that is wider than we think must not push lines down), pastes marked. */
const enterCodes = "\x1b[?1049h\x1b[?7l\x1b[?2004h\x1b[2J"
const leaveCodes = "\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[0m\x1b[?1049l"
/** The bytes of one key come together, over slow lines too. */
const escapeMs = 100
const fatalSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const

export function openScreen({
  color,
  events,
}: {
  readonly color: boolean
  readonly events: ScreenEvents
}): TerminalScreen {
  const { stdin, stdout } = process
  let drawn: readonly string[] = []
  let isOpen = true
  let pasted: string | undefined

  const size = (): Size => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 })

  function leave(): void {
    if (!isOpen) return
    isOpen = false
    for (const signal of fatalSignals) process.off(signal, onSignal)
    process.off("exit", leave)
    process.off("uncaughtException", leave)
    process.off("SIGCONT", onContinue)
    stdout.off("resize", onResize)
    stdin.off("keypress", onKeypress)
    // Written at once: on `exit` nothing waits any more.
    stdout.write(leaveCodes)
    stdin.setRawMode(false)
    stdin.pause()
  }

  function onSignal(signal: NodeJS.Signals): void {
    leave()
    process.exit(128 + constants.signals[signal])
  }

  function onContinue(): void {
    stdin.setRawMode(true)
    stdout.write(enterCodes)
    onResize()
  }

  function onResize(): void {
    drawn = []
    stdout.write("\x1b[2J")
    events.onResize()
  }

  function onKeypress(text: string | undefined, key: Key): void {
    if (key.name === "paste-start") pasted = ""
    else if (key.name === "paste-end") {
      events.onPaste(pasted ?? "")
      pasted = undefined
    } else if (pasted !== undefined) pasted += key.sequence ?? text ?? ""
    else if (key.ctrl === true && key.name === "z") suspend()
    else events.onKey(toKeyPress(text, key))
  }

  /** As every program does: the shell comes back, and `fg` goes on. */
  function suspend(): void {
    stdout.write(leaveCodes)
    stdin.setRawMode(false)
    process.kill(process.pid, "SIGTSTP")
  }

  // Of its second argument the timeout alone is read: with the usual 500 ms, Esc and then a letter would be Alt with it.
  emitKeypressEvents(stdin, { escapeCodeTimeout: escapeMs } as unknown as Interface)
  stdin.setRawMode(true)
  stdin.resume()
  stdin.on("keypress", onKeypress)
  stdout.on("resize", onResize)
  process.on("SIGCONT", onContinue)
  for (const signal of fatalSignals) process.on(signal, onSignal)
  process.on("exit", leave)
  // Before the one that tells of it: what is said on the alternate screen is gone with it.
  process.prependListener("uncaughtException", leave)
  stdout.write(enterCodes)

  return {
    size,
    leave,
    forget() {
      drawn = []
      stdout.write("\x1b[2J")
    },
    draw({ rows, cursor }) {
      if (!isOpen) return
      const { columns } = size()
      const lines = rows.map((row) => rowText(row, columns, color))
      const changed = lines.flatMap((line, at) => (line === drawn[at] ? [] : [`\x1b[${at + 1};1H${line}`]))
      const gone = drawn.length > lines.length ? [`\x1b[${lines.length + 1};1H\x1b[J`] : []
      const place = cursor === undefined ? [] : [`\x1b[${cursor.row + 1};${cursor.column + 1}H\x1b[?25h`]
      if (changed.length + gone.length + place.length > 0) {
        stdout.write(`\x1b[?25l${[...changed, ...gone, ...place].join("")}`)
      }
      drawn = lines
    },
  }
}

/** The rest of the line is cleared first: what was wider than we think leaves nothing behind. */
function rowText(row: Row, columns: number, color: boolean): string {
  return `\x1b[0m\x1b[2K${formatRow(row, color)}${cellsOfRow(row) < columns ? "\x1b[0m" : ""}`
}

function toKeyPress(text: string | undefined, key: Key): KeyPress {
  const { name = "", ctrl = false, meta = false, shift = false, sequence = "" } = key
  const isText = !ctrl && !meta && text !== undefined && text !== "" && !/^\p{Cc}/u.test(text)
  // An escape alone comes as one with nothing behind it.
  const isEscape = sequence === "\x1b" || sequence === "\x1b\x1b"
  return { name: isEscape ? "escape" : name, text: isText ? text : "", ctrl, alt: meta && !isEscape, shift }
}

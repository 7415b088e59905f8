/** Questions to the person at the terminal. Without one, a question that has no fallback is `input.missing`, naming the flag. */
import { openSync, writeSync } from "node:fs"
import { Writable } from "node:stream"
import { exitCodes } from "../exit-codes.ts"
import { fault, interruption } from "../fault.ts"
import { printable } from "../output.ts"
import { type Answer, createLineReader, type LineReader } from "./line-reader.ts"
import { wrap } from "./wrap.ts"

export interface Question {
  readonly text: string
  /** What to pass where nobody can be asked, such as `--passphrase-file FILE`. */
  readonly flag: string
}

export interface Prompts {
  /** One line, trimmed; `fallback` for an empty one. */
  ask(question: Question & { readonly fallback?: string }): Promise<string>
  /** One line, exactly as typed; it may be empty. */
  askLine(question: Question): Promise<string>
  /** One line that is not shown, exactly as typed. */
  askHidden(question: Question): Promise<string>
  /** The key of the chosen row; an empty answer takes the first. */
  choose<K extends string>(question: Question & { readonly choices: Choices<K> }): Promise<K>
  /** Yes or no; an empty answer is no. */
  confirm(question: Question): Promise<boolean>
  /** Runs a task on a screen of its own that is gone afterwards, with all that was shown and typed meanwhile. */
  privately<T>(question: Question, task: () => Promise<T>): Promise<T>
  /** Text for the eyes only: on the terminal itself, never on stdout. Meant for within `privately`. */
  show(lines: readonly string[]): void
  /** Waits for Enter. */
  confirmRead(text: string): Promise<void>
  /** A line to read, on the terminal. */
  say(text: string): void
}

export type Choices<K extends string> = ReadonlyArray<readonly [key: K, label: string]>

type Screen = NodeJS.WritableStream

const fatalSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const
const alternateScreen = { enter: "\x1b[?1049h\x1b[2J\x1b[H", leave: "\x1b[2J\x1b[H\x1b[?1049l" }

export interface PromptOptions {
  readonly interactive: boolean
  /** Whether the terminal can take back what it showed. */
  readonly canClear: boolean
  /** Columns of the terminal now. */
  width(): number
}

export function createPrompts({ interactive, canClear, width }: PromptOptions): Prompts {
  let opened: Screen | undefined
  let reader: LineReader | undefined

  function screen(): Screen {
    opened ??= openScreen()
    return opened
  }

  function say(text: string): void {
    if (interactive) show([printable(text)])
  }

  function show(lines: readonly string[]): void {
    screen().write(`${lines.flatMap((line) => wrap(line, width())).join("\n")}\n`)
  }

  async function readLine(question: Question, isHidden: boolean): Promise<string> {
    if (!interactive) throw missingAnswer(question)
    reader ??= createLineReader(process.stdin, screen())
    const lines = wrap(question.text, width())
    if (lines.length > 1) show(lines.slice(0, -1))
    return lineOf(await reader.read(`${lines.at(-1)} `, { isHidden }))
  }

  async function ask(question: Question & { readonly fallback?: string }): Promise<string> {
    const shown = question.fallback === undefined ? "" : ` [${question.fallback}]`
    for (;;) {
      const line = (await readLine({ ...question, text: `${question.text}${shown}:` }, false)).trim()
      if (line !== "") return line
      if (question.fallback !== undefined) return question.fallback
    }
  }

  return {
    ask,
    askLine: (question) => readLine(question, false),
    askHidden: (question) => readLine({ ...question, text: `${question.text}:` }, true),
    async choose({ text, flag, choices }) {
      if (!interactive) throw missingAnswer({ text, flag })
      show([text, ...choices.map(([, label], i) => `  ${i + 1}. ${label}`), "  Ctrl-C leaves."])
      for (;;) {
        const answer = await ask({ text: "Number", flag, fallback: "1" })
        const chosen = /^[0-9]{1,2}$/.test(answer) ? choices[Number(answer) - 1] : undefined
        if (chosen !== undefined) return chosen[0]
        say(`Type a number from 1 to ${choices.length}.`)
      }
    },
    async confirm(question) {
      const answer = await readLine({ ...question, text: `${question.text} [y/N]` }, false)
      return /^y(?:es)?$/i.test(answer.trim())
    },
    async privately(question, task) {
      if (!interactive) throw missingAnswer(question)
      const leave = (): void => void screen().write(canClear ? alternateScreen.leave : "\n")
      // While a question waits, Ctrl-C is its answer and no signal.
      const leaveAndDie = (signal: NodeJS.Signals): void => {
        leave()
        process.exit(signal === "SIGINT" ? exitCodes.interrupted : exitCodes.failure)
      }
      for (const signal of fatalSignals) process.once(signal, leaveAndDie)
      try {
        if (canClear) screen().write(alternateScreen.enter)
        return await task()
      } finally {
        for (const signal of fatalSignals) process.off(signal, leaveAndDie)
        leave()
        if (!canClear) say("This terminal cannot be cleared: close it when you have finished.")
      }
    },
    async confirmRead(text) {
      await readLine({ text, flag: "--no-input" }, true)
    },
    show,
    say,
  }
}

/**
 * The terminal itself. Prompts may show secrets (a suggested passphrase, words), so they never follow stderr into a
 * file: `kez … 2>log` shows them on the screen all the same.
 */
function openScreen(): Screen {
  if (process.stderr.isTTY === true) return process.stderr
  const fd = openSync(process.platform === "win32" ? "\\\\.\\CONOUT$" : "/dev/tty", "w")
  return new Writable({
    write(chunk, _encoding, done) {
      writeSync(fd, chunk)
      done()
    },
  })
}

function lineOf(answer: Answer): string {
  if (answer === "interrupt") throw interruption()
  if (answer === "end") throw fault("input.cancelled", "Cancelled: the input ended before the answer")
  return answer.line
}

/** For a question that nobody can be asked. */
export function missingAnswer(question: Question): Error {
  return fault("input.missing", `Cannot ask "${question.text}": expected a terminal, got none`, {
    hint: `Pass ${question.flag}.`,
  })
}

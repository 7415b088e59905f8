/** Questions to the person at the terminal. Without one, a question that has no fallback is `input.missing`, naming the flag. */
import { closeSync, openSync, writeSync } from "node:fs"
import { KezError } from "@kez/core"
import { note } from "../output.ts"
import { type Answer, createLineReader, type LineReader } from "./line-reader.ts"

export interface Question {
  readonly text: string
  /** What to pass where nobody can be asked, such as `--passphrase-file FILE`. */
  readonly flag: string
}

export interface Prompts {
  /** One line, trimmed; `fallback` for an empty one. */
  ask(question: Question & { readonly fallback?: string }): Promise<string>
  /** One line that is not shown, exactly as typed. */
  askHidden(question: Question): Promise<string>
  /** The key of the chosen row; an empty answer takes the first. */
  choose<K extends string>(question: Question & { readonly choices: Choices<K> }): Promise<K>
  /** Yes or no; an empty answer is no. */
  confirm(question: Question): Promise<boolean>
  /** Text for the eyes only: shown on the terminal itself, never on stdout, and gone after Enter. */
  showOnce(lines: readonly string[], question: Question): Promise<void>
  /** A line to read, on stderr. */
  say(text: string): void
}

export type Choices<K extends string> = ReadonlyArray<readonly [key: K, label: string]>

/** Ctrl-C: like a cancelled command, with the exit code 130. */
export class InterruptedError extends KezError {
  readonly interrupted = true
  constructor() {
    super("input.cancelled", "Cancelled with Ctrl-C")
  }
}

const alternateScreen = { enter: "\x1b[?1049h\x1b[2J\x1b[H", leave: "\x1b[2J\x1b[H\x1b[?1049l" }

export interface PromptOptions {
  readonly interactive: boolean
  /** Whether the terminal can take back what it showed. */
  readonly canClear: boolean
}

export function createPrompts({ interactive, canClear }: PromptOptions): Prompts {
  let reader: LineReader | undefined

  async function readLine(question: Question, isHidden: boolean): Promise<string> {
    if (!interactive) throw missingAnswer(question)
    reader ??= createLineReader(process.stdin, process.stderr)
    return lineOf(await reader.read(`${question.text} `, { isHidden }))
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
    askHidden: (question) => readLine({ ...question, text: `${question.text}:` }, true),
    async choose({ text, flag, choices }) {
      if (!interactive) throw missingAnswer({ text, flag })
      note(text)
      choices.forEach(([, label], i) => void process.stderr.write(`  ${i + 1}. ${label}\n`))
      for (;;) {
        const answer = await ask({ text: "Number", flag, fallback: "1" })
        const chosen = /^[0-9]{1,2}$/.test(answer) ? choices[Number(answer) - 1] : undefined
        if (chosen !== undefined) return chosen[0]
        note(`Type a number from 1 to ${choices.length}.`)
      }
    },
    async confirm(question) {
      const answer = await readLine({ ...question, text: `${question.text} [y/N]` }, false)
      return /^y(?:es)?$/i.test(answer.trim())
    },
    async showOnce(lines, question) {
      if (!interactive) throw missingAnswer(question)
      const screen = openTerminal()
      const leave = (): void => screen.write(canClear ? alternateScreen.leave : "\n")
      const leaveAndDie = (): void => {
        leave()
        process.exit(1)
      }
      process.once("SIGTERM", leaveAndDie)
      process.once("SIGHUP", leaveAndDie)
      try {
        screen.write(`${canClear ? alternateScreen.enter : ""}${lines.join("\n")}\n\n`)
        await readLine(question, false)
      } finally {
        process.off("SIGTERM", leaveAndDie)
        process.off("SIGHUP", leaveAndDie)
        leave()
        screen.close()
      }
      if (!canClear) note("This terminal cannot be cleared. Close it when you have finished.")
    },
    say: note,
  }
}

/** The terminal itself, wherever stdout and stderr go. */
function openTerminal(): { write(text: string): void; close(): void } {
  const fd = openSync(process.platform === "win32" ? "\\\\.\\CONOUT$" : "/dev/tty", "w")
  return { write: (text) => void writeSync(fd, text), close: () => closeSync(fd) }
}

function lineOf(answer: Answer): string {
  if (answer === "interrupt") throw new InterruptedError()
  if (answer === "end") throw new KezError("input.cancelled", "Cancelled: the input ended before the answer")
  return answer.line
}

/** For a question that nobody can be asked. */
export function missingAnswer(question: Question): KezError {
  return new KezError("input.missing", `Cannot ask "${question.text}": expected a terminal, got none`, {
    hint: `Pass ${question.flag}.`,
  })
}

/** A process that answers questions one a line (crosstest/PROTOCOL.md), and what became of it when it did not. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import type { JudgeCase, Outcome } from "../packages/core/test/support/judge.ts"

export interface Question {
  readonly suite: string
  readonly case: JudgeCase
}

export interface PeerCommand {
  /** How the peer is called in reports. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
}

/** Silence of this length ends a process: no question takes as long. */
const silenceMs = 60_000

interface Waiting {
  readonly count: number
  readonly lines: string[]
  readonly resolve: (lines: readonly string[]) => void
}

/** One long-lived process; it is started again when it ends before it has answered. */
export class Peer {
  readonly name: string
  readonly #command: PeerCommand
  #process: ChildProcessWithoutNullStreams | undefined
  #waiting: Waiting[] = []
  #rest = ""
  #said = ""
  #timer: NodeJS.Timeout | undefined
  #id = 0

  constructor(command: PeerCommand) {
    this.name = command.name
    this.#command = command
  }

  /** One outcome a question, as JSON text. A question on which the process ends comes out as a crash. */
  async askTexts(questions: readonly Question[]): Promise<readonly string[]> {
    const texts = questions.map((question) => JSON.stringify(question).slice(1))
    const answers = await this.#send(texts)
    const outcomes = answers.map(outcomeText)
    if (answers.length === texts.length) return outcomes
    // On which of the rest it ended is seen by halves, in a process that nothing else is asked.
    const alone = new Peer(this.#command)
    const rest = await alone.#askHalves(questions.slice(answers.length))
    await alone.close()
    return [...outcomes, ...rest]
  }

  async ask(questions: readonly Question[]): Promise<readonly Outcome[]> {
    return (await this.askTexts(questions)).map((text) => JSON.parse(text))
  }

  async close(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    clearTimeout(this.#timer)
    if (child === undefined || child.exitCode !== null) return
    await new Promise((resolve) => {
      child.once("close", resolve)
      child.stdin.end()
    })
  }

  async #askHalves(questions: readonly Question[]): Promise<readonly string[]> {
    const answers = await this.#send(questions.map((question) => JSON.stringify(question).slice(1)))
    if (answers.length === questions.length) return answers.map(outcomeText)
    if (questions.length === 1) {
      return [JSON.stringify({ crash: `the process ended: ${this.#said.trim().split("\n").at(-1) ?? ""}` })]
    }
    const middle = Math.ceil(questions.length / 2)
    const first = await this.#askHalves(questions.slice(0, middle))
    return [...first, ...(await this.#askHalves(questions.slice(middle)))]
  }

  /** The answers to as many of the questions as the process lived to answer. */
  #send(texts: readonly string[]): Promise<readonly string[]> {
    if (texts.length === 0) return Promise.resolve([])
    return new Promise((resolve) => {
      const child = this.#start()
      this.#waiting.push({ count: texts.length, lines: [], resolve })
      this.#watch()
      child.stdin.write(texts.map((text) => `{"id":${this.#id++},${text}\n`).join(""))
    })
  }

  #start(): ChildProcessWithoutNullStreams {
    if (this.#process !== undefined) return this.#process
    const child = spawn(this.#command.command, this.#command.args)
    this.#process = child
    this.#rest = ""
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => this.#heard(chunk))
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      this.#said = (this.#said + chunk).slice(-2_000)
    })
    child.stdin.on("error", () => {}) // it ended; "close" says so
    child.on("error", (error) => {
      this.#said = error.message
    })
    child.on("close", () => this.#ended(child))
    return child
  }

  #heard(chunk: string): void {
    const lines = (this.#rest + chunk).split("\n")
    this.#rest = lines.pop() ?? ""
    for (const line of lines) {
      const [waiting] = this.#waiting
      if (waiting === undefined) throw new Error(`${this.name} answered what it was not asked: ${line.slice(0, 200)}`)
      waiting.lines.push(line)
      if (waiting.lines.length < waiting.count) continue
      this.#waiting.shift()
      waiting.resolve(waiting.lines)
    }
    this.#watch()
  }

  #watch(): void {
    clearTimeout(this.#timer)
    const child = this.#process
    if (this.#waiting.length === 0 || child === undefined) return
    this.#timer = setTimeout(() => {
      this.#said = `no answer for ${silenceMs / 1000} s`
      child.kill("SIGKILL")
    }, silenceMs)
  }

  #ended(child: ChildProcessWithoutNullStreams): void {
    if (this.#process !== child) return
    this.#process = undefined
    clearTimeout(this.#timer)
    for (const { lines, resolve } of this.#waiting.splice(0)) resolve(lines)
  }
}

/** The outcome in an answer, without building a value: most outcomes are equal as texts. */
function outcomeText(line: string): string {
  const start = line.indexOf('"outcome":')
  const text = line.startsWith('{"id":') && start > 0 && start < 32 ? line.slice(start + 10, -1) : undefined
  return text ?? JSON.stringify(JSON.parse(line).outcome)
}

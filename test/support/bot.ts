/** `kez chat --json`, driven by a test. */
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { until } from "./chat-engines.ts"
import { ROOT } from "./iroh.ts"
import type { Person } from "./person.ts"

export type Line = ReturnType<typeof JSON.parse>

export class Bot {
  readonly lines: Line[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<number | null>
  #next = 0

  constructor({ home, dir }: Person, env: Readonly<Record<string, string>>) {
    const child = spawn(process.execPath, [join(ROOT, "apps/cli/src/main.ts"), "chat", "--json", "--dir", dir], {
      env: { PATH: process.env["PATH"], KEZ_HOME: home, HOME: dir, CI: "true", ...env },
      stdio: ["pipe", "pipe", "inherit"],
    })
    this.#child = child
    this.#ended = new Promise((resolve) => child.once("close", resolve))
    createInterface({ input: child.stdout }).on("line", (line) => void this.lines.push(JSON.parse(line)))
  }

  async ask(command: object): Promise<Line> {
    const id = ++this.#next
    this.#child.stdin?.write(`${JSON.stringify({ ...command, id })}\n`)
    return this.find((line) => line.id === id || line.data?.id === id)
  }

  async find(wanted: (line: Line) => boolean): Promise<Line> {
    await until(String(wanted), async () => this.lines.some(wanted), 30)
    return this.lines.find(wanted)
  }

  async quit(): Promise<number | null> {
    this.#child.stdin?.end()
    return this.#ended
  }

  kill(): void {
    this.#child.kill("SIGKILL")
  }
}

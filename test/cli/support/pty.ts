/** Runs kez on a real pseudo-terminal, through script(1), and talks to it like a person: waits for a text, then types. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { join } from "node:path"
import { stripVTControlCharacters } from "node:util"

const MAIN = join(import.meta.dirname, "../../../apps/cli/src/main.ts")
const TIMEOUT_MS = 20_000
/** Control sequences of xterm: to the alternate screen, and back. */
export const alternate = { enter: "\x1b[?1049h", leave: "\x1b[?1049l" }

export interface Session extends Disposable {
  /** Everything that reached the terminal, control sequences too. */
  readonly screen: string
  /** Waits until `pattern` appears after all that was waited for before; resolves to the match. */
  expect(pattern: RegExp): Promise<RegExpExecArray>
  type(text: string): void
  /** `type` with Enter. */
  enter(text: string): void
  /** The exit code. */
  end(): Promise<number>
}

export interface SessionOptions {
  readonly env: Readonly<Record<string, string>>
  /** Put behind the command for the shell, such as `2>/some/file`. */
  readonly redirect?: string
  /** 100 unless given. */
  readonly columns?: number
  /** For the same shell on the same terminal, once kez has ended. The terminal shows `kez is PID` before kez begins. */
  readonly afterwards?: string
}

export function openSession(args: readonly string[], options: SessionOptions): Session {
  const { env, redirect = "", columns = 100, afterwards } = options
  const words = [process.execPath, MAIN, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`)
  const kez = `${words.join(" ")} ${redirect}`
  const run = afterwards === undefined ? `exec ${kez}` : `sh -c 'echo "kez is $$"; exec "$@"' sh ${kez}; ${afterwards}`
  const child = spawn("script", ["-qefc", `stty cols ${columns} rows 40; ${run}`, "/dev/null"], {
    env: { PATH: process.env["PATH"], TERM: "xterm", SHELL: "/bin/sh", NO_COLOR: "1", ...env },
  })
  return follow(child)
}

function follow(child: ChildProcessWithoutNullStreams): Session {
  let screen = ""
  let seen = 0
  let ended: number | undefined
  let wake = (): void => {}
  child.stdout.setEncoding("utf8")
  child.stdout.on("data", (text: string) => {
    screen += text
    wake()
  })
  child.stdin.on("error", () => {}) // the command ended first
  child.on("close", (code) => {
    ended = code ?? -1
    wake()
  })

  async function until<T>(what: string, look: () => T | undefined): Promise<T> {
    const deadline = Date.now() + TIMEOUT_MS
    for (;;) {
      const found = look()
      if (found !== undefined) return found
      if (Date.now() > deadline) throw new Error(`Cannot see ${what} within ${TIMEOUT_MS} ms:\n${plain(screen)}`)
      await new Promise<void>((resolve) => {
        wake = resolve
        setTimeout(resolve, 200).unref()
      })
    }
  }

  return {
    get screen() {
      return screen
    },
    async expect(pattern) {
      return until(String(pattern), () => {
        const match = pattern.exec(screen.slice(seen))
        if (match !== null) {
          seen += match.index + match[0].length
          return match
        }
        if (ended !== undefined) throw new Error(`Cannot see ${pattern}: kez ended with ${ended}\n${plain(screen)}`)
        return undefined
      })
    },
    type: (text) => void child.stdin.write(text),
    enter: (text) => void child.stdin.write(`${text}\r`),
    end: () => until("the end", () => ended),
    // A command that still waits would keep the tests waiting too.
    [Symbol.dispose]: () => void child.kill("SIGKILL"),
  }
}

/** Without control sequences. */
export function plain(text: string): string {
  return stripVTControlCharacters(text)
}

/** What is still on the main screen: all but what the alternate screen held. */
export function mainScreen(text: string): string {
  const [first = "", ...others] = text.split(alternate.enter)
  return plain(first + others.map((part) => part.split(alternate.leave).slice(1).join("")).join(""))
}

/** What stands on the screen now: the alternate one while it is in use, else the main one. */
export function currentScreen(text: string): string {
  const entered = text.lastIndexOf(alternate.enter)
  return entered > text.lastIndexOf(alternate.leave) ? plain(text.slice(entered)) : mainScreen(text)
}

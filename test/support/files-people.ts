/** People who give each other files: the program that moves them, folders, and commands that go on until a test ends them. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { ROOT } from "./iroh.ts"
import type { Cleaner, Person } from "./person.ts"

/** For the environment of `kez`: built once for all tests. */
export function buildIroh(): { readonly KEZ_IROH: string } {
  return { KEZ_IROH: execFileSync("sh", [join(ROOT, "scripts", "iroh.sh")], { encoding: "utf8" }).trim() }
}

export function folderOf({ dir }: Person, name: string): string {
  const folder = join(dir, name)
  mkdirSync(folder, { recursive: true })
  return folder
}

type Line = ReturnType<typeof JSON.parse>

export interface RunningKez {
  readonly child: ChildProcess
  /** The first line from here on that is wanted; throws when it does not come. */
  until(wanted: (line: Line) => boolean): Promise<Line>
  /** Ends it as a power cut would, and kez-iroh with it. */
  kill(): Promise<void>
}

export interface KezStart {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** For each line that is waited for. */
  readonly patienceMs?: number
  /** Of a command that ends with its stdin. */
  readonly keepsStdin?: boolean
}

/** A command with --json that goes on, for tests that end it. */
export function startKez(t: Cleaner, { home, dir }: Person, start: KezStart): RunningKez {
  const { args, env, patienceMs = 30_000, keepsStdin = false } = start
  const child = spawn(process.execPath, [join(ROOT, "apps/cli/src/main.ts"), ...args, "--json"], {
    env: { PATH: process.env["PATH"], KEZ_HOME: home, HOME: dir, CI: "true", ...env },
    stdio: ["pipe", "pipe", "pipe"],
    // A group of its own, so that its end can be that of kez-iroh as well.
    detached: true,
  })
  if (!keepsStdin) child.stdin.end()
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
  const kill = async (): Promise<void> => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, "SIGKILL")
    await ended
  }
  t.after(kill)
  const lines: string[] = []
  let at = 0
  let wake: () => void = () => undefined
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line)
    wake()
  })
  let errors = ""
  child.stderr.on("data", (bytes: Buffer) => {
    errors += bytes.toString()
  })
  return {
    child,
    kill,
    async until(wanted) {
      const end = Date.now() + patienceMs
      for (;;) {
        while (at < lines.length) {
          const value: Line = JSON.parse(lines[at++] ?? "")
          if (value.data !== undefined && wanted(value)) return value
        }
        if (Date.now() > end) throw new Error(`kez ${args.join(" ")}: ${lines.slice(-3).join("\n")}${errors}`)
        await new Promise<void>((resolve) => {
          wake = resolve
          setTimeout(resolve, 500)
        })
      }
    },
  }
}

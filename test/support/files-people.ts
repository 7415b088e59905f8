/** People who give each other files: the program that moves them, folders, and commands that go on until a test ends them. */
import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { text } from "node:stream/consumers"
import { ROOT } from "./iroh.ts"
import type { Cleaner, Person } from "./person.ts"

export interface IrohEnv {
  readonly KEZ_IROH: string
}

/** Less than a test file has (scripts/test.ts), so that it is this that is said. */
const buildMs = 150_000

export interface BuildOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly limitMs?: number
}

/** For the environment of `kez`: built once for all tests. Throws where that, or another build that cargo waits for, takes too long. */
export async function buildIroh({ env = process.env, limitMs = buildMs }: BuildOptions = {}): Promise<IrohEnv> {
  const child = spawn("sh", [join(ROOT, "scripts", "iroh.sh")], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that cargo ends with it.
    detached: true,
  })
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
  }, limitMs)
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")])
  clearTimeout(timer)
  if (code === 0) return { KEZ_IROH: stdout.trim() }
  const why = isLate
    ? `it took more than ${limitMs / 1_000} s. A first build takes minutes, and cargo waits for any other build in the same folder: end that one, or run sh scripts/iroh.sh before the tests, or name a built program with KEZ_IROH`
    : `exit code ${code}`
  throw new Error(`Cannot build kez-iroh: ${why}\n${stderr}`)
}

export function folderOf({ dir }: Person, name: string): string {
  const folder = join(dir, name)
  mkdirSync(folder, { recursive: true })
  return folder
}

/** What `kez files get alice PATH` brings to somebody: the paths that lie in an empty folder then, or the code of the refusal and nothing. */
export async function getOfAlice(
  person: Person,
  path: string,
  env: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const into = mkdtempSync(join(person.dir, "got-"))
  const args = ["files", "get", "alice", path, "--to", into, "--wait", "40", "--json"]
  const { code, stdout } = await person.kez(args, { env, timeoutMs: 50_000 })
  const there = readdirSync(into, { recursive: true }).map(String).toSorted()
  if (code === 0) return there
  assert.deepEqual(there, [])
  return [JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "").error?.code ?? `exit code ${code}`]
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

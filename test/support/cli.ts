/** Runs the kez command as its own process, far from the identities and settings of the person who runs the tests. */
import { spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const ROOT = join(import.meta.dirname, "../..")
const MAIN = join(ROOT, "apps/cli/src/main.ts")
const TIMEOUT_MS = 20_000
/** All that a child inherits: enough to start Node on any system, nothing that changes what kez does. */
const INHERITED = ["PATH", "SystemRoot", "TMPDIR", "TEMP", "NODE_COMPILE_CACHE"]

export interface RunOptions {
  /** Added to the few inherited variables; undefined takes one away. KEZ_HOME here outlives the run. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** What the command reads from stdin; without it stdin is empty. */
  readonly input?: string | Uint8Array
  readonly cwd?: string
  readonly timeoutMs?: number
}

export interface RunResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Throws only when the command had to be killed: by the time limit, or by a signal of its own. */
export async function runKez(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const home = await mkdtemp(join(tmpdir(), "kez-cli-"))
  try {
    return await run(args, options, home)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

function run(args: readonly string[], options: RunOptions, home: string): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: options.cwd ?? home,
      env: environment(home, options.env ?? {}),
      timeout: options.timeoutMs ?? TIMEOUT_MS,
      killSignal: "SIGKILL",
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on("data", (bytes: Buffer) => stdout.push(bytes))
    child.stderr.on("data", (bytes: Buffer) => stderr.push(bytes))
    // A command that ends without reading its input closes the pipe first.
    child.stdin.on("error", () => {})
    child.stdin.end(options.input ?? "")
    child.on("error", reject)
    child.on("close", (code, signal) => {
      const texts = { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
      if (code !== null) resolve({ code, ...texts })
      else reject(new Error(`kez ${args.join(" ")} was killed by ${signal}\n${texts.stdout}${texts.stderr}`))
    })
  })
}

function environment(home: string, extra: NonNullable<RunOptions["env"]>): Record<string, string> {
  const inherited = Object.fromEntries(INHERITED.map((name) => [name, process.env[name]]))
  const fixed = { HOME: home, KEZ_HOME: join(home, "kez"), CI: "true", NO_COLOR: "1", LANG: "C.UTF-8", TZ: "UTC" }
  const set = Object.entries({ ...inherited, ...fixed, ...extra })
  return Object.fromEntries(set.filter((entry): entry is [string, string] => entry[1] !== undefined))
}

/** A server of this repository as its own process, on free ports of loopback, far from the settings of whoever runs the tests. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Cleaner } from "./person.ts"

const APPS = join(import.meta.dirname, "../../apps")
const READY_WITHIN_MS = 60_000
const INHERITED = ["PATH", "SystemRoot", "TMPDIR", "TEMP", "NODE_COMPILE_CACHE"]

export interface ServerSetup {
  /** Flags; they win over the ports and the folder that are chosen otherwise. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Where it keeps its data; a new folder, removed at the end, unless given. */
  readonly folder?: string
}

export interface ServerProcess {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly port: number
  readonly metricsUrl: string | undefined
  readonly folder: string
  readonly child: ChildProcess
  /** Lines of its log. */
  log(): readonly string[]
  /** Sends a signal and resolves to the exit code; null when the signal ended it. */
  end(signal?: NodeJS.Signals): Promise<number | null>
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface ServerProgram {
  /** Of the folder in apps, and of the command behind `kez-`. */
  readonly name: "sig-server" | "chat-server"
}

/** Resolves when it listens. */
export async function startServer(t: Cleaner, program: ServerProgram, setup: ServerSetup = {}): Promise<ServerProcess> {
  const folder = setup.folder ?? mkdtempSync(join(tmpdir(), `kez-${program.name}-`))
  const args = ["--port", "0", "--metrics-port", "0", "--data", join(folder, "data"), ...(setup.args ?? [])]
  const child = spawnServer(program, { args, cwd: folder, env: setup.env })
  const exited = once(child, "exit")
  let stderr = ""
  child.stderr?.on("data", (bytes: Buffer) => {
    stderr += bytes.toString()
  })
  const end = async (signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await exited
    return child.exitCode
  }
  t.after(async () => {
    await end("SIGKILL")
    if (setup.folder === undefined) rmSync(folder, { recursive: true, force: true })
  })
  const log = (): readonly string[] => stderr.split("\n").filter((line) => line !== "")
  const { at, metricsAt } = await listening(child, log)
  return { url: at, port: Number(new URL(at).port), metricsUrl: metricsAt, folder, child, log, end }
}

/** Runs a command of it to its end. */
export async function runServer(program: ServerProgram, setup: ServerSetup): Promise<Finished> {
  const folder = setup.folder ?? mkdtempSync(join(tmpdir(), `kez-${program.name}-`))
  try {
    const child = spawnServer(program, { args: setup.args ?? [], cwd: folder, env: setup.env })
    const texts = { stdout: "", stderr: "" }
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.on("data", (bytes: Buffer) => {
        texts[name] += bytes.toString()
      })
    }
    const timer = setTimeout(() => child.kill("SIGKILL"), READY_WITHIN_MS)
    await once(child, "close")
    clearTimeout(timer)
    return { code: child.exitCode, ...texts }
  } finally {
    if (setup.folder === undefined) rmSync(folder, { recursive: true, force: true })
  }
}

interface Spawning {
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: ServerSetup["env"]
}

function spawnServer({ name }: ServerProgram, { args, cwd, env }: Spawning): ChildProcess {
  const inherited = INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))
  return spawn(process.execPath, [join(APPS, name, "src/main.ts"), ...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  })
}

interface Listening {
  readonly at: string
  readonly metricsAt?: string
}

async function listening(
  child: ChildProcess,
  log: () => readonly string[],
): Promise<{ at: string; metricsAt: string | undefined }> {
  const until = Date.now() + READY_WITHIN_MS
  for (;;) {
    const line = log().find((text) => text.includes('"msg":"listening"'))
    if (line !== undefined) {
      const { at, metricsAt }: Listening = JSON.parse(line)
      return { at, metricsAt }
    }
    if (child.exitCode !== null || Date.now() > until) throw new Error(`the server did not start\n${log().join("\n")}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

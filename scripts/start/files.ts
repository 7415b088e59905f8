/** kez-iroh for `npm start`: found, or built beside everything else. Nothing waits for it, and without it everything but files works. */
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { closeSync, openSync } from "node:fs"
import { availableParallelism, constants, setPriority } from "node:os"
import { join } from "node:path"
import { KezError } from "@kez/core"
import { readEnv } from "../../apps/cli/src/config.ts"
import { findIroh } from "../../apps/cli/src/files/find-iroh.ts"
import { stopMs } from "./limits.ts"
import { lastLines, turnOver } from "./part.ts"
import type { Report } from "./report.ts"

export interface FilesPlan {
  readonly root: string
  readonly folder: string
  /** False: it is only looked for. */
  readonly mayBuild: boolean
  readonly env: NodeJS.ProcessEnv
  readonly report: Report
  /** Told how to end the build that has begun; what is built by then is kept. */
  readonly onBuild: (stop: () => Promise<void>) => void
}

/** Of one processor, with the crates' download; more than a few do not make it faster. */
const buildCpuMinutes = 8
const usefulProcessors = 4

export type FilesState = "ready" | "building" | "off"

/** Says what becomes of it. Resolves before a build ends. */
export async function prepareFiles(plan: FilesPlan): Promise<FilesState> {
  const { root, mayBuild, env, report } = plan
  const began = performance.now()
  const missing = tryFind(plan)
  if (missing === undefined) {
    report.done("kez-iroh", "moves files", performance.now() - began)
    return "ready"
  }
  const isNamed = (env["KEZ_IROH"] ?? "") !== ""
  const why = mayBuild && !isNamed ? await whyUnable(root, env) : missing.message.replace(/^Cannot move files: /, "")
  if (why === undefined) {
    build(plan)
    return "building"
  }
  report.say(`  Files are off, everything else works: ${why}`)
  for (const hint of isNamed || !mayBuild ? (missing.hint?.split("\n") ?? []) : afterCargo) report.say(`    ${hint}`)
  return "off"
}

const afterCargo = ["Then: sh scripts/iroh.sh   The next npm start does the same."]

function tryFind({ root, env }: Pick<FilesPlan, "root" | "env">): KezError | undefined {
  try {
    findIroh({ env: readEnv(env) }, { arch: process.arch, cwd: root })
    return undefined
  } catch (error) {
    if (error instanceof KezError && error.code === "file.program") return error
    throw error
  }
}

/** What scripts/iroh.sh lacks, in its words; undefined if nothing. */
function whyUnable(root: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile("sh", [join(root, "scripts/iroh.sh"), "--able"], { env }, (error, _stdout, stderr) => {
      const said = stderr.trim().replace(/^kez: Cannot build kez-iroh: /, "")
      resolve(error === null ? undefined : said === "" ? error.message : said)
    })
  })
}

function build({ root, folder, env, report, onBuild }: FilesPlan): void {
  const began = performance.now()
  const logFile = join(folder, "logs", "kez-iroh.log")
  turnOver(logFile)
  const log = openSync(logFile, "a", 0o600)
  // A group of its own: cargo starts compilers, and all of them have to end with us.
  const child = spawn("sh", [join(root, "scripts/iroh.sh")], {
    cwd: root,
    env,
    stdio: ["ignore", log, log],
    detached: true,
  })
  closeSync(log)
  const minutes = Math.ceil(buildCpuMinutes / Math.min(availableParallelism(), usefulProcessors))
  report.say(
    `  Building kez-iroh in the background, once, about ${minutes} minutes. Files work afterwards. Its log: ${logFile}`,
  )
  yieldTo(child)
  const end = endOf(child)
  let isStopped = false
  const killNow = (): void => killGroup(child, "SIGKILL")
  process.once("exit", killNow)
  onBuild(async () => {
    if (hasEnded(child)) return
    isStopped = true
    report.say("  The build of kez-iroh is stopped. The next npm start goes on with it.")
    killGroup(child, "SIGTERM")
    const timer = setTimeout(killNow, stopMs)
    await end
    clearTimeout(timer)
  })
  void end.then((how) => {
    process.off("exit", killNow)
    if (isStopped) return
    if (how === undefined && tryFind({ root, env }) === undefined) {
      report.done("kez-iroh", "built: kez send and kez receive move files now", performance.now() - began)
      return
    }
    report.failed(
      "kez-iroh",
      `could not be built (${how ?? "it is not where it should be"}); everything else works. The end of ${logFile}:`,
    )
    report.say(...lastLines(logFile).map((line) => `    ${line}`), "    To try again: sh scripts/iroh.sh")
  })
}

/** Who tries the chat comes first. */
function yieldTo({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW)
  } catch {
    // Then it takes what it gets.
  }
}

/** In words; undefined: well. */
function endOf(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message))
    child.once("exit", (code, signal) => {
      resolve(code === 0 ? undefined : signal === null ? `exit code ${code}` : `signal ${signal}`)
    })
  })
}

function hasEnded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined && !hasEnded(child)) process.kill(-child.pid, signal)
  } catch {
    // It has ended already.
  }
}

/** One server of `npm start` as a process of its own: started, waited for, watched, and stopped in order. */
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, openSync, readFileSync, renameSync, statSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { KezError } from "@kez/core"
import { maxLogBytes, pollMs, readyMs, shownLogLines, stopMs } from "./limits.ts"

export interface Part {
  readonly name: string
  readonly pid: number | undefined
  readonly logFile: string
  /** How it ended, in words; resolves however it ends. */
  readonly ended: Promise<string>
  stop(): Promise<void>
}

export interface PartPlan {
  readonly name: string
  readonly root: string
  /** From the root, with its arguments. */
  readonly script: string
  readonly nodeFlags?: readonly string[]
  readonly args: readonly string[]
  readonly logFile: string
  readonly isReady: () => Promise<boolean>
  readonly signal: AbortSignal
}

/** As the launchers have it: on SIGUSR1 Node would wait for a debugger at a port that every user of this computer reaches. */
const withoutDebugger = "--disable-sigusr1"

/** Nothing of the person's settings for other servers, such as DATABASE_URL, may reach these. */
const inherited = ["PATH", "HOME", "USER", "LANG", "TMPDIR", "TEMP", "SystemRoot", "USERPROFILE", "NODE_COMPILE_CACHE"]

export function cleanEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(inherited.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
}

/** Resolves when it is ready. Throws `internal` with the end of its log when it is not; nothing of it runs then. */
export async function startPart(plan: PartPlan): Promise<Part> {
  const { name, root, script, nodeFlags = [], args, logFile } = plan
  turnOver(logFile)
  const log = openSync(logFile, "a", 0o600)
  // A group of its own: Ctrl-C reaches us alone, and we stop it when nobody needs it any more.
  const child = spawn(process.execPath, [withoutDebugger, ...nodeFlags, join(root, script), ...args], {
    cwd: root,
    env: cleanEnvironment(process.env),
    stdio: ["ignore", log, log],
    detached: true,
  })
  closeSync(log)
  const part = toPart(child, name, logFile)
  try {
    await waitUntilReady(plan, child)
  } catch (error) {
    await part.stop()
    throw error
  }
  return part
}

/** A start of every day must not fill a disk. */
export function turnOver(logFile: string): void {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0
  if (size > maxLogBytes) renameSync(logFile, `${logFile}.old`)
}

function toPart(child: ChildProcess, name: string, logFile: string): Part {
  const ended = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`))
    child.once("error", (error) => resolve(error.message))
  })
  const stop = async (): Promise<void> => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill("SIGTERM")
    const timer = setTimeout(() => child.kill("SIGKILL"), stopMs)
    await ended
    clearTimeout(timer)
  }
  return { name, pid: child.pid, logFile, ended, stop }
}

async function waitUntilReady({ name, logFile, isReady, signal }: PartPlan, child: ChildProcess): Promise<void> {
  const until = Date.now() + readyMs
  while (!(await isReady())) {
    signal.throwIfAborted()
    const isOver = child.exitCode !== null || child.signalCode !== null || child.pid === undefined
    if (isOver || Date.now() > until) {
      const why = isOver ? "it ended at once" : `it was not ready after ${readyMs / 1_000} s`
      throw new KezError("internal", `Cannot start ${name}: ${why}\n${lastLines(logFile).join("\n")}`, {
        hint: `Its log is ${logFile}`,
      })
    }
    await sleep(pollMs)
  }
}

/** The end of a log. */
export function lastLines(logFile: string): readonly string[] {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0
  if (size === 0) return []
  return readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-shownLogLines)
}

/** Whether `/readyz` says so, and whatever else is asked of its answer. */
export async function isReadyAt(url: string, fits: (answer: Readiness) => boolean = () => true): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) })
    const body = (await answer.json()) as Readiness
    return answer.ok && fits(body)
  } catch {
    return false
  }
}

/** Of both servers. */
export interface Readiness {
  readonly checks?: Readonly<Record<string, { readonly ok: boolean }>>
}

/** Servers of an earlier `npm start` that was killed without a chance to stop them. They are stopped before anything is started. */
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { promisify } from "node:util"
import { readRunRecord, removeRunRecord } from "./folder.ts"
import { pollMs, stopMs } from "./limits.ts"

/** Names of what was stopped. A number that another program has now is left alone: its command line does not name the folder. */
export async function stopLeftovers(folder: string): Promise<readonly string[]> {
  const { children = [] } = readRunRecord(folder) ?? {}
  const stopped: string[] = []
  for (const { name, pid } of children.toReversed()) {
    if (!(await commandOf(pid)).includes(folder)) continue
    await stop(pid)
    stopped.push(`${name}, process ${pid}`)
  }
  removeRunRecord(folder)
  return stopped
}

async function stop(pid: number): Promise<void> {
  tryKill(pid, "SIGTERM")
  const until = Date.now() + stopMs
  while (tryKill(pid, 0)) {
    if (Date.now() > until) tryKill(pid, "SIGKILL")
    await sleep(pollMs)
  }
}

function tryKill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

async function commandOf(pid: number): Promise<string> {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8")
    return (await promisify(execFile)("ps", ["-p", String(pid), "-o", "args="])).stdout
  } catch {
    return ""
  }
}

/** Starting an agent's process so that nobody looks into it: the key through a pipe, no debugger of Node, no dump of its memory. */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { fault } from "../fault.ts"
import type { AgentStart } from "./agent-protocol.ts"

const agentProgram = fileURLToPath(new URL("./agent-process.ts", import.meta.url))
const ready = "ready\n"
const startTimeoutMs = 10_000
/**
 * A dump would leave the key on the disk. Node has no call against it, sh has, and `exec` keeps the process. Where the limit cannot be
 * set the agent starts without it.
 */
const withoutDumps = 'ulimit -c 0; exec "$@"'
/** On SIGUSR1 Node would wait for a debugger at a port that every user of this computer reaches. https://nodejs.org/api/cli.html */
const withoutDebugger = "--disable-sigusr1"

export interface LaunchOptions {
  readonly compileCache?: string | undefined
  readonly timeoutMs?: number
  readonly program?: string
}

/**
 * Resolves when the agent can sign. Throws `internal` where it ends, or says nothing for ten seconds; then it is killed. (By `key.locked`
 * scripts would ask for the passphrase again, which was right.) The secret goes through a pipe: other users can read arguments, and
 * children inherit the environment.
 */
export function launchAgent(start: AgentStart, options: LaunchOptions = {}): Promise<void> {
  const { compileCache, timeoutMs = startTimeoutMs, program = agentProgram } = options
  return new Promise((resolve, reject) => {
    // The socket is there for people: it tells agents apart.
    const command = [process.execPath, withoutDebugger, program, start.socket]
    const child = spawn("/bin/sh", ["-c", withoutDumps, "sh", ...command], {
      detached: true,
      cwd: "/",
      env: compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache },
      stdio: ["pipe", "pipe", "ignore"],
    })
    const fail = (why: string, cause?: unknown): void => {
      clearTimeout(timer)
      child.kill("SIGKILL")
      reject(fault("internal", `Cannot start the agent: ${why}`, { cause }))
    }
    const timer = setTimeout(() => fail(`it does not listen after ${timeoutMs / 1_000} s`), timeoutMs)
    let said = ""
    child.on("error", (cause) => fail("the system starts no process", cause))
    child.on("exit", (code, signal) => fail(`it ended with ${signal ?? `code ${code}`}`))
    child.stdout.setEncoding("utf8")
    child.stdout.on("data", (text: string) => {
      said += text
      if (said !== ready) return
      clearTimeout(timer)
      child.removeAllListeners("exit")
      child.stdout.destroy()
      child.unref()
      resolve()
    })
    child.stdin.on("error", () => {}) // told by "exit"
    child.stdin.end(JSON.stringify(start))
  })
}

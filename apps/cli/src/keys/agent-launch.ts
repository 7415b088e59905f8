/** Starting an agent's process so that nobody looks into it: the key through a pipe, no debugger of Node, no dump of its memory. */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { fault } from "../fault.ts"
import type { AgentStart } from "./agent-protocol.ts"

const program = fileURLToPath(new URL("./agent-process.ts", import.meta.url))
const ready = "ready\n"
/**
 * A dump would leave the key on the disk. Node has no call against it, sh has, and `exec` keeps the process. Where the limit cannot be
 * set the agent starts without it.
 */
const withoutDumps = 'ulimit -c 0; exec "$@"'
/** On SIGUSR1 Node would wait for a debugger at a port that every user of this computer reaches. https://nodejs.org/api/cli.html */
const withoutDebugger = "--disable-sigusr1"

/** Resolves when the agent can sign. The secret goes through a pipe: other users can read arguments, and children inherit the environment. */
export function launchAgent(start: AgentStart, compileCache: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", withoutDumps, "sh", process.execPath, withoutDebugger, program], {
      detached: true,
      cwd: "/",
      env: compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache },
      stdio: ["pipe", "pipe", "ignore"],
    })
    let said = ""
    child.on("error", reject)
    child.on("exit", (code) => reject(fault("key.locked", `Cannot start the agent: it ended with code ${code}`)))
    child.stdout.setEncoding("utf8")
    child.stdout.on("data", (text: string) => {
      said += text
      if (said !== ready) return
      child.removeAllListeners("exit")
      child.stdout.destroy()
      child.unref()
      resolve()
    })
    child.stdin.on("error", () => {}) // told by "exit"
    child.stdin.end(JSON.stringify(start))
  })
}

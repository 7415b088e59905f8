/** Unlocked keys: a process for each, which holds the secret in memory and signs KEZ statements until its time is over. */
import { spawn } from "node:child_process"
import { lstatSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Context } from "../context.ts"
import { fault } from "../fault.ts"
import type { Paths } from "../paths.ts"
import { type AgentStart, askAgent } from "./agent-protocol.ts"
import { makePrivateDir } from "./durable-file.ts"
import type { KeyMaterial } from "./key-text.ts"

const program = fileURLToPath(new URL("./agent-process.ts", import.meta.url))
const signatureBytes = 64
const ready = "ready\n"

export interface AgentStatus {
  readonly name: string
  readonly key: string
  /** Unix seconds. */
  readonly until: number
}

/** A key that an agent holds. */
export interface AgentSigner {
  readonly key: string
  /** Undefined where the agent has ended, or leaves this to the passphrase. */
  trySign(bytes: Uint8Array): Promise<Uint8Array | undefined>
}

/** What signs with the agent of `name`, if one is running for `key`. */
export async function tryAgentSigner(paths: Paths, name: string, key: string): Promise<AgentSigner | undefined> {
  const status = await agentStatus(paths, name)
  if (status?.key !== key) return undefined
  const socket = socketPath(paths, name)
  return {
    key,
    async trySign(bytes) {
      const answer = await askAgent(socket, { ask: "sign", bytes: Buffer.from(bytes).toString("base64") })
      const signature = answer !== undefined && "signature" in answer ? Buffer.from(answer.signature, "hex") : undefined
      return signature?.length === signatureBytes ? signature : undefined
    },
  }
}

/** The content of the key file of a device, where an agent of this name holds it. */
export async function tryAgentDevice(paths: Paths, name: string): Promise<string | undefined> {
  if (!isOwnDir(paths.runtime)) return undefined
  const answer = await askAgent(socketPath(paths, name), { ask: "device" })
  return answer !== undefined && "text" in answer ? answer.text : undefined
}

export async function agentStatus(paths: Paths, name: string): Promise<AgentStatus | undefined> {
  if (!isOwnDir(paths.runtime)) return undefined
  const answer = await askAgent(socketPath(paths, name), { ask: "status" })
  return answer !== undefined && "until" in answer ? { name, key: answer.key, until: answer.until } : undefined
}

/** Everything that is unlocked. */
export async function listAgents(paths: Paths): Promise<readonly AgentStatus[]> {
  const found = await Promise.all(agentNames(paths).map((name) => agentStatus(paths, name)))
  return found.filter((status) => status !== undefined)
}

/** Ends the agent of `name`. False if none was running. */
export async function stopAgent(paths: Paths, name: string): Promise<boolean> {
  if (!isOwnDir(paths.runtime)) return false
  const socket = socketPath(paths, name)
  const answer = await askAgent(socket, { ask: "stop" })
  rmSync(socket, { force: true })
  return answer !== undefined
}

/** Starts the agent of `name`, in place of one that runs. Resolves when it can sign. */
export async function startAgent(
  context: Context,
  { name, identity }: { readonly name: string; readonly identity: string },
  { key, until, device }: { readonly key: KeyMaterial; readonly until: number; readonly device?: string | undefined },
): Promise<void> {
  const { paths, env } = context
  if (env.platform === "win32") {
    throw fault("key.locked", "Cannot keep a key unlocked on Windows: the agent needs Unix sockets", {
      hint: "Use --passphrase-file.",
    })
  }
  makePrivateDir(paths.runtime)
  assertOwnDir(paths.runtime)
  await stopAgent(paths, name)
  const start: AgentStart = {
    socket: socketPath(paths, name),
    system: key.system,
    secretHex: Buffer.from(key.secret).toString("hex"),
    until,
    ...(device === undefined ? {} : { device }),
  }
  await launch(start, env.compileCache)
  const status = await agentStatus(paths, name)
  if (status?.key !== identity) throw fault("key.locked", "Cannot start the agent: it does not answer")
}

/** The secret goes through a pipe: other users can read arguments, and children inherit the environment. */
function launch(start: AgentStart, compileCache: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program], {
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

function agentNames(paths: Paths): readonly string[] {
  if (!isOwnDir(paths.runtime)) return []
  return readdirSync(paths.runtime).flatMap((file) => /^([a-z0-9_-]+)\.sock$/.exec(file)?.[1] ?? [])
}

function socketPath(paths: Paths, name: string): string {
  return join(paths.runtime, `${name}.sock`)
}

/** A directory that another user could write to may hold another user's socket. */
function isOwnDir(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined || !stats.isDirectory()) return false
  return process.getuid === undefined || (stats.uid === process.getuid() && (stats.mode & 0o077) === 0)
}

function assertOwnDir(path: string): void {
  if (isOwnDir(path)) return
  throw fault("store.permissions", `Cannot use ${path}: expected a directory of mode 0700 that is yours`, {
    hint: `chmod 700 '${path}'`,
  })
}

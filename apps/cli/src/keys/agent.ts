/** Unlocked keys: a process for each, which holds the secret in memory and signs KEZ statements until its time is over. */
import { lstatSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import type { KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { fault, hasCode } from "../fault.ts"
import type { Paths } from "../paths.ts"
import { launchAgent } from "./agent-launch.ts"
import { type AgentAnswer, type AgentRequest, type AgentStart, askAgent } from "./agent-protocol.ts"
import { makePrivateDir } from "./durable-file.ts"
import type { KeyMaterial } from "./key-text.ts"

const signatureBytes = 64

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
  return {
    key,
    async trySign(bytes) {
      const answer = await tryAsk(paths, name, { ask: "sign", bytes: Buffer.from(bytes).toString("base64") })
      const signature = answer !== undefined && "signature" in answer ? Buffer.from(answer.signature, "hex") : undefined
      return signature?.length === signatureBytes ? signature : undefined
    },
  }
}

/** The content of the key file of a device, where an agent of this name holds it. */
export async function tryAgentDevice(paths: Paths, name: string): Promise<string | undefined> {
  const answer = await tryAsk(paths, name, { ask: "device" })
  return answer !== undefined && "text" in answer ? answer.text : undefined
}

export async function agentStatus(paths: Paths, name: string): Promise<AgentStatus | undefined> {
  const answer = await tryAsk(paths, name, { ask: "status" })
  return answer !== undefined && "until" in answer ? { name, key: answer.key, until: answer.until } : undefined
}

/** The answer of an agent that can be trusted and answers: commands go on without one, and ask for the passphrase. */
async function tryAsk(paths: Paths, name: string, request: AgentRequest): Promise<AgentAnswer | undefined> {
  if (lookAtDir(paths.runtime) !== "own") return undefined
  const answer = await askAgent(socketPath(paths, name), request)
  return typeof answer === "string" ? undefined : answer
}

/** Everything that is unlocked. Throws `store.permissions`. */
export async function listAgents(paths: Paths): Promise<readonly AgentStatus[]> {
  const found = await Promise.all(agentNames(paths).map((name) => agentStatus(paths, name)))
  return found.filter((status) => status !== undefined)
}

/** The names for which there may be an agent. Throws `store.permissions`. */
export function agentNames(paths: Paths): readonly string[] {
  if (!hasOwnDir(paths.runtime)) return []
  return readdirSync(paths.runtime).flatMap((file) => /^([a-z0-9_-]+)\.sock$/.exec(file)?.[1] ?? [])
}

/**
 * Ends the agent of `name`. False if none was running. Throws `store.permissions` where somebody else may have put there what
 * is there, and `store.busy` for an agent that does not answer: its socket stays, for without it nobody would find it again.
 */
export async function stopAgent(paths: Paths, name: string): Promise<boolean> {
  if (!hasOwnDir(paths.runtime)) return false
  const socket = socketPath(paths, name)
  const first = await askAgent(socket, { ask: "stop" })
  // It may have come to its end just now.
  const answer = first === "nothing" ? await askAgent(socket, { ask: "stop" }) : first
  const isEnded = typeof answer === "object" && "ok" in answer && answer.ok === "stopped"
  if (!isEnded && answer !== "nobody") {
    throw fault("store.busy", `Cannot lock ${name}: its agent does not answer, and may hold the key still`, {
      hint: `Try again in some seconds. Else end the process whose arguments name ${socket}.`,
    })
  }
  rmSync(socket, { force: true })
  return isEnded
}

/**
 * Ends the agents of some names; the names of those that were running. Who does not end keeps no other unlocked. Throws as
 * `stopAgent` then, and says who was locked.
 */
export async function stopAgents(paths: Paths, names: readonly string[]): Promise<readonly string[]> {
  const ended = await Promise.allSettled(names.map((name) => stopAgent(paths, name)))
  const locked = names.filter((_, i) => ended[i]?.status === "fulfilled" && ended[i].value)
  const failure: unknown = ended.find((one) => one.status === "rejected")?.reason
  if (failure === undefined) return locked
  if (!isBusy(failure) || locked.length === 0) throw failure
  throw fault("store.busy", failure.message, {
    cause: failure,
    hint: `${failure.hint}\nThese were locked: ${locked.join(", ")}.`,
  })
}

function isBusy(error: unknown): error is KezError {
  return hasCode(error, "store.busy")
}

export interface Unlocking {
  readonly key: KeyMaterial
  /** Unix seconds. */
  readonly until: number
  readonly device?: string | undefined
  /** Whether what is unlocked is on this computer still: passphrases take their time, and others may remove it meanwhile. */
  isHere(): boolean
}

/** Starts the agent of `name`, in place of one that runs. Resolves when it can sign. Throws `store.unknown` for what was removed meanwhile. */
export async function startAgent(
  context: Context,
  { name, identity }: { readonly name: string; readonly identity: string },
  { key, until, device, isHere }: Unlocking,
): Promise<void> {
  const { paths, env } = context
  if (env.platform === "win32") {
    throw fault("key.locked", "Cannot keep a key unlocked on Windows: the agent needs Unix sockets", {
      hint: "Use --passphrase-file.",
    })
  }
  makePrivateDir(paths.runtime)
  await stopAgent(paths, name)
  const start: AgentStart = {
    socket: socketPath(paths, name),
    system: key.system,
    secretHex: Buffer.from(key.secret).toString("hex"),
    until,
    ...(device === undefined ? {} : { device }),
  }
  await launchAgent(start, { compileCache: env.compileCache })
  const status = await agentStatus(paths, name)
  if (status?.key !== identity) throw fault("internal", "Cannot start the agent: it does not answer")
  // Whoever removes it ends its agent afterwards: either they find this one, or we find it removed.
  if (isHere()) return
  await stopAgent(paths, name)
  throw fault("store.unknown", `Cannot keep ${name} unlocked: it was removed from this computer meanwhile`)
}

function socketPath(paths: Paths, name: string): string {
  return join(paths.runtime, `${name}.sock`)
}

/** A directory that another user could write to may hold another user's socket. */
function lookAtDir(path: string): "none" | "own" | "loose" {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return "none"
  if (!stats.isDirectory()) return "loose"
  const isOwn = process.getuid === undefined || (stats.uid === process.getuid() && (stats.mode & 0o077) === 0)
  return isOwn ? "own" : "loose"
}

/** Whether it is there. Throws `store.permissions` where it is not its user's alone: an agent may be behind it. */
function hasOwnDir(path: string): boolean {
  const found = lookAtDir(path)
  if (found !== "loose") return found === "own"
  throw fault("store.permissions", `Cannot use ${path}: expected a directory of mode 0700 that is yours`, {
    hint: `chmod 700 '${path}'`,
  })
}

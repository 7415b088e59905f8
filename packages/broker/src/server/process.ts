/** Starts nats-server as a process of its own, waits until it serves, and stops it. Two never run on one folder. */
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { KezError } from "@kez/core"
import { startMs, stopMs } from "../limits.ts"
import { formatConfiguration, type Listen, type ServerSettings } from "./configuration.ts"
import { type BrokerKeys, ensureBrokerKeys } from "./key-files.ts"

export interface BrokerSettings {
  /** Keys, configuration, log and streams are in it. */
  readonly folder: string
  readonly client: Listen
  readonly websocket: ServerSettings["websocket"]
  readonly monitorPort: number
  readonly name?: string
  /** The folder as nats-server sees it, where that is another name: in a container. */
  readonly seenAt?: string
  readonly maxStoredBytes?: number
}

export interface Broker {
  /** `nats://HOST:PORT` */
  readonly url: string
  readonly websocketUrl: string
  readonly monitorUrl: string
  readonly keys: BrokerKeys
  readonly child: ChildProcess
  /** Resolves when the process has ended, however. */
  readonly ended: Promise<void>
  /** SIGTERM, and SIGKILL if it takes longer than `stopMs`. */
  stop(): Promise<void>
}

/** Keys and configuration in a folder: made on the first call, the configuration written anew on each. Nothing is started. */
export function writeConfiguration(settings: BrokerSettings): { readonly keys: BrokerKeys; readonly file: string } {
  const { folder, name = "kez", seenAt = folder } = settings
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const keys = ensureBrokerKeys(join(folder, "keys"))
  const file = join(folder, "nats-server.conf")
  const paths = { dataFolder: join(seenAt, "streams"), logFile: logFileOf(seenAt), pidFile: pidFileOf(seenAt) }
  writeFileSync(file, formatConfiguration(keys, { ...settings, name, ...paths }), { mode: 0o600 })
  return { keys, file }
}

/** Resolves when it serves. Throws `store.busy`, `broker.port` or `broker.start`; nothing runs then. */
export async function startBroker(program: string, settings: BrokerSettings): Promise<Broker> {
  assertNotRunning(settings.folder)
  const { keys, file } = writeConfiguration(settings)
  await assertConfiguration(program, file)
  const logFile = logFileOf(settings.folder)
  const before = existsSync(logFile) ? readFileSync(logFile, "utf8").length : 0
  // A group of its own: Ctrl-C reaches our process, which stops this one in order, after those that need it.
  const child = spawn(program, ["-c", file], { stdio: ["ignore", "ignore", "pipe"], detached: true })
  let said = ""
  child.stderr.on("data", (bytes: Buffer) => {
    said = (said + bytes.toString()).slice(-4_096)
  })
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve())
    child.once("error", () => resolve())
  })
  const { client, websocket, monitorPort } = settings
  const monitorUrl = `http://127.0.0.1:${monitorPort}`
  const stop = async (): Promise<void> => {
    await stopProcess(child, ended)
    rmSync(pidFileOf(settings.folder), { force: true })
  }
  try {
    await waitUntilReady(child, monitorUrl)
  } catch (cause) {
    await stop()
    const log = existsSync(logFile) ? readFileSync(logFile, "utf8").slice(before) : ""
    throw startFault(`${said}\n${log}`, settings, cause)
  }
  const scheme = websocket.tls === undefined ? "ws" : "wss"
  return {
    url: `nats://${client.host}:${client.port}`,
    websocketUrl: `${scheme}://${websocket.host}:${websocket.port}`,
    monitorUrl,
    keys,
    child,
    ended,
    stop,
  }
}

/** Two servers on one folder of streams would ruin it, and nats-server itself does not look. */
function assertNotRunning(folder: string): void {
  const file = pidFileOf(folder)
  if (!existsSync(file)) return
  const pid = Number(readFileSync(file, "utf8").trim())
  // What kill -9 or a power cut left behind is no server: its number is free, or another program's.
  if (Number.isSafeInteger(pid) && pid > 0 && isOurs(pid, folder)) {
    throw new KezError("store.busy", `Cannot start nats-server: process ${pid} is running with ${folder} already`, {
      hint: `Stop it first: kill ${pid}`,
    })
  }
  rmSync(file, { force: true })
}

function isOurs(pid: number, folder: string): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(join(folder, "nats-server.conf"))
  } catch {
    // No /proc on this system, so a process with this number has to be taken for it.
    return process.platform !== "linux"
  }
}

async function assertConfiguration(program: string, file: string): Promise<void> {
  try {
    await promisify(execFile)(program, ["-t", "-c", file], { timeout: startMs })
  } catch (cause) {
    throw new KezError("broker.start", `Cannot start nats-server: it refuses ${file}`, { cause })
  }
}

async function waitUntilReady(child: ChildProcess, monitorUrl: string): Promise<void> {
  const until = Date.now() + startMs
  while (!(await isServing(child, monitorUrl))) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) throw new Error("it has ended")
    if (Date.now() > until) throw new Error(`it does not serve after ${startMs / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Whether this very process serves, its streams read: another one may have the port. */
async function isServing({ pid }: ChildProcess, monitorUrl: string): Promise<boolean> {
  try {
    const options = { signal: AbortSignal.timeout(2_000) }
    const health = await fetch(`${monitorUrl}/healthz`, options)
    await health.arrayBuffer()
    if (!health.ok) return false
    const varz = (await (await fetch(`${monitorUrl}/varz`, options)).json()) as {
      readonly server_id?: unknown
      readonly pid?: unknown
    }
    return varz.pid === undefined || varz.pid === pid
  } catch {
    return false
  }
}

function startFault(log: string, settings: BrokerSettings, cause: unknown): KezError {
  const taken = /listen tcp[46]? (\S+): bind: (address already in use|permission denied)/.exec(log)
  if (taken !== null) {
    const [, place, reason] = taken
    const hint =
      reason === "permission denied"
        ? "Ports below 1024 need rights; choose another one"
        : "Stop what listens there, or choose another port"
    return new KezError("broker.port", `Cannot start nats-server: ${place}: ${reason}`, { hint, cause })
  }
  const lines = log.split("\n").filter((line) => /\[(?:FTL|ERR)\]|nats-server:/.test(line))
  const last = lines.at(-1)?.replace(/^\[\d+\] \S+ \S+ /, "")
  return new KezError("broker.start", `Cannot start nats-server${last === undefined ? "" : `: ${last}`}`, {
    cause,
    hint: `Its log is ${logFileOf(settings.folder)}`,
  })
}

async function stopProcess(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  child.kill("SIGTERM")
  const timer = setTimeout(() => child.kill("SIGKILL"), stopMs)
  await ended
  clearTimeout(timer)
}

function logFileOf(folder: string): string {
  return join(folder, "nats-server.log")
}

function pidFileOf(folder: string): string {
  return join(folder, "nats-server.pid")
}

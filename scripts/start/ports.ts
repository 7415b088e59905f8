/** The ports of `npm start`: which they are, whether they are free, and who has them where not. */
import { execFile } from "node:child_process"
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { createServer } from "node:net"
import { basename } from "node:path"
import { promisify } from "node:util"
import { KezError } from "@kez/core"

export interface Ports {
  readonly store: number
  readonly chat: number
  readonly broker: number
  readonly websocket: number
  readonly monitor: number
  readonly site: number
}

const usual: Ports = { store: 7878, chat: 6969, broker: 4222, websocket: 8443, monitor: 8222, site: 7880 }

const owners: Readonly<Record<keyof Ports, string>> = {
  store: "sig-server",
  chat: "chat-server",
  broker: "nats-server",
  websocket: "nats-server for browsers",
  monitor: "nats-server's monitor",
  site: "the local site",
}
const names = Object.keys(owners) as readonly (keyof Ports)[]
/** Where a hint looks for ports that are free. */
const firstHint = 17_800

export function portsFrom(base: number | undefined): Ports {
  if (base === undefined) return usual
  return {
    store: base,
    chat: base + 1,
    broker: base + 2,
    websocket: base + 3,
    monitor: base + 4,
    site: base + 5,
  }
}

/** Before anything is started. Throws `broker.port`, with what has each port that is taken. */
export async function assertFree(ports: Ports): Promise<void> {
  const free = await Promise.all(names.map((name) => isFree(ports[name])))
  const taken = names.filter((_, at) => free[at] === false)
  if (taken.length === 0) return
  const holders = await Promise.all(taken.map((name) => findHolder(ports[name])))
  const lines = taken.map((name, at) => `${ports[name]} (for ${owners[name]}) by ${holders[at] ?? "another program"}`)
  throw new KezError("broker.port", `Cannot start: ports are taken: ${lines.join("; ")}`, {
    hint: `Nothing was started. Stop what listens there, or choose other ports: npm start -- --port-base ${await findFreeBase()}`,
  })
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once("error", () => resolve(false))
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

async function findFreeBase(): Promise<number> {
  for (let base = firstHint; base < firstHint + 1_000; base += 10) {
    const ports = portsFrom(base)
    const free = await Promise.all(names.map((name) => isFree(ports[name])))
    if (!free.includes(false)) return base
  }
  return firstHint
}

/** `node, process 1234`; undefined where this system or this user cannot tell. */
async function findHolder(port: number): Promise<string | undefined> {
  try {
    return process.platform === "linux" ? findInProc(port) : await askLsof(port)
  } catch {
    return undefined
  }
}

/** proc_net_tcp(5): the address is in hexadecimal, state 0A is LISTEN, and the tenth column is the inode that a descriptor links to. */
function findInProc(port: number): string | undefined {
  const portHex = port.toString(16).toUpperCase().padStart(4, "0")
  const inodes = ["tcp", "tcp6"].flatMap((table) =>
    tryRead(`/proc/net/${table}`)
      .split("\n")
      .map((row) => row.trim().split(/\s+/))
      .filter(([, local, , state]) => state === "0A" && local?.endsWith(`:${portHex}`) === true)
      .map((columns) => `socket:[${columns[9]}]`),
  )
  if (inodes.length === 0) return undefined
  const pid = readdirSync("/proc").find((name) => /^[0-9]+$/.test(name) && holdsOneOf(name, inodes))
  // Not its comm: Node calls its first thread MainThread.
  return pid === undefined ? undefined : `${basename(tryLink(`/proc/${pid}/exe`)) || "a program"}, process ${pid}`
}

function holdsOneOf(pid: string, inodes: readonly string[]): boolean {
  try {
    const folder = `/proc/${pid}/fd`
    return readdirSync(folder).some((fd) => inodes.includes(tryLink(`${folder}/${fd}`)))
  } catch {
    // Another user's process.
    return false
  }
}

async function askLsof(port: number): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)("lsof", ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpc"])
  const pid = /^p([0-9]+)$/m.exec(stdout)?.[1]
  return pid === undefined ? undefined : `${/^c(.+)$/m.exec(stdout)?.[1] ?? "a program"}, process ${pid}`
}

function tryRead(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

function tryLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ""
  }
}

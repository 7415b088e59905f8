/**
 * The agent's own process. It reads one key from stdin, answers on a socket that only its user can open, and ends at its time, or when
 * nobody can reach it any more. It signs only what its key says in KEZ, so that a program that can reach it cannot have other texts
 * signed; and it gives out no key, but for one: the agent of an account gives the device's keys and its store's to whoever asks, for the
 * chat runs in the asking process.
 */
import { type BigIntStats, chmodSync, lstatSync, readFileSync, rmSync } from "node:fs"
import { createServer, type Socket } from "node:net"
import { createSigner, formatHex, type Signer } from "@kez/core"
import { type AgentAnswer, type AgentRequest, type AgentStart, maxMessageBytes } from "./agent-protocol.ts"
import { isSignable } from "./agent-statement.ts"

const maxConnections = 16
/** For a whole question, and again until its answer is taken: as long as somebody lets it wait others may have no place. */
const turnTimeoutMs = 2_000
/** How often the clock is looked at, which goes on while a computer sleeps, as timers do not; and the socket. */
const lookMs = 1_000

/** What an agent holds. */
export interface Held {
  readonly signer: Signer
  /** Unix seconds. */
  readonly until: number
  readonly device?: string | undefined
}

/** The answer to one line at `now`, in Unix seconds. */
export async function answer({ signer, until, device }: Held, line: string, now: number): Promise<AgentAnswer> {
  const request = tryParseRequest(line)
  switch (request?.ask) {
    case "status":
      return { ok: "status", key: signer.key, until }
    case "sign": {
      const bytes = Buffer.from(String(request.bytes), "base64")
      if (!isSignable(bytes, signer.key, now)) return { error: "not a KEZ statement of this key" }
      return { ok: "signature", signature: formatHex(await signer.sign(bytes)) }
    }
    case "device":
      return device === undefined ? { error: "no device" } : { ok: "device", text: device }
    case "stop":
      return { ok: "stopped" }
    default:
      return { error: "not understood" }
  }
}

function tryParseRequest(line: string): AgentRequest | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null && "ask" in value ? (value as AgentRequest) : undefined
  } catch {
    return undefined
  }
}

function serve({ socket, system, secretHex, until, device }: AgentStart): void {
  const signer = createSigner(system === "nostr" ? "nostr" : "ed25519", Buffer.from(secretHex, "hex"))
  let own: BigIntStats | undefined
  const isReachable = (): boolean => own !== undefined && isSameFile(socket, own)
  const end = (): void => {
    // A later agent's may be there.
    if (isReachable()) rmSync(socket, { force: true })
    process.exit(0)
  }
  const server = createServer({ allowHalfOpen: true }, (connection) => {
    converse(connection, async (line) => {
      const now = Date.now() / 1_000
      if (now >= until) end()
      const said = await answer({ signer, until, device }, line, now)
      const text = JSON.stringify(said)
      // The system closes this connection with the process: whoever sees its end knows that the key is gone.
      if ("ok" in said && said.ok === "stopped") connection.write(text, end)
      else connection.end(text)
    })
  })
  server.maxConnections = maxConnections
  rmSync(socket, { force: true })
  process.umask(0o077)
  server.listen(socket, () => {
    own = lstatSync(socket, { bigint: true })
    chmodSync(socket, 0o600)
    process.stdout.write("ready\n")
    // Without its socket nobody could use it, or end it.
    setInterval(() => {
      if (Date.now() >= until * 1_000 || !isReachable()) end()
    }, lookMs)
  })
  setTimeout(end, Math.max(0, until * 1_000 - Date.now()))
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, end)
}

/** False also where it cannot be told. */
function isSameFile(path: string, { dev, ino }: BigIntStats): boolean {
  try {
    const there = lstatSync(path, { bigint: true })
    return there.dev === dev && there.ino === ino
  } catch {
    return false
  }
}

/** Calls `hear` with the first line; a connection that is slow, long or broken is closed. A byte now and then buys no time. */
function converse(connection: Socket, hear: (line: string) => Promise<void>): void {
  let text = ""
  connection.setEncoding("utf8")
  let ending: NodeJS.Immediate | undefined
  // After a pause of the computer the time is over before what came meanwhile was read: that is read first.
  const deadline = setTimeout(() => {
    ending = setImmediate(() => connection.destroy())
  }, turnTimeoutMs)
  connection.on("close", () => clearTimeout(deadline))
  connection.on("error", () => connection.destroy())
  connection.on("data", (part: string) => {
    text += part
    const end = text.indexOf("\n")
    if (end !== -1) {
      connection.removeAllListeners("data")
      clearImmediate(ending)
      deadline.refresh()
      hear(text.slice(0, end)).catch(() => connection.destroy())
    } else if (text.length > maxMessageBytes) connection.destroy()
  })
}

if (import.meta.main) serve(JSON.parse(readFileSync(0, "utf8")) as AgentStart)

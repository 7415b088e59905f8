/** What a command and the agent say to each other: one JSON object a line over a Unix socket, one question a connection. */
import { lstatSync } from "node:fs"
import { connect } from "node:net"

export const maxMessageBytes = 131_072
const answerTimeoutMs = 5_000

export type AgentRequest =
  | { readonly ask: "sign"; readonly bytes: string }
  | { readonly ask: "status" }
  /** Of the agent of an account: its device's keys, for the chat that runs in the asking process. */
  | { readonly ask: "device" }
  | { readonly ask: "stop" }

export type AgentAnswer =
  | { readonly ok: "signature"; readonly signature: string }
  | { readonly ok: "status"; readonly key: string; readonly until: number }
  | { readonly ok: "device"; readonly text: string }
  | { readonly ok: "stopped" }
  | { readonly error: string }

/** What the agent is started with, on its stdin. */
export interface AgentStart {
  readonly socket: string
  readonly system: string
  readonly secretHex: string
  /** The content of a device's key file, where it is one. */
  readonly device?: string
  /** Unix seconds. */
  readonly until: number
}

/** What comes instead of an answer: no agent is there, it closed the connection, or it is silent and may hold its key still. */
export type NoAnswer = "nobody" | "nothing" | "silence"

export function askAgent(socket: string, request: AgentRequest): Promise<AgentAnswer | NoAnswer> {
  if (!isOwnSocket(socket)) return Promise.resolve("nobody")
  return new Promise((resolve) => {
    const connection = connect(socket)
    let text = ""
    const end = (said: AgentAnswer | NoAnswer): void => {
      connection.destroy()
      resolve(said)
    }
    connection.setTimeout(answerTimeoutMs, () => end("silence"))
    connection.setEncoding("utf8")
    connection.on("connect", () => connection.end(`${JSON.stringify(request)}\n`))
    connection.on("data", (part: string) => {
      text += part
      if (text.length > maxMessageBytes) end("nothing")
    })
    connection.on("error", ({ code }: NodeJS.ErrnoException) => end(noAnswers[code ?? ""] ?? "silence"))
    connection.on("end", () => end(tryParseAnswer(text) ?? "nothing"))
  })
}

const noAnswers: Readonly<Record<string, NoAnswer>> = {
  ENOENT: "nobody",
  // An agent that was killed left its socket behind.
  ECONNREFUSED: "nobody",
  ECONNRESET: "nothing",
  EPIPE: "nothing",
}

function isOwnSocket(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return stats?.isSocket() === true && (process.getuid === undefined || stats.uid === process.getuid())
}

function tryParseAnswer(text: string): AgentAnswer | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null ? (value as AgentAnswer) : undefined
  } catch {
    return undefined
  }
}

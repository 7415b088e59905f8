/** What a command and the agent say to each other: one JSON object a line over a Unix socket, one question a connection. */
import { connect } from "node:net"
import { fault } from "../fault.ts"

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

/** The agent's answer, or undefined where no agent listens. */
export function askAgent(socket: string, request: AgentRequest): Promise<AgentAnswer | undefined> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket)
    let text = ""
    const fail = (message: string, cause?: unknown): void => {
      connection.destroy()
      reject(fault("key.locked", `Cannot use the agent: ${message}`, { cause, hint: "kez identity lock ends it." }))
    }
    connection.setTimeout(answerTimeoutMs, () => fail("it does not answer"))
    connection.setEncoding("utf8")
    connection.on("connect", () => connection.end(`${JSON.stringify(request)}\n`))
    connection.on("data", (part: string) => {
      text += part
      if (text.length > maxMessageBytes) fail("its answer is too long")
    })
    connection.on("error", (error: NodeJS.ErrnoException) => {
      // No socket, or one that a killed agent left behind.
      if (error.code === "ENOENT" || error.code === "ECONNREFUSED") resolve(undefined)
      else fail("the connection broke", error)
    })
    connection.on("end", () => {
      try {
        resolve(JSON.parse(text) as AgentAnswer)
      } catch (cause) {
        fail("its answer is not understood", cause)
      }
    })
  })
}

/** HTTP as bytes on a socket: what no client library would send. */
import { connect, type Socket } from "node:net"

const WITHIN_MS = 20_000

export interface RawAnswer {
  readonly status: number
  readonly head: string
  readonly text: string
  /** Whether the server closed the connection. */
  readonly isClosed: boolean
}

export function openSocket(port: number): Socket {
  const socket = connect({ port, host: "127.0.0.1" })
  // A server may cut it while a test still writes.
  socket.on("error", () => undefined)
  return socket
}

/** Sends the bytes and reads until the server closes, or for `settleMs` without a byte. */
export function sendRaw(port: number, bytes: string | Buffer, settleMs = 500): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = openSocket(port)
    let text = ""
    let quiet = setTimeout(() => finish(false), WITHIN_MS)
    const finish = (isClosed: boolean): void => {
      clearTimeout(quiet)
      socket.destroy()
      const [head = ""] = text.split("\r\n\r\n", 1)
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0)
      if (isClosed || text !== "") resolve({ status, head, text, isClosed })
      else reject(new Error("the server neither answered nor closed"))
    }
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1")
      clearTimeout(quiet)
      quiet = setTimeout(() => finish(false), settleMs)
    })
    socket.on("close", () => finish(true))
    socket.write(bytes)
  })
}

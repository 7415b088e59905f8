/** The protocol of NATS over a bare socket: what a client library would not let one send. */
import { connect, type Socket } from "node:net"

export interface RawNats {
  /** From INFO. */
  readonly nonce: string
  /** Lines that came, INFO apart. */
  readonly lines: readonly string[]
  send(line: string): void
  /** Resolves to the first line that fits, or to "closed" when the server closes, or to "silence". */
  until(fits: RegExp, timeoutMs?: number): Promise<string>
  close(): void
}

/** Connects and reads INFO. */
export async function rawNats(port: number): Promise<RawNats> {
  const socket: Socket = connect(port, "127.0.0.1")
  const lines: string[] = []
  let rest = ""
  let isClosed = false
  socket.on("data", (bytes) => {
    const parts = (rest + bytes.toString("latin1")).split("\r\n")
    rest = parts.pop() ?? ""
    lines.push(...parts)
  })
  socket.on("error", () => {})
  socket.on("close", () => {
    isClosed = true
  })
  const until = async (fits: RegExp, timeoutMs = 3_000): Promise<string> => {
    const end = Date.now() + timeoutMs
    while (Date.now() < end) {
      const found = lines.find((line) => fits.test(line))
      if (found !== undefined) return found
      if (isClosed) return "closed"
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return "silence"
  }
  const info = JSON.parse((await until(/^INFO /)).slice(5)) as { readonly nonce?: string }
  lines.length = 0
  return {
    nonce: info.nonce ?? "",
    lines,
    send: (line) => socket.write(`${line}\r\n`),
    until,
    close: () => socket.destroy(),
  }
}

/** What becomes of a CONNECT: `PONG` when it is let in. */
export async function tryConnect(port: number, optionsOf: (nonce: string) => object): Promise<string> {
  const raw = await rawNats(port)
  try {
    raw.send(
      `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, lang: "raw", version: "1", protocol: 1, ...optionsOf(raw.nonce) })}`,
    )
    raw.send("PING")
    const line = await raw.until(/^(?:PONG|-ERR)/, 5_000)
    return line.startsWith("-ERR") ? "refused" : line
  } finally {
    raw.close()
  }
}

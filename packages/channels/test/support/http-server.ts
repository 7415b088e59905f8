/** HTTP, HTTPS and raw TCP servers on loopback for tests; each counts its connections and can be closed at once. */
import { createServer as createHttpServer, type RequestListener } from "node:http"
import { createServer as createHttpsServer } from "node:https"
import { createServer as createTcpServer, type Server, type Socket } from "node:net"
import type { Certificate } from "./certificates.ts"

export interface TestServer {
  readonly port: number
  /** `http://127.0.0.1:port` or `https://localhost:port`. */
  readonly origin: string
  readonly connections: number
  /** Connections open at this moment. */
  readonly open: number
  /** Resolves when no connection is open. */
  allClosed(): Promise<void>
  close(): Promise<void>
}

export function startHttpServer(listener: RequestListener): Promise<TestServer> {
  return listen(createHttpServer(listener), "http://127.0.0.1")
}

export function startHttpsServer(certificate: Certificate, listener: RequestListener): Promise<TestServer> {
  const { key, cert } = certificate
  return listen(createHttpsServer({ key, cert }, listener), "https://localhost")
}

/** Hands over each connection as it is; what it receives is read away, else its end would never be seen. */
export function startRawServer(onSocket: (socket: Socket) => void, scheme = "http"): Promise<TestServer> {
  return listen(
    createTcpServer((socket) => onSocket(socket.resume())),
    `${scheme}://127.0.0.1`,
  )
}

/** Listens on a free port of loopback. */
export async function listen(server: Server, origin: string): Promise<TestServer> {
  const sockets = new Set<Socket>()
  let connections = 0
  let whenClosed: (() => void)[] = []
  server.on("connection", (socket: Socket) => {
    connections += 1
    sockets.add(socket)
    socket.on("error", () => socket.destroy())
    socket.on("close", () => {
      sockets.delete(socket)
      if (sockets.size > 0) return
      for (const resolve of whenClosed) resolve()
      whenClosed = []
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return {
    port,
    origin: `${origin}:${port}`,
    get connections() {
      return connections
    },
    get open() {
      return sockets.size
    },
    allClosed: () => (sockets.size === 0 ? Promise.resolve() : new Promise((resolve) => whenClosed.push(resolve))),
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

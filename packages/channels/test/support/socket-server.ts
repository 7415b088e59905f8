/** WebSocket servers on loopback for tests. */
import { createServer as createHttpServer, type IncomingMessage } from "node:http"
import { createServer as createHttpsServer } from "node:https"
import { type WebSocket, WebSocketServer } from "ws"
import type { Certificate } from "./certificates.ts"
import { listen, type TestServer } from "./http-server.ts"

export interface SocketServerOptions {
  readonly certificate?: Certificate
  /** What stands for the upgrade instead of a WebSocket: raw text, such as a redirect. */
  readonly answer?: string
}

/** Hands over each WebSocket. Its origin is that of the web server: `http://127.0.0.1:port`. */
export function startSocketServer(
  onSocket: (socket: WebSocket, request: IncomingMessage) => void,
  { certificate, answer }: SocketServerOptions = {},
): Promise<TestServer> {
  const server = certificate === undefined ? createHttpServer() : createHttpsServer(certificate)
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: true })
  server.on("upgrade", (request, socket, head) => {
    if (answer !== undefined) socket.end(answer)
    else webSockets.handleUpgrade(request, socket, head, (webSocket) => onSocket(webSocket, request))
  })
  return listen(server, certificate === undefined ? "http://127.0.0.1" : "https://localhost")
}

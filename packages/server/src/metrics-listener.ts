/** /metrics on a listener of its own, by default on loopback: figures of a server are for who runs it. */
import { createServer, type Server } from "node:http"

const maxConnections = 16
const headersTimeoutMs = 10_000
const requestTimeoutMs = 20_000

export interface Figures {
  readonly contentType: string
  text(): Promise<string>
}

export function createMetricsServer(metrics: Figures): Server {
  const options = { headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs }
  const server = createServer(options, async (request, response) => {
    const isKnown = request.method === "GET" && request.url === "/metrics"
    if (!isKnown) return void response.writeHead(404).end()
    const text = await metrics.text().catch(() => undefined)
    if (text === undefined) return void response.writeHead(500).end()
    response.writeHead(200, { "content-type": metrics.contentType, "cache-control": "no-store" }).end(text)
  })
  server.maxConnections = maxConnections
  return server
}

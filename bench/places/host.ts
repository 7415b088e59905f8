/** Light hosts on loopback that answer late, as distant ones do, and count: HTTP of canned answers, and nostr relays. */
import { createServer, type Server } from "node:http"
import { setTimeout as wait } from "node:timers/promises"
import { WebSocketServer } from "ws"
import type { NostrEvent } from "../../packages/channels/src/nostr-event.ts"

/** What one host saw. */
export interface Visits {
  readonly host: string
  /** Answers that a caller had to wait for: requests, and with a relay the opening and the question. */
  requests: number
  /** The most requests, or conversations with a relay, that were not yet answered to their end. */
  mostAtOnce: number
}

export interface Answer {
  readonly type: string
  readonly body: string
}

export interface CannedHost {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  /** Path with query to what stands there; anything else is a 404. */
  readonly pages: Map<string, Answer>
  readonly visits: Visits
}

export interface Relay {
  /** `ws://127.0.0.1:PORT` */
  readonly url: string
  /** By author. */
  readonly events: Map<string, NostrEvent>
  readonly visits: Visits
}

export async function startHost(host: string, latencyMs: number): Promise<CannedHost> {
  const pages = new Map<string, Answer>()
  const { visits, enter, leave } = count(host)
  const server = createServer(async ({ url = "/" }, response) => {
    enter()
    visits.requests += 1
    await wait(latencyMs)
    leave()
    const page = pages.get(url)
    if (page === undefined) response.writeHead(404, { "content-type": "text/plain" }).end("not found")
    else response.writeHead(200, { "content-type": page.type }).end(page.body)
  })
  return { origin: `http://127.0.0.1:${await listen(server)}`, pages, visits }
}

/** The opening takes its time, and so does the question: two answers for each conversation. */
export async function startRelay(host: string, latencyMs: number): Promise<Relay> {
  const events = new Map<string, NostrEvent>()
  const { visits, enter, leave } = count(host)
  const server = createServer()
  const relay = new WebSocketServer({ noServer: true })
  server.on("upgrade", async (request, connection, head) => {
    enter()
    visits.requests += 1
    await wait(latencyMs)
    relay.handleUpgrade(request, connection, head, (socket) => {
      socket.on("message", async (data) => {
        const [, id, ...filters] = JSON.parse(String(data)) as [string, string, ...{ readonly authors: string[] }[]]
        visits.requests += 1
        await wait(latencyMs)
        const event = events.get(filters[0]?.authors[0] ?? "")
        if (event !== undefined) socket.send(JSON.stringify(["EVENT", id, event]))
        leave()
        socket.send(JSON.stringify(["EOSE", id]))
      })
    })
  })
  return { url: `ws://127.0.0.1:${await listen(server)}`, events, visits }
}

function count(host: string) {
  const visits: Visits = { host, requests: 0, mostAtOnce: 0 }
  let atOnce = 0
  const enter = () => {
    atOnce += 1
    visits.mostAtOnce = Math.max(visits.mostAtOnce, atOnce)
  }
  const leave = () => {
    atOnce -= 1
  }
  return { visits, enter, leave }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : 0
}

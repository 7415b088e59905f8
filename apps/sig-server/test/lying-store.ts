/** A feed as another store serves it, on loopback; what it serves, and how, is the test's to say. */
import { once } from "node:events"
import { createServer, type ServerResponse } from "node:http"
import { formatEnvelope, type SigchainEvent } from "@kez/core"

export interface FeedRow {
  readonly cursor: number
  readonly chain: string
  readonly text: string
}

export interface LyingStore {
  readonly url: string
  /** What it holds now, by cursor. */
  rows: readonly FeedRow[]
  /** Answers instead, where it returns true. */
  instead: ((response: ServerResponse, after: number) => boolean) | undefined
  /** `after` of each request so far. */
  readonly asked: number[]
  close(): Promise<void>
}

export async function startLyingStore(): Promise<LyingStore> {
  const server = createServer((request, response) => {
    const { searchParams, pathname } = new URL(request.url ?? "", "http://localhost")
    const after = Number(searchParams.get("after"))
    store.asked.push(after)
    if (store.instead?.(response, after) === true) return
    if (pathname !== "/base/v1/events") return void response.writeHead(404).end()
    const page = store.rows.filter(({ cursor }) => cursor > after).slice(0, Number(searchParams.get("limit")))
    response.writeHead(200, { "content-type": "application/jsonl" }).end(page.map(formatRow).join(""))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("unreachable: a TCP server has a port")
  const store: LyingStore = {
    url: `http://127.0.0.1:${address.port}/base`,
    rows: [],
    instead: undefined,
    asked: [],
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    },
  }
  return store
}

export function formatRow({ cursor, chain, text }: FeedRow): string {
  return `{"chain":"${chain}","cursor":${cursor},"event":${text}}\n`
}

/** Rows with cursors from `from` on. */
export function rowsOf(chain: string, events: readonly SigchainEvent[], from: number): readonly FeedRow[] {
  return events.map((event, i) => ({ cursor: from + i, chain, text: formatEnvelope(event) }))
}

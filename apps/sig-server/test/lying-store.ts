/** The feeds as another store serves them, on loopback; what it serves, and how, is the test's to say. */
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
  /** Its signed heads, by cursor. */
  heads: readonly FeedRow[]
  /** Answers instead, where it returns true. */
  instead: ((response: ServerResponse, after: number) => boolean) | undefined
  headsInstead: ((response: ServerResponse, after: number) => boolean) | undefined
  /** `after` of each request so far. */
  readonly asked: number[]
  readonly askedHeads: number[]
  close(): Promise<void>
}

export async function startLyingStore(): Promise<LyingStore> {
  const server = createServer((request, response) => {
    const { searchParams, pathname } = new URL(request.url ?? "", "http://localhost")
    const after = Number(searchParams.get("after"))
    const isHeads = pathname === "/base/v1/heads"
    if (!isHeads && pathname !== "/base/v1/events") return void response.writeHead(404).end()
    const asked = isHeads ? store.askedHeads : store.asked
    const instead = isHeads ? store.headsInstead : store.instead
    asked.push(after)
    if (instead?.(response, after) === true) return
    const rows = isHeads ? store.heads : store.rows
    const page = rows.filter(({ cursor }) => cursor > after).slice(0, Number(searchParams.get("limit")))
    const text = page.map((row) => formatRow(row, isHeads ? "head" : "event")).join("")
    response.writeHead(200, { "content-type": "application/jsonl" }).end(text)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("unreachable: a TCP server has a port")
  const store: LyingStore = {
    url: `http://127.0.0.1:${address.port}/base`,
    rows: [],
    heads: [],
    instead: undefined,
    headsInstead: undefined,
    asked: [],
    askedHeads: [],
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    },
  }
  return store
}

export function formatRow({ cursor, chain, text }: FeedRow, member: "event" | "head" = "event"): string {
  return `{"chain":"${chain}","cursor":${cursor},"${member}":${text}}\n`
}

/** Rows with cursors from `from` on. */
export function rowsOf(chain: string, events: readonly SigchainEvent[], from: number): readonly FeedRow[] {
  return events.map((event, i) => ({ cursor: from + i, chain, text: formatEnvelope(event) }))
}

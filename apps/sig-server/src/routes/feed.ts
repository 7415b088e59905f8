/** All events of the store, and its signed heads, in the order in which they came, for whoever mirrors it. SPEC STORE-12, STORE-16 */
import { Problem } from "@kez/server"
import type { FastifyReply } from "fastify"
import { maxFeedEvents, usualFeedEvents } from "../http-limits.ts"
import type { Deps, Request, Route } from "../route.ts"
import { feedLine, feedQuery, headFeedLine } from "../schemas.ts"
import { refusals } from "./refusals.ts"

export function feeds(deps: Deps): readonly Route[] {
  return [eventFeed(deps), headFeed(deps)]
}

function eventFeed({ storage }: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/v1/events",
      operation: "readFeed",
      summary: "Events after a cursor, losing branches included, as JSONL; empty where there are none yet",
      query: feedQuery,
      answers: {
        200: { description: "A line for each event", type: "application/jsonl", schema: feedLine },
        ...refusals(429),
      },
    },
    async handle(request, reply) {
      const { after, limit } = pageOf(request)
      return sendLines(reply, "event", await storage.eventsAfter(after, limit))
    },
  }
}

function headFeed({ storage, clock }: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/v1/heads",
      operation: "readHeads",
      summary: "Signed heads after a cursor that have not expired, of all chains, as JSONL; empty where there are none",
      query: feedQuery,
      answers: {
        200: { description: "A line for each head", type: "application/jsonl", schema: headFeedLine },
        ...refusals(429),
      },
    },
    async handle(request, reply) {
      const { after, limit } = pageOf(request)
      return sendLines(reply, "head", await storage.headsAfter(after, limit, Math.floor(clock.nowMs() / 1_000)))
    },
  }
}

function pageOf({ query }: Request): { readonly after: number; readonly limit: number } {
  const { after = "0", limit = String(usualFeedEvents) } = query
  if (Number(limit) <= maxFeedEvents) return { after: Number(after), limit: Number(limit) }
  throw new Problem({
    status: 400,
    code: "schema.value",
    detail: `Cannot read the feed: expected a limit of at most ${maxFeedEvents}`,
  })
}

interface Row {
  readonly cursor: number
  readonly chain: string
  readonly text: string
}

/** In JCS; envelopes go out as they are kept. */
function sendLines(reply: FastifyReply, member: "event" | "head", rows: readonly Row[]): FastifyReply {
  const lines = rows.map(({ cursor, chain, text }) => `{"chain":"${chain}","cursor":${cursor},"${member}":${text}}\n`)
  const headers = { "content-type": "application/jsonl", "cache-control": "no-cache" }
  return reply.headers(headers).send(Buffer.from(lines.join("")))
}

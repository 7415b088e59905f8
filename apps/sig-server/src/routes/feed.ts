/** All events of the store, in the order in which they came, for whoever mirrors it. SPEC STORE-12 */
import { maxFeedEvents, usualFeedEvents } from "../http-limits.ts"
import { Problem } from "../problem.ts"
import type { Deps, Route } from "../route.ts"
import { feedLine, feedQuery } from "../schemas.ts"
import { refusals } from "./refusals.ts"

export function eventFeed({ storage }: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/v1/events",
      operation: "readFeed",
      summary: "Events after a cursor, losing branches included, as JSONL; empty where there are none yet",
      query: feedQuery,
      answers: {
        200: { description: "A line for each event", type: "application/jsonl", schema: feedLine },
        ...refusals(),
      },
    },
    async handle(request, reply) {
      const { after = "0", limit = String(usualFeedEvents) } = request.query
      if (Number(limit) > maxFeedEvents) {
        throw new Problem({
          status: 400,
          code: "schema.value",
          detail: `Cannot read the feed: at most ${maxFeedEvents} events`,
        })
      }
      const events = await storage.eventsAfter(Number(after), Number(limit))
      const lines = events.map(({ cursor, chain, text }) => `{"chain":"${chain}","cursor":${cursor},"event":${text}}\n`)
      const headers = { "content-type": "application/jsonl", "cache-control": "no-cache" }
      return reply.headers(headers).send(Buffer.from(lines.join("")))
    },
  }
}

/** Changes of a chain as they happen, as server-sent events. SPEC STORE-11 */
import { Problem } from "@kez/server"
import type { FastifyReply } from "fastify"
import { findChain } from "../look-up.ts"
import type { Deps, Request, Route } from "../route.ts"
import { chainParams, streamMessage } from "../schemas.ts"
import { type Position, parsePosition } from "../stream-message.ts"
import { refusals } from "./refusals.ts"

export function chainStream(deps: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/v1/chains/:id/stream",
      operation: "watchChain",
      summary: "Events named head: where the chain ends, and what is new. Last-Event-ID, a seq, resumes",
      params: chainParams,
      answers: {
        200: { description: "Data of each event", type: "text/event-stream", schema: streamMessage },
        ...refusals(404, 409, 429),
      },
    },
    handle: (request, reply) => stream(deps, request, reply),
  }
}

async function stream(deps: Deps, request: Request, reply: FastifyReply): Promise<void> {
  const { service, streams } = deps
  const last = lastPosition(request)
  const { chain } = await findChain(service, request.params.id)
  if (deps.isDraining())
    throw new Problem({ status: 503, code: "net.busy", detail: "Cannot open the stream: about to stop" })
  // Gone already: nothing would tell us again, and its place would be taken for ever.
  if (reply.raw.destroyed) return void reply.hijack()
  streams.assertRoom(request.ip)
  const following = streams.open({ chain, address: request.ip, last }, reply.raw)
  reply.raw.once("close", following.stop)
  try {
    // Looked up again: from here on no change is missed.
    const view = await findChain(service, chain)
    reply.hijack()
    if (reply.raw.destroyed) return
    // Proxies would keep the messages back until they have enough of them.
    reply.raw.writeHead(200, {
      ...headersOf(reply),
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    })
    following.start(view)
  } catch (error) {
    following.stop()
    throw error
  }
}

function headersOf(reply: FastifyReply): Record<string, string | string[]> {
  const entries = Object.entries(reply.getHeaders())
  return Object.fromEntries(entries.map(([name, value]) => [name, Array.isArray(value) ? value : String(value)]))
}

function lastPosition({ headers }: Request): Position | undefined {
  const text = headers["last-event-id"]
  if (text === undefined || text === "") return undefined
  const position = typeof text === "string" ? parsePosition(text) : undefined
  if (position !== undefined) return position
  throw new Problem({ status: 400, code: "schema.value", detail: "Cannot resume: expected Last-Event-ID to be a seq" })
}

/** Adding to a chain: events, and signed heads. A signature by a key that the chain authorises is the only permission. SPEC STORE-8 to STORE-10 */
import type { RouteDoc } from "@kez/server"
import { Problem } from "@kez/server"
import type { FastifyReply } from "fastify"
import { appendEvent, appendedHeaders } from "../append-event.ts"
import { parseChainName } from "../chain-name.ts"
import { findChain } from "../look-up.ts"
import type { Deps, Request, Route } from "../route.ts"
import { appendAnswer, chainParams } from "../schemas.ts"
import { headClaim } from "../write-limits.ts"
import { refusals } from "./refusals.ts"

const oneEnvelope = { type: "object", description: "One envelope in JCS, at most 4000 bytes" } as const

export function chainWrites(deps: Deps, { takesPosts }: { readonly takesPosts: boolean }): readonly Route[] {
  const routes = [postEvent(deps), postHead(deps)]
  return takesPosts ? routes : routes.map(({ doc }) => ({ doc: refusedDoc(doc), handle: refusePost }))
}

function refusedDoc(doc: RouteDoc): RouteDoc {
  return { ...doc, answers: refusals(405, 413, 415) }
}

/** Its readers are to see what the other stores have, and nothing that only stands here. */
function refusePost(): Promise<never> {
  return Promise.reject(
    new Problem({
      status: 405,
      code: "publish.refused",
      detail: "Cannot take posts: this store only mirrors others; publish there",
      headers: { allow: "GET, HEAD" },
    }),
  )
}

function postEvent(deps: Deps): Route {
  return {
    doc: {
      method: "POST",
      url: "/v1/chains/:id/events",
      operation: "appendEvent",
      summary: "Stores one event. What is acknowledged survives a power cut",
      params: chainParams,
      body: oneEnvelope,
      answers: {
        200: {
          description: "The event is on the winning path already",
          type: "application/json",
          schema: appendAnswer,
        },
        201: { description: "Stored, on the winning path", type: "application/json", schema: appendAnswer },
        ...refusals(404, 409, 413, 415, 422, 429, 507),
      },
    },
    handle: (request, reply) => append(deps, request, reply),
  }
}

async function append(deps: Deps, request: Request, reply: FastifyReply): Promise<FastifyReply> {
  // A connection that ends meanwhile has no address any more.
  const posted = { name: request.params.id, body: bodyOf(request), address: request.ip }
  const { status, text } = await appendEvent(deps, posted, reply.raw)
  return reply.code(status).headers(appendedHeaders).send(text)
}

function postHead({ service, limits }: Deps): Route {
  return {
    doc: {
      method: "POST",
      url: "/v1/chains/:id/heads",
      operation: "publishHead",
      summary: "Keeps a signed head of the chain until it expires",
      params: chainParams,
      body: oneEnvelope,
      answers: { 204: { description: "Kept" }, ...refusals(404, 409, 413, 415, 422, 429, 507) },
    },
    async handle(request, reply) {
      const name = parseChainName(request.params.id)
      const body = bodyOf(request)
      limits.takeFromAddress(request.ip, reply.raw)
      const view = await findChain(service, name)
      const claim = headClaim(view)
      limits.assertRoom(claim, reply.raw)
      await service.postHead(view.chain, body)
      limits.spend(claim)
      return reply.code(204).send()
    },
  }
}

/** The bytes as they came. A request without a body has no content type to go by either. */
function bodyOf({ body }: Request): Buffer {
  if (Buffer.isBuffer(body)) return body
  throw new Problem({
    status: 415,
    code: "net.content_type",
    detail: "Cannot take the request: expected a body of content type application/json",
  })
}

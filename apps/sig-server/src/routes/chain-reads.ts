/** Reading a chain: its document, its end and its losing branches. SPEC STORE-5 to STORE-7 */
import type { FastifyReply } from "fastify"
import { answerOf, hasVersion, tailOf } from "../chain-answer.ts"
import { findChain } from "../look-up.ts"
import type { Deps, Request, Route } from "../route.ts"
import { chainParams, chainQuery, headAnswer } from "../schemas.ts"
import { refusals } from "./refusals.ts"

export function chainReads(deps: Deps): readonly Route[] {
  return [chainDocument(deps), chainHead(deps), chainForks(deps)]
}

function chainDocument({ service }: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/v1/chains/:id",
      operation: "readChain",
      summary: "The winning path as JSONL, or its tail from a seq on",
      params: chainParams,
      query: chainQuery,
      answers: {
        200: {
          description: "Envelopes in JCS, a line each; ETag is the digest of the last",
          type: "application/jsonl",
        },
        304: { description: "The reader has this version" },
        ...refusals(404, 409, 429),
      },
    },
    async handle(request, reply) {
      const view = await findChain(service, request.params.id)
      const { etag, headers, body } = answerOf(view)
      reply.headers(headers)
      if (hasVersion(request.headers["if-none-match"], etag)) return sendNotModified(reply)
      const { from } = request.query
      return reply.send(from === undefined ? body : tailOf(body, Number(from), view.replay.path.length))
    },
  }
}

function chainHead({ service }: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/v1/chains/:id/head",
      operation: "readHead",
      summary: "Where the chain ends, and the signed heads of it",
      params: chainParams,
      answers: {
        200: { description: "The end", type: "application/json", schema: headAnswer },
        ...refusals(404, 409, 429),
      },
    },
    async handle(request, reply) {
      const view = await findChain(service, request.params.id)
      const { chain, replay } = view
      const { status, contested, head } = replay
      const heads = await service.heads(chain)
      const end = JSON.stringify({ chain, ...head, status, contested, forks: answerOf(view).forks })
      // Envelopes go out as they are kept.
      return sendJson(reply, `${end.slice(0, -1)},"heads":[${heads.join(",")}]}`)
    },
  }
}

function chainForks({ service }: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/v1/chains/:id/forks",
      operation: "readForks",
      summary: "Evidence: events of losing branches and of undecided forks, as JSONL; empty where there are none",
      params: chainParams,
      answers: {
        200: { description: "Envelopes in JCS, a line each", type: "application/jsonl" },
        304: { description: "The reader has this version" },
        ...refusals(404, 409, 429),
      },
    },
    handle: (request, reply) => sendForks(request, reply, service),
  }
}

async function sendForks(request: Request, reply: FastifyReply, service: Deps["service"]): Promise<unknown> {
  const view = await findChain(service, request.params.id)
  // Events only become more, and which of them lose depends on them alone.
  const etag = `"${view.size}-${view.replay.head.digest}"`
  reply.headers({ ...answerOf(view).headers, etag })
  if (hasVersion(request.headers["if-none-match"], etag)) return sendNotModified(reply)
  const evidence = answerOf(view).forks === 0 ? undefined : await service.forks(view.chain)
  return reply.send(Buffer.from(evidence ?? []))
}

function sendNotModified(reply: FastifyReply): FastifyReply {
  return reply.code(304).removeHeader("content-type").send()
}

function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.headers({ "content-type": "application/json; charset=utf-8", "cache-control": "no-cache" }).send(text)
}

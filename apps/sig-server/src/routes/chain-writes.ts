/** Adding to a chain: events, and signed heads. A signature by a key that the chain authorises is the only permission. SPEC STORE-8 to STORE-10 */
import { isDigest } from "@kez/core"
import type { RouteDoc } from "@kez/server"
import { Problem, statusOf } from "@kez/server"
import type { FastifyReply } from "fastify"
import { parseChainName } from "../chain-name.ts"
import type { Appended, ChainView } from "../chain-service.ts"
import { findChain, severalChains } from "../look-up.ts"
import type { Deps, Request, Route } from "../route.ts"
import { appendAnswer, chainParams } from "../schemas.ts"
import { type Claim, chainClaim, genesisClaim, headClaim } from "../write-limits.ts"
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
  const { service, limits, metrics } = deps
  const name = parseChainName(request.params.id)
  const body = bodyOf(request)
  // A connection that ends meanwhile has no address any more.
  const { ip } = request
  limits.takeFromAddress(ip, reply.raw)
  if (!isDigest(name)) await assertOneChain(service, name)
  let claim = genesisClaim(ip)
  const outcome = await service.append(name, body, {
    admit(view) {
      if (view !== undefined) claim = chainClaim(view, body)
      limits.assertRoom(claim, reply.raw)
    },
  })
  metrics.appended(outcome.status)
  spendFor(outcome, claim, deps)
  return sendOutcome(reply, outcome)
}

/** Of a key: one that has several chains names none of them. */
async function assertOneChain(service: Deps["service"], key: string): Promise<void> {
  const found = await service.find(key)
  if (found.status === "several") throw severalChains(found.chains)
}

function spendFor(outcome: Appended, claim: Claim, { limits }: Deps): void {
  if (outcome.status === "stored" || outcome.status === "lost") limits.spend(claim)
}

function sendOutcome(reply: FastifyReply, outcome: Appended): FastifyReply {
  switch (outcome.status) {
    case "stored":
    case "known":
      return sendStored(reply, outcome)
    case "lost":
      throw lostRace(outcome.view)
    case "behind":
      throw conflict(outcome.view, outcome.refusal)
    case "refused": {
      const { code, message: detail, retryAfterSeconds } = outcome.refusal
      const headers = retryAfterSeconds === undefined ? {} : { "retry-after": String(Math.ceil(retryAfterSeconds)) }
      throw new Problem({ status: statusOf(code), code, detail, headers })
    }
  }
}

function sendStored(reply: FastifyReply, outcome: Appended & { status: "stored" | "known" | "lost" }): FastifyReply {
  const { view, digest, seq } = outcome
  const { head, status } = view.replay
  return reply
    .code(outcome.status === "stored" ? 201 : 200)
    .headers({ "content-type": "application/json; charset=utf-8", "cache-control": "no-store" })
    .send(JSON.stringify({ chain: view.chain, seq, digest, head, status }))
}

/** The event is valid and kept; who sent it has to look at what else is known, and to settle. */
function lostRace(view: ChainView): Problem {
  const isFork = view.replay.status === "fork"
  return new Problem({
    status: 409,
    code: isFork ? "chain.fork" : "chain.repeat",
    detail: isFork
      ? "Cannot put the event at the end: the chain is a fork now that nothing decides; the event is kept as evidence"
      : "Cannot put the event at the end: another branch wins; the event is kept as evidence",
    members: { kept: true, head: endOf(view) },
  })
}

function conflict(
  view: ChainView,
  { code, message }: { readonly code: Problem["code"]; readonly message: string },
): Problem {
  return new Problem({ status: 409, code, detail: message, members: { kept: false, head: endOf(view) } })
}

function endOf({ chain, replay }: ChainView): object {
  return { chain, seq: replay.head.seq, digest: replay.head.digest }
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

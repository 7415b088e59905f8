/** What a device is for this server, signed. The broker says *Authorization Violation* whatever is wrong; only this answer means revoked. SPEC §2.3 */
import {
  assertSignature,
  decodeEnvelope,
  envelopeDigest,
  formatEnvelope,
  formatTime,
  KezError,
  parseTime,
  signEnvelope,
} from "@kez/core"
import type { Deps, Route } from "../route.ts"
import * as schemas from "../schemas.ts"

const json = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" }

export function standing(deps: Deps): readonly Route[] {
  return [about(deps), ask(deps)]
}

function about({ domain, answerSigner, chat, told }: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/v1/server",
      operation: "server",
      summary: "The server's host, the key that signs its answers, and where its broker and stores are",
      answers: {
        200: { description: "What it is", type: "application/json", schema: schemas.serverAnswer },
        ...schemas.refusals(),
      },
    },
    handle: (_request, reply) =>
      Promise.resolve(
        reply
          .headers({ ...json, "cache-control": "no-cache" })
          .send(JSON.stringify({ host: domain, key: answerSigner.key, chat: chat !== undefined, ...told })),
      ),
  }
}

function ask({ domain, standings, answerSigner, clock }: Deps): Route {
  return {
    // Each costs two signatures, and may cost a look at the stores.
    limit: "standing",
    doc: {
      method: "POST",
      url: "/v1/standing",
      operation: "standing",
      summary: "Whether a device may connect to the broker, signed for it",
      body: schemas.standingBody,
      answers: {
        200: { description: "The signed answer", type: "application/json", schema: schemas.standingAnswer },
        ...schemas.refusals(413, 415, 422),
      },
    },
    async handle(request, reply) {
      const body = request.body
      if (!(body instanceof Uint8Array))
        throw new KezError("net.content_type", "Cannot take the body: expected content type application/json")
      const session = decodeEnvelope(body, "nats_session")
      const now = Math.floor(clock.nowMs() / 1_000)
      if (session.payload.audience !== domain)
        throw new KezError("auth.binding", `Cannot answer: expected a session for ${domain}`)
      if (parseTime(session.payload.expires_at) <= now)
        throw new KezError("auth.time", "Cannot answer: the session has expired")
      assertSignature(session)
      const device = session.signature.key
      const { standing: code } = await standings.judge(session.payload.chain, device)
      if (code === "silent") {
        throw new KezError(
          "chain.unreachable",
          "Cannot say now: a sigchain store that this server asks does not answer",
          {
            hint: "Try again in a moment.",
          },
        )
      }
      const payload = {
        type: "kez.chat.server_answer",
        version: 1,
        audience: device,
        request: envelopeDigest(session),
        code,
        created_at: formatTime(now),
      } as const
      const answer = await signEnvelope("server_answer", payload, answerSigner)
      return reply.headers(json).send(`{"answer":${formatEnvelope(answer)}}`)
    },
  }
}

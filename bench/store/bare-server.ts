/**
 * What the store is compared with. `hello`: node:http and five bytes. `verify`: Fastify as the store sets it up, which reads an event,
 * checks its signature, answers as many bytes as the store, and keeps nothing. `front`: the store's own HTTP side over a service that does
 * the same. Prints its URL; ends when its standard input does.
 */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { assertSignature, envelopeDigest, parseChainLine } from "@kez/core"
import { fastify } from "fastify"
import * as bounds from "../../apps/sig-server/src/http-limits.ts"
import { chainParams } from "../../apps/sig-server/src/schemas.ts"
import { makeChain } from "../../apps/sig-server/test/chain-maker.ts"
import { makeApp } from "../../apps/sig-server/test/support/test-app.ts"

const starts: Readonly<Record<string, () => Promise<string>>> = {
  hello: startHello,
  verify: startVerifier,
  front: startFront,
}
process.stdout.write(`${await starts[process.argv[2] ?? ""]?.()}\n`)
process.stdin.resume().on("end", () => process.exit())

function startHello(): Promise<string> {
  const server = createServer((_request, response) => response.end("hello"))
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  })
}

function startVerifier(): Promise<string> {
  const http = fastify({ logger: false, bodyLimit: bounds.maxBodyBytes, routerOptions: { maxParamLength: 200 } })
  http.removeAllContentTypeParsers()
  http.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => done(null, body))
  http.post<{ Params: { readonly id: string }; Body: Buffer }>(
    "/v1/chains/:id/events",
    { schema: { params: chainParams } },
    async ({ params, body }, reply) => {
      const event = parseChainLine(body)
      assertSignature(event)
      const digest = envelopeDigest(event)
      const { seq } = event.payload
      return reply
        .code(201)
        .headers({ "content-type": "application/json; charset=utf-8", "cache-control": "no-store" })
        .send(JSON.stringify({ chain: params.id, seq, digest, head: { seq, digest }, status: "valid" }))
    },
  )
  return http.listen({ host: "127.0.0.1", port: 0 })
}

async function startFront(): Promise<string> {
  const off = { burst: 0, perHour: 0 }
  const { http, store } = makeApp({
    maxConnections: 4_000,
    writes: { chain: off, ip: off, genesis: off },
    reads: { burst: 1_000_000_000, perHour: 0 },
  })
  const { replay } = await makeChain("front", 1)
  // What the answer tells of the chain, as long as for any other.
  const view = { chain: replay.chain, replay, document: new Uint8Array(), size: 1 }
  store.service.append = async (_id, text, options) => {
    options?.admit?.(view)
    const event = parseChainLine(text)
    assertSignature(event)
    return { status: "stored", view, digest: envelopeDigest(event), seq: event.payload.seq }
  }
  return http.listen({ host: "127.0.0.1", port: 0 })
}

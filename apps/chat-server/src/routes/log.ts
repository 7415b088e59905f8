/** The log over HTTP: its key, its newest checkpoint, its tiles, and proofs that it only grew. SPEC §7.8, https://c2sp.org/tlog-tiles */
import { encodeBase64, encodeBundle, hasTile, tileHeight, tileWidth, tryParseTilePath } from "@kez/core/tlog"
import { Problem } from "@kez/server"
import { hashesBetween, leavesBetween, logSize } from "../directory/log.ts"
import { strictQuery } from "../query.ts"
import { badName } from "../refusal.ts"
import type { Deps, Route } from "../route.ts"
import * as schemas from "../schemas.ts"

const plain = "text/plain; charset=utf-8"
const forever = "public, max-age=31536000, immutable"

export function directoryLog(deps: Deps): readonly Route[] {
  return [key(deps), checkpoint(deps), consistency(deps), tile(deps)]
}

function key({ directory }: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/v1/log/key",
      operation: "logKey",
      summary: "The key that signs checkpoints, as NAME+ID+KEY of c2sp.org/signed-note",
      answers: { 200: { description: "The key", type: "text/plain" }, ...schemas.refusals() },
    },
    handle: (_request, reply) => Promise.resolve(reply.headers({ "content-type": plain }).send(`${directory.key}\n`)),
  }
}

function checkpoint({ directory }: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/v1/log/checkpoint",
      operation: "checkpoint",
      summary: "The size and the root of the log now, signed (c2sp.org/tlog-checkpoint)",
      answers: { 200: { description: "A signed note", type: "text/plain" }, ...schemas.refusals() },
    },
    handle: async (_request, reply) =>
      reply.headers({ "content-type": plain, "cache-control": "no-cache" }).send(await directory.checkpoint()),
  }
}

function consistency({ directory }: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/v1/log/consistency",
      operation: "consistency",
      summary: "The proof that the log of one size begins with that of another (RFC 9162 §2.1.4)",
      query: schemas.object({ first: { type: "string" }, second: { type: "string" } }),
      answers: {
        200: { description: "The proof", type: "application/json", schema: schemas.consistencyAnswer },
        ...schemas.refusals(),
      },
    },
    async handle(request, reply) {
      const query = strictQuery(request)
      const [first, second] = [countIn(query.get("first")), countIn(query.get("second"))]
      const path = await directory.consistency(first, second).catch((error: unknown) => {
        throw badName(error)
      })
      return reply.send({ first, second, proof: path.map(encodeBase64) })
    },
  }
}

function countIn(texts: readonly string[] | undefined): number {
  const [text = "", ...more] = texts ?? []
  if (more.length === 0 && /^(?:0|[1-9][0-9]{0,14})$/.test(text)) return Number(text)
  throw new Problem({
    status: 400,
    code: "schema.value",
    detail: "Cannot prove that: expected two sizes, first and second",
  })
}

function tile({ database }: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/v1/log/tile/*",
      operation: "tile",
      summary: "256 hashes of a level, or 256 entries (entries/…): pieces that never change",
      params: schemas.object({
        "*": { type: "string", description: "LEVEL/INDEX or entries/INDEX, .p/WIDTH behind for a part" },
      }),
      answers: {
        200: { description: "The tile", type: "application/octet-stream" },
        ...schemas.refusals(404),
      },
    },
    async handle(request, reply) {
      const asked = tryParseTilePath(`tile/${request.params["*"] ?? ""}`)
      if (asked === undefined)
        throw new Problem({
          status: 400,
          code: "schema.value",
          detail: "Cannot read the path: expected that of a tile",
        })
      if (!hasTile(await logSize(database), asked))
        throw new Problem({ status: 404, code: "store.unknown", detail: "The log has no such tile yet" })
      const range = { start: asked.index * tileWidth, end: asked.index * tileWidth + asked.width }
      const bytes =
        asked.level === "entries"
          ? encodeBundle(
              (await leavesBetween(database, range)).map(({ statement }) => new TextEncoder().encode(statement)),
            )
          : Buffer.concat(await hashesBetween(database, asked.level * tileHeight, range))
      return reply
        .headers({ "content-type": "application/octet-stream", "cache-control": forever })
        .send(Buffer.from(bytes))
    },
  }
}

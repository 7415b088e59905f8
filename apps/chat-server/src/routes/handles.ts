/** Handles over HTTP: registering, moving, giving up, looking up. SPEC §7.8. */
import { formatTime, isDigest, type Json, KezError, parseJson, parseKeyIdentity } from "@kez/core"
import { didKeyOf, parseHandle } from "@kez/core/directory"
import { Problem } from "@kez/server"
import type { FastifyReply } from "fastify"
import type { Changed, HandleView } from "../directory/service.ts"
import { badName, refusalOf } from "../refusal.ts"
import type { Deps, Request, Route } from "../route.ts"
import * as schemas from "../schemas.ts"

/** Leaves of one answer; handles of one answer. */
const maxHistory = 100
const maxHandles = 100

const json = "application/json; charset=utf-8"

export function handles(deps: Deps): readonly Route[] {
  return [...changes(deps), lookUp(deps), history(deps), byPrimary(deps)]
}

function changes(deps: Deps): readonly Route[] {
  const route = (what: "register" | "move" | "release", summary: string, body: object): Route => ({
    limit: "write",
    doc: {
      method: "POST",
      url: `/v1/${what}`,
      operation: what,
      summary,
      body: body as Readonly<Record<string, unknown>>,
      answers: {
        200: { description: "It is so already", type: "application/json", schema: schemas.handleAnswer },
        201: { description: "Done: it is in the log", type: "application/json", schema: schemas.handleAnswer },
        ...schemas.refusals(403, 404, 409, 413, 415, 422, 507),
      },
    },
    handle: (request, reply) => change(deps, what, { request, reply }),
  })
  return [
    route(
      "register",
      "Registers a handle for a chain that lists it. What is acknowledged survives a power cut",
      schemas.registerBody,
    ),
    route(
      "move",
      "Moves a handle to another one, here or elsewhere; the old one stays taken for good",
      schemas.moveBody,
    ),
    route("release", "Gives a handle up; only the same chain can take it back", schemas.releaseBody),
  ]
}

async function change(
  { directory, domain, metrics }: Deps,
  what: "register" | "move" | "release",
  { request, reply }: { readonly request: Request; readonly reply: FastifyReply },
): Promise<FastifyReply> {
  const body = request.body
  if (!(body instanceof Uint8Array))
    throw new KezError("net.content_type", "Cannot take the body: expected content type application/json")
  try {
    const changed: Changed = await directory[what](body)
    metrics.changed(what, changed.status)
    return reply
      .code(changed.status === "made" ? 201 : 200)
      .headers({ "content-type": json, "cache-control": "no-store" })
      .send(JSON.stringify(recordOf(changed.view, domain)))
  } catch (error) {
    const problem = refusalOf(error)
    metrics.changed(what, problem.code)
    throw problem
  }
}

/** Of a registered handle the record of SPEC KEZ-3; of another the statement by which it was given up. */
function recordOf({ row, statement, proof }: HandleView, domain: string): Readonly<Record<string, Json>> {
  const { handle, state, chain, primary, chainUrl, movedTo, registeredAt } = row
  const signed = parseJson(statement)
  return {
    handle,
    host: domain,
    subject: `kez:${handle}@${domain}`,
    chain,
    primary,
    did: didKeyOf(primary),
    registered_at: formatTime(registeredAt),
    ...(chainUrl === undefined ? {} : { chain_url: chainUrl }),
    ...(movedTo === undefined ? {} : { moved_to: movedTo }),
    ...(state === "registered" ? { registration: signed } : { statement: signed }),
    // Lines, since strict JSON has no line feeds in texts.
    proof: proof.split("\n").slice(0, -1),
  }
}

function lookUp({ directory, domain }: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/v1/handles/:handle",
      operation: "lookUp",
      summary: "Who has a handle: the signed registration, and the proof that it is in the log",
      params: schemas.handleParams,
      answers: {
        200: { description: "Registered", type: "application/json", schema: schemas.handleAnswer },
        ...schemas.refusals(404, 410),
      },
    },
    async handle(request, reply) {
      const handle = handleIn(request)
      const view = await directory.find(handle)
      if (view === undefined) throw unknownHandle(handle, domain)
      const record = recordOf(view, domain)
      if (view.row.state !== "registered") throw givenUp(view, record)
      return reply.headers({ "content-type": json, "cache-control": "no-cache" }).send(JSON.stringify(record))
    },
  }
}

function givenUp({ row: { handle, movedTo } }: HandleView, record: Readonly<Record<string, unknown>>): Problem {
  const where = movedTo === undefined ? "was given up by its owner" : `moved to ${movedTo}`
  return new Problem({ status: 410, code: "handle.released", detail: `${handle} ${where}`, members: record })
}

export function unknownHandle(handle: string, domain: string): Problem {
  return new Problem({ status: 404, code: "store.unknown", detail: `${domain} knows no ${handle}` })
}

function history({ directory, domain }: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/v1/handles/:handle/history",
      operation: "history",
      summary: `The newest ${maxHistory} entries of the log about a handle, oldest first`,
      params: schemas.handleParams,
      answers: {
        200: { description: "Its entries", type: "application/json", schema: schemas.historyAnswer },
        ...schemas.refusals(404),
      },
    },
    async handle(request, reply) {
      const handle = handleIn(request)
      const leaves = await directory.history(handle, maxHistory)
      if (leaves.length === 0) throw unknownHandle(handle, domain)
      const shown = leaves.map(({ statement, proof }) => ({
        statement: parseJson(statement),
        proof: proof.split("\n").slice(0, -1),
      }))
      return reply.headers({ "content-type": json }).send(JSON.stringify({ handle, host: domain, leaves: shown }))
    },
  }
}

function byPrimary({ directory, domain }: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/v1/by-primary/:id",
      operation: "byPrimary",
      summary: "Handles of a chain, by its id or by a key that is or was its primary",
      params: schemas.object({ id: { type: "string" } }),
      answers: {
        200: { description: "Its handles here", type: "application/json", schema: schemas.primaryAnswer },
        ...schemas.refusals(404),
      },
    },
    async handle(request, reply) {
      const { id = "" } = request.params
      assertIdentity(id)
      const rows = await directory.findByPrimary(id, maxHandles)
      if (rows.length === 0)
        throw new Problem({ status: 404, code: "store.unknown", detail: `${domain} knows no handle of that key` })
      const found = rows.map(({ handle, chain, primary }) => ({ handle, host: domain, chain, did: didKeyOf(primary) }))
      return reply.headers({ "content-type": json }).send(JSON.stringify({ handles: found }))
    },
  }
}

function assertIdentity(id: string): void {
  if (isDigest(id)) return
  try {
    parseKeyIdentity(id)
  } catch (error) {
    throw badName(error)
  }
}

export function handleIn({ params: { handle = "" } }: Request): string {
  try {
    return parseHandle(handle)
  } catch (error) {
    throw badName(error)
  }
}

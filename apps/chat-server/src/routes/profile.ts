/** `/@handle`: a page for people, whose rel="me" links other places check. */
import { KezError } from "@kez/core"
import { parseHandle } from "@kez/core/directory"
import { absentPage, profilePage } from "../profile/page.ts"
import { pagePolicy } from "../profile/style.ts"
import type { Deps, Route } from "../route.ts"
import * as schemas from "../schemas.ts"

const headers = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": pagePolicy,
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "interest-cohort=()",
  "x-frame-options": "DENY",
  "cache-control": "max-age=60",
} as const

export function profile({ directory, chains, domain, baseUrl }: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/@:handle",
      operation: "profile",
      summary: 'A page about a handle, with rel="me" links to the accounts that its chain lists',
      params: schemas.handleParams,
      answers: {
        200: { description: "The page", type: "text/html" },
        404: { description: "A page that says that nobody has the handle", type: "text/html" },
        410: { description: "A page that says where it went", type: "text/html" },
      },
    },
    async handle(request, reply) {
      reply.headers(headers)
      const handle = tryHandle(request.params["handle"] ?? "")
      const row = handle === undefined ? undefined : (await directory.find(handle))?.row
      if (row === undefined) {
        return reply.code(404).send(absentPage({ title: "Nobody here", text: `${domain} knows no such handle.` }))
      }
      if (row.state !== "registered") {
        const where =
          row.movedTo === undefined ? "was given up by its owner. Nobody else can have it." : `is now ${row.movedTo}.`
        return reply.code(410).send(absentPage({ title: `@${row.handle}`, text: `@${row.handle} ${where}` }))
      }
      return reply.send(profilePage({ row, domain, baseUrl, chain: await chains.tryShow(row.chain) }))
    },
  }
}

function tryHandle(typed: string): string | undefined {
  try {
    return parseHandle(typed)
  } catch (error) {
    if (error instanceof KezError) return undefined
    throw error
  }
}

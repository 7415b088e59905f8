/** /openapi.json: made once, from the routes beside it and from itself. */

import type { RouteDoc } from "@kez/server"
import { createOpenApi } from "@kez/server"
import { maxBodyBytes } from "../http-limits.ts"
import type { Route } from "../route.ts"
import { version } from "../version.ts"

const doc: RouteDoc = {
  method: "GET",
  url: "/openapi.json",
  operation: "openapi",
  summary: "This document",
  answers: { 200: { description: "OpenAPI 3.1", type: "application/json", schema: { type: "object" } } },
}

export function openApiDocument(others: readonly RouteDoc[], baseUrl: string | undefined): Route {
  const text = JSON.stringify(
    createOpenApi([...others, doc], {
      title: "kez-sig-server",
      version,
      summary: "A store for sigchains. It is trusted by nobody: readers check everything that it serves.",
      baseUrl,
      maxBodyBytes,
    }),
  )
  const headers = { "content-type": "application/json; charset=utf-8", "cache-control": "no-cache" }
  return { doc, handle: (_request, reply) => Promise.resolve(reply.headers(headers).send(text)) }
}

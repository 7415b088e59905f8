/** /openapi.json: made once, from the routes beside it and from itself. */
import { createOpenApi } from "../openapi.ts"
import type { Route, RouteDoc } from "../route.ts"

const doc: RouteDoc = {
  method: "GET",
  url: "/openapi.json",
  operation: "openapi",
  summary: "This document",
  answers: { 200: { description: "OpenAPI 3.1", type: "application/json", schema: { type: "object" } } },
}

export function openApiDocument(others: readonly RouteDoc[], baseUrl: string | undefined): Route {
  const text = JSON.stringify(createOpenApi([...others, doc], baseUrl))
  const headers = { "content-type": "application/json; charset=utf-8", "cache-control": "no-cache" }
  return { doc, handle: (_request, reply) => Promise.resolve(reply.headers(headers).send(text)) }
}

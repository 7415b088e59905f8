/** The refusals that routes share, as /openapi.json tells them. */
import type { Answer } from "@kez/server"
import { problem } from "../schemas.ts"

const meanings = {
  400: "The name of the chain, the query or the HTTP is not as it should be",
  404: "No such chain",
  405: "A mirror: it takes no posts",
  408: "The request did not arrive in time",
  409: "A fork, or a primary that has several chains",
  413: "The body is longer than an envelope",
  415: "Another content type than application/json",
  422: "What was sent is not valid: the code is the one that the library gives",
  429: "Too much from this address or for this chain; Retry-After says when to come back",
  431: "The headers are too long",
  500: "A defect, or stored data that is damaged",
  503: "Busy, or about to stop; Retry-After says when to come back",
  507: "There is no room for more. Reading goes on",
} as const

export function refusals(...statuses: ReadonlyArray<keyof typeof meanings>): Readonly<Record<number, Answer>> {
  const all = new Set<keyof typeof meanings>([400, ...statuses, 408, 431, 500, 503])
  return Object.fromEntries(
    [...all].map((status) => [
      status,
      { description: meanings[status], type: "application/problem+json", schema: problem } as const,
    ]),
  )
}

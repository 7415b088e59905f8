/** JSON schemas (2020-12) of requests and answers, as /openapi.json shows them. What comes in is checked by core, strictly. */
import { codes } from "@kez/core"
import type { Answer, JsonSchema } from "@kez/server"

export function object(
  properties: Readonly<Record<string, JsonSchema>>,
  required = Object.keys(properties),
): JsonSchema {
  return { type: "object", properties, required }
}

const text: JsonSchema = { type: "string" }
const digest: JsonSchema = { type: "string", pattern: "^sha256:[0-9a-f]{64}$" }
const handle: JsonSchema = {
  type: "string",
  pattern: "^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$",
  minLength: 3,
  maxLength: 30,
}
const envelope: JsonSchema = {
  type: "object",
  description: "A signed statement; its JCS is what is in the log. SPEC §2",
}
const proof: JsonSchema = {
  type: "array",
  items: text,
  description: "Lines of a c2sp.org/tlog-proof, the signed checkpoint at their end",
}
const hashes: JsonSchema = { type: "array", items: text, description: "Hashes in base64" }

const accompanying = {
  chain: { ...text, description: "The chain as kez:zc1:…, where this server's stores may not have it yet" },
  chain_url: { ...text, description: "Where others find the chain: an https URL" },
  invitation: { ...text, description: "A code of an admin, where the server asks for one" },
}
export const registerBody = object({ registration: envelope, ...accompanying }, ["registration"])
export const moveBody = object({ move: envelope, registration: envelope, ...accompanying }, ["move"])
export const releaseBody = object({ release: envelope, ...accompanying }, ["release"])

export const handleParams = object({ handle: { ...text, description: "Upper case is folded" } })
export const handleAnswer = object(
  {
    handle,
    host: text,
    subject: text,
    chain: digest,
    primary: text,
    did: { ...text, description: "did:key of the primary" },
    registered_at: text,
    chain_url: text,
    registration: envelope,
    proof,
  },
  ["handle", "host", "subject", "chain", "primary", "did", "registered_at", "registration", "proof"],
)
export const historyAnswer = object({
  handle,
  host: text,
  leaves: { type: "array", items: object({ statement: envelope, proof }) },
})
export const primaryAnswer = object({
  handles: { type: "array", items: object({ handle, host: text, chain: digest, did: text }) },
})
export const consistencyAnswer = object({ first: { type: "integer" }, second: { type: "integer" }, proof: hashes })
export const jrd = object(
  {
    subject: text,
    aliases: { type: "array", items: text },
    properties: { type: "object" },
    links: { type: "array", items: object({ rel: text, type: text, href: text }, ["rel"]) },
  },
  ["subject", "links"],
)
export const nostrAnswer = object({ names: { type: "object", additionalProperties: text } })

export const standingBody = { ...envelope, description: "A nats_session, signed by the device that asks" }
export const standingAnswer = object({
  answer: {
    ...envelope,
    description:
      "A server_answer for the device, about this request. Its code: current, revoked, suspended, unknown, unregistered",
  },
})
export const serverAnswer = object({
  host: text,
  key: { ...text, description: "Key identity: signs answers of /v1/standing" },
  chat: { type: "boolean", description: "Whether it has a broker" },
  broker: { type: "array", items: text, description: "URLs of the broker" },
  stores: { type: "array", items: text, description: "Sigchain stores that it asks" },
  relays: { type: "array", items: text, description: "Relays for files, for those who choose them" },
})

export const problem: JsonSchema = object(
  {
    type: text,
    title: text,
    status: { type: "integer", minimum: 400, maximum: 599 },
    detail: text,
    code: { enum: codes },
    hint: text,
    handle,
    host: text,
    moved_to: text,
    statement: envelope,
    proof,
  },
  ["type", "title", "status", "detail", "code"],
)

const meanings = {
  400: "The path, the query or the HTTP is not as it should be",
  403: "The server takes nobody new, or asks for an invitation",
  404: "Not known here",
  408: "The request did not arrive in time",
  409: "Somebody has the handle, or one that reads like it; or the chain is a fork, or has another handle here",
  410: "Given up or moved: with the statement, and the proof that it is in the log",
  413: "The body is too long",
  415: "Another content type than application/json",
  422: "What was sent is not valid: the code says why",
  429: "Too much from this address; Retry-After says when to come back",
  431: "The headers are too long",
  500: "A defect, or stored data that is damaged",
  503: "Busy, about to stop, or a sigchain store does not answer; Retry-After says when to come back",
  507: "There is no room for more. Reading goes on",
} as const

/** The refusals that routes share. */
export function refusals(...statuses: ReadonlyArray<keyof typeof meanings>): Readonly<Record<number, Answer>> {
  const all = new Set<keyof typeof meanings>([400, ...statuses, 408, 429, 431, 500, 503])
  return Object.fromEntries(
    [...all].map((status) => [
      status,
      { description: meanings[status], type: "application/problem+json", schema: problem } as const,
    ]),
  )
}

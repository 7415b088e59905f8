/** JSON schemas (2020-12) of requests and answers. They validate what comes in and are what /openapi.json shows. SPEC §8 */
import { codes } from "@kez/core"
import type { JsonSchema } from "@kez/server"
import { chainNamePattern } from "./chain-name.ts"
import { maxFeedEvents } from "./http-limits.ts"

function object(properties: Readonly<Record<string, JsonSchema>>, required = Object.keys(properties)): JsonSchema {
  return { type: "object", properties, required }
}

const digest: JsonSchema = { type: "string", pattern: "^sha256:[0-9a-f]{64}$" }
const count: JsonSchema = { type: "integer", minimum: 0 }
const envelope: JsonSchema = { type: "object", description: "An envelope; its JCS is what was signed. SPEC §2" }
const status: JsonSchema = {
  enum: ["ok", "fork"],
  description: "fork: a split that nothing decides; the end is that of the common part",
}

export const chainName: JsonSchema = {
  type: "string",
  pattern: chainNamePattern,
  description: "A chain id, or the key identity of any primary that the chain ever had",
}
export const chainParams = object({ id: chainName })

/** As texts, with one spelling each: `01`, `+1` and `1e3` are refused. */
export const chainQuery = object({ from: { type: "string", pattern: "^(?:0|[1-9][0-9]{0,4})$" } }, [])
export const feedQuery = object(
  {
    after: {
      type: "string",
      pattern: "^(?:0|[1-9][0-9]{0,14})$",
      description: "The last cursor that was seen; 0 at first",
    },
    limit: { type: "string", pattern: "^[1-9][0-9]{0,3}$", description: `At most ${maxFeedEvents}` },
  },
  [],
)

export const position = object({ seq: count, digest })
export const chainEnd = object({ chain: digest, seq: count, digest })
export const headAnswer = object({
  chain: digest,
  seq: count,
  digest,
  status,
  contested: { type: "boolean", description: "A fork that the rules decided" },
  forks: { ...count, description: "Events known beside the winning path" },
  heads: { type: "array", items: envelope, description: "Signed heads that still count, newest first" },
})
export const appendAnswer = object({ chain: digest, seq: count, digest, head: position, status })
export const streamMessage = object(
  {
    chain: digest,
    seq: count,
    digest,
    status,
    forks: count,
    from: { ...count, description: "The seq of the first event that is new" },
    events: { type: "array", items: envelope, description: "Absent where they are too many: read them with ?from=" },
  },
  ["chain", "seq", "digest", "status", "forks", "from"],
)
const cursor: JsonSchema = { type: "integer", minimum: 1 }
export const feedLine = object({ cursor, chain: digest, event: envelope })
export const headFeedLine = object({ cursor, chain: digest, head: envelope })

export const problem: JsonSchema = object(
  {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer", minimum: 400, maximum: 599 },
    detail: { type: "string" },
    code: { enum: codes },
    hint: { type: "string" },
    head: chainEnd,
    kept: { type: "boolean", description: "The event is valid, and kept as evidence of a fork" },
    chains: { type: "array", items: digest, description: "The chains of a primary that has several" },
  },
  ["type", "title", "status", "detail", "code"],
)

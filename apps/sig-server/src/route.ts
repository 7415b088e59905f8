/** One route: what it answers, for /openapi.json and for the tests that hold it to that, and the function that does it. */
import type { FastifyReply, FastifyRequest } from "fastify"
import type { ChainService } from "./chain-service.ts"
import type { Log } from "./log.ts"
import type { Metrics } from "./metrics.ts"
import type { JsonSchema } from "./schemas.ts"
import type { Storage } from "./storage/storage.ts"
import type { StreamHub } from "./streams.ts"
import type { WriteLimits } from "./write-limits.ts"

export interface Clock {
  /** Unix milliseconds. */
  nowMs(): number
}

/** What handlers work with. */
export interface Deps {
  readonly service: ChainService
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly limits: WriteLimits
  readonly streams: StreamHub
  /** Whether the process has been told to stop. */
  isDraining(): boolean
}

export interface Answer {
  readonly description: string
  /** Without it, the answer has no body. */
  readonly type?:
    | "application/json"
    | "application/jsonl"
    | "application/problem+json"
    | "text/event-stream"
    | "text/plain"
  readonly schema?: JsonSchema
}

export interface RouteDoc {
  readonly method: "GET" | "POST"
  /** As Fastify writes it: `/v1/chains/:id`. */
  readonly url: string
  /** Its name in clients that are generated. */
  readonly operation: string
  readonly summary: string
  readonly params?: JsonSchema
  readonly query?: JsonSchema
  /** Of the envelope that is posted. */
  readonly body?: JsonSchema
  readonly answers: Readonly<Record<number, Answer>>
}

export interface Exchange {
  Params: { readonly id: string }
  Querystring: { readonly from?: string; readonly after?: string; readonly limit?: string }
}

export type Request = FastifyRequest<Exchange>

export interface Route {
  readonly doc: RouteDoc
  readonly handle: (request: Request, reply: FastifyReply) => Promise<unknown>
}

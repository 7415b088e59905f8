/** One route: what it answers, for /openapi.json and for the tests that hold it to that, and the function that does it. */

import type { RouteDoc } from "@kez/server"
import type { Log } from "@kez/server/log"
import type { FastifyReply, FastifyRequest } from "fastify"
import type { ChainService } from "./chain-service.ts"
import type { Metrics } from "./metrics.ts"
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

export interface Exchange {
  Params: { readonly id: string }
  Querystring: { readonly from?: string; readonly after?: string; readonly limit?: string }
}

export type Request = FastifyRequest<Exchange>

export interface Route {
  readonly doc: RouteDoc
  readonly handle: (request: Request, reply: FastifyReply) => Promise<unknown>
}

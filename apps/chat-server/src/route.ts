/** One route: what it answers, for /openapi.json, and the function that does it. */

import type { Signer } from "@kez/core"
import type { RouteDoc } from "@kez/server"
import type { Log } from "@kez/server/log"
import type { FastifyReply, FastifyRequest } from "fastify"
import type { AddressLimit } from "./address-limits.ts"
import type { ChatService } from "./broker/chat-service.ts"
import type { Standings } from "./broker/standing.ts"
import type { Told } from "./config.ts"
import type { ChainSource } from "./directory/chains.ts"
import type { Directory } from "./directory/service.ts"
import type { Metrics } from "./metrics.ts"
import type { Database } from "./storage/database.ts"

/** What handlers work with. */
export interface Deps {
  readonly directory: Directory
  readonly chains: ChainSource
  readonly database: Database
  readonly standings: Standings
  /** Signs what is said about a device. */
  readonly answerSigner: Signer
  /** Undefined: there is no broker. */
  readonly chat: Pick<ChatService, "isReady"> | undefined
  /** The host of the handles: `alice@domain`. */
  readonly domain: string
  /** By which others reach the server, without a slash at its end. */
  readonly baseUrl: string
  /** Where clients find what they need: URLs. */
  readonly told: Told
  readonly clock: { nowMs(): number }
  readonly log: Log
  readonly metrics: Metrics
  /** Whether the process has been told to stop. */
  isDraining(): boolean
}

export interface Exchange {
  Params: Readonly<Record<string, string>>
  Body: Uint8Array | undefined
}

export type Request = FastifyRequest<Exchange>

export interface Route {
  readonly doc: RouteDoc
  /** What an address pays with; a read unless given. */
  readonly limit?: AddressLimit
  readonly handle: (request: Request, reply: FastifyReply) => Promise<unknown>
}

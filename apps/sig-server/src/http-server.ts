/** Node's HTTP server with the times within which a request has to arrive, and the framework behind the read that goes past it. */
import { createServer, type RequestListener, type Server } from "node:http"
import { createHotRead, type HotReadOptions } from "./hot-read.ts"
import * as bounds from "./http-limits.ts"
import { boundedBy } from "./idle-bound.ts"

/** Without `hotReads` all requests are the framework's. */
export function createHttpServer(
  hotReads: Pick<HotReadOptions, "views" | "metrics" | "reads"> | undefined,
  framework: RequestListener,
): Server {
  const idleMs = bounds.socketIdleMs
  const otherwise = boundedBy(idleMs, framework)
  return createServer(
    {
      maxHeaderSize: bounds.maxHeaderBytes,
      headersTimeout: bounds.headersTimeoutMs,
      requestTimeout: bounds.requestTimeoutMs,
      connectionsCheckingInterval: bounds.connectionCheckMs,
      keepAliveTimeout: bounds.keepAliveTimeoutMs,
    },
    hotReads === undefined ? otherwise : createHotRead({ ...hotReads, idleMs, otherwise }),
  )
}

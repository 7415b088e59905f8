/** The HTTP side of the store: routes over a ChainService, with the limits of http-limits.ts around them. SPEC §8 */

import type { RouteDoc } from "@kez/server"
import {
  asProblem,
  type BucketPlan,
  createRequestIds,
  createTrust,
  createUnknown,
  endAfterAnswer,
  faultOfCoding,
  figuresRoute,
  type IsTrusted,
  type Problem,
  preflightHeaders,
  refuseConnection,
} from "@kez/server"
import type { CommonHttpConfig } from "@kez/server/common-settings"
import type { Log } from "@kez/server/log"
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify"
import { parseChainName } from "./chain-name.ts"
import type { ChainService } from "./chain-service.ts"
import { commonHeaders, readerHeaders } from "./common-headers.ts"
import * as bounds from "./http-limits.ts"
import { createHttpServer } from "./http-server.ts"
import type { Metrics } from "./metrics.ts"
import { answerPlainRequests, type PlainConnections } from "./plain-connections.ts"
import { ReadLimit } from "./read-limit.ts"
import { createRecentViews, noRecentViews } from "./recent-views.ts"
import { logFault, refusalHeaders, refusalText } from "./refusal-answer.ts"
import type { Clock, Deps, Exchange, Route } from "./route.ts"
import { chainReads } from "./routes/chain-reads.ts"
import { chainWrites } from "./routes/chain-writes.ts"
import { openApiDocument } from "./routes/document.ts"
import { feeds } from "./routes/feed.ts"
import { health } from "./routes/health.ts"
import { chainStream } from "./routes/stream.ts"
import type { Storage } from "./storage/storage.ts"
import { createStreamHub, type StreamLimits } from "./streams.ts"
import { WriteLimits, type WritePlans } from "./write-limits.ts"

export interface HttpConfig extends CommonHttpConfig {
  readonly baseUrl: string | undefined
  /** A mirror takes none unless its admin wants it to. */
  readonly takesPosts: boolean
  readonly writes: WritePlans
  readonly reads: BucketPlan
  readonly streams: StreamLimits
}

export interface AppOptions {
  readonly service: ChainService
  readonly storage: Storage
  readonly config: HttpConfig
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly isDraining?: () => boolean
}

export interface App {
  readonly http: FastifyInstance
  /** Everything that is served here, as /openapi.json tells it. */
  readonly docs: readonly RouteDoc[]
  /** Ends streams, then waits for requests under way. */
  close(): Promise<void>
  /** Ends connections whose answers take too long for that, as far as Node's server does not know them. */
  cut(): void
}

export function createApp(options: AppOptions): App {
  const { service, config, clock, metrics, isDraining = () => false } = options
  const isTrusted = createTrust(config.trustProxy)
  const reads = new ReadLimit({
    plan: config.reads,
    nowMs: () => clock.nowMs(),
    isTrusted,
    onRefusal: () => metrics.rateLimited("read"),
  })
  const streams = createStreamHub(service, config.streams, metrics)
  const limits = new WriteLimits(config.writes, () => clock.nowMs(), metrics.rateLimited)
  const deps: Deps = { ...options, streams, limits, isDraining }
  const { http, plain } = createServer(deps, { config, isTrusted, reads })
  const routes = [...chainReads(deps), chainStream(deps), ...chainWrites(deps, config), ...feeds(deps), ...health(deps)]
  const main = config.metricsOnMain ? [...routes, figuresRoute(metrics)] : routes
  const openApi = openApiDocument(
    [...routes, figuresRoute(metrics)].map(({ doc }) => doc),
    config.baseUrl,
  )
  prepare(http, deps, { config, reads })
  const served = [...main, openApi]
  for (const route of served) addRoute(http, route, { ...options, logRequests: config.logRequests })
  refuseOthers(http, served, metrics)
  return {
    http,
    docs: served.map(({ doc }) => doc),
    async close() {
      streams.close()
      plain?.close()
      await http.close()
    },
    cut() {
      plain?.cut()
    },
  }
}

interface Doorkeeping {
  readonly config: HttpConfig
  readonly isTrusted: IsTrusted | undefined
  readonly reads: ReadLimit
}

function createServer(
  deps: Deps,
  { config, isTrusted, reads }: Doorkeeping,
): { readonly http: FastifyInstance; readonly plain: PlainConnections | undefined } {
  const { service, storage, metrics } = deps
  const requestId = createRequestIds()
  const views = storage.kind === "sqlite" ? createRecentViews(service, storage) : noRecentViews(service)
  // What goes past the framework is in no log.
  const hot = config.logRequests ? undefined : { views, metrics, reads }
  const http = fastify({
    logger: false,
    serverFactory: (framework) => createHttpServer(hot, framework),
    bodyLimit: bounds.maxBodyBytes,
    routerOptions: { maxParamLength: bounds.maxChainNameBytes },
    trustProxy: isTrusted ?? false,
    requestIdHeader: false,
    genReqId: requestId,
    return503OnClosing: false,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
    clientErrorHandler: refuseConnection(metrics),
    frameworkErrors: (error, request, reply) => {
      setCommonHeaders(request, reply)
      sendProblem(reply, asProblem(error), metrics)
    },
  })
  http.server.maxConnections = config.maxConnections
  http.server.on("drop", () => metrics.connectionDropped())
  const posts = config.takesPosts ? { ...deps, requestId: () => requestId({ headers: {} }) } : undefined
  return { http, plain: hot && answerPlainRequests(http.server, { ...hot, isTrusted, posts }) }
}

/** What holds for every request. */
interface Preparing {
  readonly config: HttpConfig
  readonly reads: ReadLimit
}

function prepare(http: FastifyInstance, { metrics, log }: Deps, { config, reads }: Preparing): void {
  http.removeAllContentTypeParsers()
  http.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => done(null, body))
  http.addHook("onRequest", (request, reply, done) => {
    setCommonHeaders(request, reply)
    const fault = faultOfCoding(request.raw.headers)
    if (fault !== undefined) {
      reply.header("connection", "close")
      endAfterAnswer(request.raw.socket)
    }
    done(fault ?? reads.refusalOf(request.raw))
  })
  http.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = problemOf(error, request)
    logFault(log, problem, { error, request: request.id, route: request.routeOptions.url })
    sendProblem(reply, problem, metrics)
  })
  if (config.metricsOnMain) log.warn({}, "metrics are served to everybody who reaches this port")
}

/** The name of a chain is refused by the schema; the library knows the code. */
function problemOf(error: FastifyError, request: FastifyRequest): Problem {
  if (error.validationContext !== "params") return asProblem(error)
  try {
    const { id } = request.params as Exchange["Params"]
    parseChainName(id)
    return asProblem(error)
  } catch (cause) {
    return asProblem(cause)
  }
}

function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.header("x-request-id", request.id).headers(commonHeaders)
  if (request.method === "GET" || request.method === "HEAD") reply.headers(readerHeaders)
}

function sendProblem(reply: FastifyReply, problem: Problem, metrics: Metrics): void {
  metrics.refused(problem.code)
  // What a handler had set for a good answer does not describe this one.
  for (const name of ["etag", "kez-chain", "kez-forks"]) reply.removeHeader(name)
  reply.code(problem.status).headers(refusalHeaders(problem)).send(refusalText(problem))
}

type Observing = Pick<AppOptions, "metrics" | "log"> & { readonly logRequests: boolean }

function addRoute(http: FastifyInstance, { doc, handle }: Route, observing: Observing): void {
  const { params, query } = doc
  const schema = { ...(params !== undefined && { params }), ...(query !== undefined && { querystring: query }) }
  http.route<Exchange>({
    method: doc.method,
    url: doc.url,
    schema,
    // A HEAD of a stream would never end.
    exposeHeadRoute: doc.method === "GET" && !doc.url.endsWith("/stream"),
    onResponse: observer(doc, observing),
    handler: handle,
  })
}

type Observer = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void

/** Made once for a route: it runs for every answer. */
function observer({ method, url }: Pick<RouteDoc, "url"> & { method: string }, options: Observing): Observer {
  const { metrics, log, logRequests } = options
  const meter = metrics.route(method, url)
  return (request, reply, done) => {
    const { statusCode, elapsedTime } = reply
    meter.observe(statusCode, elapsedTime / 1_000)
    if (logRequests) {
      log.info(
        { request: request.id, method: request.method, route: url, status: statusCode, ms: Math.round(elapsedTime) },
        "answered",
      )
    }
    done()
  }
}

function refuseOthers(http: FastifyInstance, routes: readonly Route[], metrics: Metrics): void {
  const unknown = createUnknown(routes.map(({ doc }) => doc))
  const preflight = preflightHeaders(["If-None-Match", "Last-Event-ID", "X-Request-Id"])
  http.options("/*", (_request, reply) => reply.code(204).headers(preflight).send())
  http.setNotFoundHandler((request, reply) => sendProblem(reply, unknown(request.url), metrics))
}

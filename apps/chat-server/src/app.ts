/** The HTTP side of the chat server: routes over the directory, with the limits of limits.ts around them. SPEC §7.8 */
import { createServer as createNodeServer, type RequestListener, type Server } from "node:http"
import {
  createOpenApi,
  createRequestIds,
  createTrust,
  createUnknown,
  endAfterAnswer,
  faultOfCoding,
  figuresRoute,
  formatProblem,
  type Problem,
  preflightHeaders,
  problemType,
  type RouteDoc,
  refuseConnection,
} from "@kez/server"
import type { CommonHttpConfig } from "@kez/server/common-settings"
import { errorFields } from "@kez/server/log"
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify"
import { type AddressLimits, type AddressPlans, createAddressLimits } from "./address-limits.ts"
import * as bounds from "./limits.ts"
import type { Metrics } from "./metrics.ts"
import { refusalOf } from "./refusal.ts"
import type { Deps, Exchange, Route } from "./route.ts"
import { handles } from "./routes/handles.ts"
import { health } from "./routes/health.ts"
import { directoryLog } from "./routes/log.ts"
import { profile } from "./routes/profile.ts"
import { standing } from "./routes/standing.ts"
import { nostrNames, webFinger } from "./routes/webfinger.ts"
import { version } from "./version.ts"

export interface HttpConfig extends CommonHttpConfig {
  readonly limits: AddressPlans
}

export interface App {
  readonly http: FastifyInstance
  /** Everything that is served here, as /openapi.json tells it. */
  readonly docs: readonly RouteDoc[]
}

const commonHeaders = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "strict-transport-security": "max-age=31536000",
} as const
/** Pages of other origins may read, and read only. */
const readerHeaders = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "ETag, Retry-After, X-Request-Id",
} as const

export function createApp(deps: Deps, config: HttpConfig): App {
  const { metrics, clock } = deps
  const limits = createAddressLimits(config.limits, { nowMs: () => clock.nowMs(), onRefusal: metrics.rateLimited })
  const http = createServer(config, metrics)
  const own = [
    ...handles(deps),
    ...directoryLog(deps),
    webFinger(deps),
    nostrNames(deps),
    profile(deps),
    ...standing(deps),
    ...health(deps),
  ]
  const shown = [...own, figuresRoute(deps.metrics)]
  const openApi = documentRoute(
    shown.map(({ doc }) => doc),
    deps.baseUrl,
  )
  const served = [...(config.metricsOnMain ? shown : own), openApi]
  prepare(http, deps)
  for (const route of served) addRoute(http, route, { deps, config, limits })
  refuseOthers(http, served, metrics)
  if (config.metricsOnMain) deps.log.warn({}, "metrics are served to everybody who reaches this port")
  return { http, docs: served.map(({ doc }) => doc) }
}

function createServer(config: HttpConfig, metrics: Metrics): FastifyInstance {
  const http = fastify({
    logger: false,
    serverFactory: createHttpServer,
    bodyLimit: bounds.maxBodyBytes,
    routerOptions: { maxParamLength: bounds.maxNameBytes },
    trustProxy: createTrust(config.trustProxy) ?? false,
    requestIdHeader: false,
    genReqId: createRequestIds(),
    return503OnClosing: false,
    clientErrorHandler: refuseConnection(metrics),
    frameworkErrors: (error, request, reply) => {
      setCommonHeaders(request, reply)
      sendProblem(reply, refusalOf(error), metrics)
    },
  })
  http.server.maxConnections = config.maxConnections
  http.server.on("drop", () => metrics.connectionDropped())
  return http
}

/** With the times within which a request has to arrive. */
function createHttpServer(listener: RequestListener): Server {
  const server = createNodeServer(
    {
      maxHeaderSize: bounds.maxHeaderBytes,
      headersTimeout: bounds.headersTimeoutMs,
      requestTimeout: bounds.requestTimeoutMs,
      connectionsCheckingInterval: bounds.connectionCheckMs,
      keepAliveTimeout: bounds.keepAliveTimeoutMs,
    },
    listener,
  )
  server.setTimeout(bounds.socketIdleMs)
  return server
}

function prepare(http: FastifyInstance, { metrics, log }: Deps): void {
  http.removeAllContentTypeParsers()
  http.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => done(null, body))
  http.addHook("onRequest", (request, reply, done) => {
    setCommonHeaders(request, reply)
    const fault = faultOfCoding(request.raw.headers)
    if (fault !== undefined) {
      reply.header("connection", "close")
      endAfterAnswer(request.raw.socket)
    }
    done(fault)
  })
  http.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = refusalOf(error)
    if (problem.status >= 500 && problem.status !== 507) {
      log.error({ request: request.id, route: request.routeOptions.url, ...errorFields(error) }, "a request failed")
    }
    sendProblem(reply, problem, metrics)
  })
}

function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.header("x-request-id", request.id).headers(commonHeaders)
  if (request.method === "GET" || request.method === "HEAD") reply.headers(readerHeaders)
}

function sendProblem(reply: FastifyReply, problem: Problem, metrics: Metrics): void {
  metrics.refused(problem.code)
  reply
    .code(problem.status)
    .headers({ "content-type": problemType, "cache-control": "no-store", ...problem.headers })
    .send(formatProblem(problem))
}

interface Around {
  readonly deps: Deps
  readonly config: HttpConfig
  readonly limits: AddressLimits
}

const healthPaths = ["/livez", "/readyz", "/version", "/openapi.json", "/metrics"]

function addRoute(
  http: FastifyInstance,
  { doc, handle, limit = "read" }: Route,
  { deps, config, limits }: Around,
): void {
  const isFree = healthPaths.includes(doc.url)
  http.route<Exchange>({
    method: doc.method,
    url: doc.url,
    exposeHeadRoute: doc.method === "GET",
    preParsing: (request, _reply, _payload, done) => {
      // Before the body is read: who may not post costs no memory.
      done(isFree ? null : limits.refusalOf(limit, request.ip))
    },
    onResponse: (request, reply, done) => {
      const { statusCode: status, elapsedTime } = reply
      deps.metrics.observe({ method: doc.method, route: doc.url, status, seconds: elapsedTime / 1_000 })
      if (config.logRequests) {
        const fields = {
          request: request.id,
          method: request.method,
          route: doc.url,
          status,
          ms: Math.round(elapsedTime),
        }
        deps.log.info(fields, "answered")
      }
      done()
    },
    handler: handle,
  })
}

function refuseOthers(http: FastifyInstance, routes: readonly Route[], metrics: Metrics): void {
  const unknown = createUnknown(routes.map(({ doc }) => doc))
  const preflight = preflightHeaders(["If-None-Match", "X-Request-Id"])
  http.options("/*", (_request, reply) => reply.code(204).headers(preflight).send())
  http.setNotFoundHandler((request, reply) => sendProblem(reply, unknown(request.url), metrics))
}

function documentRoute(others: readonly RouteDoc[], baseUrl: string): Route {
  const doc: RouteDoc = {
    method: "GET",
    url: "/openapi.json",
    operation: "openapi",
    summary: "This document",
    answers: { 200: { description: "OpenAPI 3.1", type: "application/json", schema: { type: "object" } } },
  }
  const text = JSON.stringify(
    createOpenApi([...others, doc], {
      title: "kez-chat-server",
      version,
      summary:
        "Handles of a chat, in a log that everybody can check. Messages go over its broker, and it reads none of them.",
      baseUrl,
      maxBodyBytes: bounds.maxBodyBytes,
    }),
  )
  const headers = { "content-type": "application/json; charset=utf-8", "cache-control": "no-cache" }
  return { doc, handle: (_request, reply) => Promise.resolve(reply.headers(headers).send(text)) }
}

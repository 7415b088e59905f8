/** What every server here may use. Each name is listed by hand; what loads a library of its own has its own entry in package.json. */
export { type Asking, addressOf, createTrust, type IsTrusted } from "./client-address.ts"
export { endAfterAnswer, type RefusalCounter, refuseConnection } from "./client-error.ts"
export { type KnownFlags, type ParsedFlags, parseFlags, unknownName } from "./flags.ts"
export { Latency } from "./latency.ts"
export { closeInTime, type ListenAt, type Listening, listenApp, listenMetrics } from "./listen.ts"
export { createMetricsServer, type Figures } from "./metrics-listener.ts"
export { nearestOf } from "./nearest.ts"
export { createOpenApi, type OpenApiOptions } from "./openapi.ts"
export { createUnknown, faultOfCoding, preflightHeaders } from "./other-requests.ts"
export { type Checks, figuresRoute, healthRoutes } from "./own-routes.ts"
export { asProblem, formatProblem, Problem, type ProblemOptions, problemType, statusOf } from "./problem.ts"
export { type BucketPlan, type BucketView, limitHeaders, networkOf, TokenBuckets } from "./rate-limit.ts"
export { createRequestIds } from "./request-id.ts"
export type { Answer, JsonSchema, RouteDoc } from "./route-doc.ts"
export {
  anyCount,
  anyPort,
  areNetworks,
  areUrls,
  choice,
  isBaseUrl,
  isDatabaseUrl,
  isListenHost,
  isLoopback,
  number,
  type Setting,
  text,
} from "./setting.ts"
export {
  createSettingTable,
  flagOf,
  type Origin,
  type SettingTable,
  type Sources,
  type Value,
  type Values,
} from "./setting-table.ts"

/** The app over a store in memory, with a clock that tests turn. */

import { codes } from "@kez/core"
import { createLog } from "@kez/server/log"
import type { FastifyInstance } from "fastify"
import { now } from "../../../../packages/core/test/support/chains.ts"
import { type App, createApp, type HttpConfig } from "../../src/app.ts"
import { createMetrics } from "../../src/metrics.ts"
import { createMemoryStore, type MemoryStore } from "./memory-store.ts"

export interface TestApp {
  readonly app: App
  readonly http: FastifyInstance
  readonly store: MemoryStore
  /** Lines of the log. */
  readonly lines: string[]
  readonly metrics: ReturnType<typeof createMetrics>
  /** Moves the clock. */
  wait(seconds: number): void
  drain(): void
}

export const usualConfig: HttpConfig = {
  baseUrl: undefined,
  trustProxy: [],
  logRequests: false,
  takesPosts: true,
  metricsOnMain: false,
  maxConnections: 100,
  writes: {
    chain: { burst: 60, perHour: 20 },
    ip: { burst: 1_000, perHour: 1_000 },
    genesis: { burst: 100, perHour: 100 },
  },
  reads: { burst: 100_000, perHour: 100_000 },
  streams: { total: 100, perIp: 10 },
}

export function makeApp(changes: Partial<HttpConfig> = {}): TestApp {
  let nowMs = now * 1_000
  let isDraining = false
  const lines: string[] = []
  const store = createMemoryStore(() => Math.floor(nowMs / 1_000))
  const metrics = createMetrics(() => store.storage.counts())
  const app = createApp({
    service: store.service,
    storage: store.storage,
    config: { ...usualConfig, ...changes },
    clock: { nowMs: () => nowMs },
    log: createLog({ name: "kez-sig-server", level: "debug", write: (line) => lines.push(line) }),
    metrics,
    isDraining: () => isDraining,
  })
  return {
    app,
    http: app.http,
    store,
    lines,
    metrics,
    wait: (seconds) => {
      nowMs += seconds * 1_000
    },
    drain: () => {
      isDraining = true
    },
  }
}

/** Posts an envelope as JCS. */
export function post(http: FastifyInstance, path: string, text: string, headers: Record<string, string> = {}) {
  return http.inject({
    method: "POST",
    url: path,
    payload: text,
    headers: { "content-type": "application/json", ...headers },
  })
}

export interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly head?: { readonly chain: string; readonly seq: number; readonly digest: string }
  readonly kept?: boolean
  readonly chains?: readonly string[]
}

/** The problem of an answer, after a look at its form. */
export function problemOf(answer: { statusCode: number; headers: Record<string, unknown>; body: string }): ProblemBody {
  const problem: ProblemBody = JSON.parse(answer.body)
  const isWhole =
    String(answer.headers["content-type"]).startsWith("application/problem+json") &&
    problem.status === answer.statusCode &&
    (codes as readonly string[]).includes(problem.code)
  if (!isWhole) throw new Error(`not a problem as it should be: ${answer.statusCode} ${answer.body}`)
  return problem
}

/** Figures for Prometheus. Labels are routes, statuses and codes, all from closed lists: no handle, key or chain is one. */
import { Latency } from "@kez/server"
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client"

export interface Counts {
  readonly leaves: number
  readonly handles: number
}

export interface Metrics {
  observe(answer: {
    readonly method: string
    readonly route: string
    readonly status: number
    readonly seconds: number
  }): void
  changed(what: "register" | "move" | "release", result: string): void
  refused(code: string): void
  rateLimited(limit: string): void
  connectionDropped(): void
  readonly contentType: string
  text(): Promise<string>
}

/** `counts` is asked at each scrape. */
export function createMetrics(counts: () => Promise<Counts>): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: "kez_chat_" })
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
    new Counter({ name: `kez_chat_${name}`, help, labelNames, registers: [registry] })
  const answers = counter("http_requests_total", "Answers", ["method", "route", "status"])
  const changes = counter("directory_changes_total", "Statements that were posted, by what became of them", [
    "what",
    "result",
  ])
  const refusals = counter("refusals_total", "Answers that are refusals, by code", ["code"])
  const limited = counter("rate_limited_total", "Requests refused by a limit", ["limit"])
  const dropped = counter("connections_dropped_total", "Connections beyond the limit")
  const gauge = (name: string, help: string): Gauge =>
    new Gauge({ name: `kez_chat_${name}`, help, registers: [registry] })
  const leaves = gauge("directory_leaves", "Entries of the log of handles")
  const handles = gauge("directory_handles", "Handles that are registered now")
  const latencies = new Map<string, Latency>()
  return {
    observe({ method, route, status, seconds }) {
      answers.inc({ method, route, status: String(status) })
      const label = `method="${method}",route="${route}"`
      const latency = latencies.get(label) ?? new Latency()
      latencies.set(label, latency)
      latency.observe(seconds)
    },
    changed: (what, result) => changes.inc({ what, result }),
    refused: (code) => refusals.inc({ code }),
    rateLimited: (limit) => limited.inc({ limit }),
    connectionDropped: () => dropped.inc(),
    contentType: registry.contentType,
    async text() {
      // A database that cannot count shows its last figures: a scrape has to tell that it is not well, not fail with it.
      const now = await counts().catch(() => undefined)
      if (now !== undefined) {
        leaves.set(now.leaves)
        handles.set(now.handles)
      }
      const name = "kez_chat_http_request_seconds"
      const timed = [...latencies].flatMap(([label, latency]) => latency.lines(name, label))
      const about = [`# HELP ${name} Time from the first look at a request to its answer`, `# TYPE ${name} histogram`]
      return `${await registry.metrics()}\n${[...about, ...timed].join("\n")}\n`
    },
  }
}

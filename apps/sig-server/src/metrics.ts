/** Figures for Prometheus. Labels are routes, statuses and codes, all from closed lists: no key and no chain is one. */
import { Latency } from "@kez/server"
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client"
import type { StorageCounts } from "./storage/storage.ts"

export interface RouteMeter {
  /** Counts one answer. */
  observe(status: number, seconds: number): void
}

export interface Metrics {
  /** For one route; the same one for each call with these. */
  route(method: string, route: string): RouteMeter
  appended(result: string): void
  refused(code: string): void
  rateLimited(limit: string): void
  streamsOpen(count: number): void
  streamCut(reason: string): void
  connectionDropped(): void
  mirrored(what: "events" | "heads", result: string, count: number): void
  mirrorFailed(code: string): void
  /** Seconds by which a store that follows others is behind, asked at each scrape. */
  showMirrorLag(seconds: () => number): void
  readonly contentType: string
  text(): Promise<string>
}

/** `counts` is asked at each scrape. */
export function createMetrics(counts: () => Promise<StorageCounts>): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: "kez_sig_" })
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
    new Counter({ name: `kez_sig_${name}`, help, labelNames, registers: [registry] })

  const requests = createRequestMeters()
  const appends = counter("appends_total", "Events that were posted, by what became of them", ["result"])
  const refusals = counter("refusals_total", "Answers that are refusals, by code", ["code"])
  const limited = counter("rate_limited_total", "Requests refused by a limit", ["limit"])
  const cuts = counter("stream_cuts_total", "Streams ended by the server", ["reason"])
  const dropped = counter("connections_dropped_total", "Connections beyond the limit")
  const mirrored = {
    events: counter("mirrored_events_total", "Events of stores that are followed, by what became of them", ["result"]),
    heads: counter("mirrored_heads_total", "Signed heads of stores that are followed, by what became of them", [
      "result",
    ]),
  }
  const failures = counter("mirror_failures_total", "Looks at followed stores that failed, by code", ["code"])
  const streams = new Gauge({ name: "kez_sig_streams", help: "Open streams", registers: [registry] })
  const refresh = storageGauges(registry, counts)

  return {
    route: requests.route,
    appended: (result) => appends.inc({ result }),
    refused: (code) => refusals.inc({ code }),
    rateLimited: (limit) => limited.inc({ limit }),
    streamsOpen: (count) => streams.set(count),
    streamCut: (reason) => cuts.inc({ reason }),
    connectionDropped: () => dropped.inc(),
    mirrored: (what, result, count) => mirrored[what].inc({ result }, count),
    mirrorFailed: (code) => failures.inc({ code }),
    showMirrorLag(seconds) {
      const collect = function (this: Gauge): void {
        this.set(seconds())
      }
      const help = "Since all that the followed stores show was here, of the one that is longest ago"
      new Gauge({ name: "kez_sig_mirror_lag_seconds", help, registers: [registry], collect })
    },
    contentType: registry.contentType,
    async text() {
      await refresh()
      return `${await registry.metrics()}${requests.text()}`
    },
  }
}

interface Measured extends RouteMeter {
  readonly method: string
  readonly route: string
  readonly byStatus: ReadonlyMap<number, number>
  readonly latency: Latency
}

/** Counted by hand: they are counted for every answer, and prom-client looks labels up each time. */
function createRequestMeters(): { route: Metrics["route"]; text(): string } {
  const meters = new Map<string, Measured>()
  return {
    route(method, route) {
      const key = `${method} ${route}`
      const meter = meters.get(key) ?? createMeter(method, route)
      meters.set(key, meter)
      return meter
    },
    text() {
      const total = "kez_sig_http_requests_total"
      const seconds = "kez_sig_http_request_seconds"
      const counted = [...meters.values()].flatMap(({ method, route, byStatus }) =>
        [...byStatus].map(
          ([status, count]) => `${total}{method="${method}",route="${route}",status="${status}"} ${count}`,
        ),
      )
      const timed = [...meters.values()].flatMap(({ method, route, latency }) =>
        latency.lines(seconds, `method="${method}",route="${route}"`),
      )
      const lines = [
        `# HELP ${total} Answers`,
        `# TYPE ${total} counter`,
        ...counted,
        `# HELP ${seconds} Time from the first look at a request to its answer`,
        `# TYPE ${seconds} histogram`,
        ...timed,
      ]
      return `\n${lines.join("\n")}\n`
    },
  }
}

function createMeter(method: string, route: string): Measured {
  const byStatus = new Map<number, number>()
  const latency = new Latency()
  return {
    method,
    route,
    byStatus,
    latency,
    observe(status, seconds) {
      byStatus.set(status, (byStatus.get(status) ?? 0) + 1)
      latency.observe(seconds)
    },
  }
}

type Refresh = () => Promise<void>

function storageGauges(registry: Registry, counts: () => Promise<StorageCounts>): Refresh {
  const gauge = (name: string, help: string): Gauge =>
    new Gauge({ name: `kez_sig_stored_${name}`, help, registers: [registry] })
  const events = gauge("events", "Events that are kept, losing branches included")
  const chains = gauge("chains", "Chains that are kept")
  const bytes = gauge("bytes", "Bytes of events that are kept")
  return async () => {
    // A storage that cannot count shows its last figures: a scrape has to tell that it is not well, not fail with it.
    const now = await counts().catch(() => undefined)
    if (now === undefined) return
    events.set(now.events)
    chains.set(now.chains)
    bytes.set(now.bytes)
  }
}

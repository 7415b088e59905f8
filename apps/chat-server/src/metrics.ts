/** Figures for Prometheus. Labels are routes, statuses and codes, all from closed lists: no handle, key or chain is one. */
import { Latency } from "@kez/server"
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client"

export interface Counts {
  readonly leaves: number
  readonly handles: number
}

/** Figures of the chat over the broker. */
export interface ChatMetrics {
  commanded(done: { readonly operation: string; readonly result: string; readonly seconds: number }): void
  delivered(result: "delivered" | "full" | "unanswered"): void
  /** A question of the broker, by what was decided. */
  decided(result: string): void
  revoked(): void
  /** Devices that are connected now, as far as this copy has seen them come. */
  connected(devices: number): void
  /** Of all servers of the broker together. Bytes where it says them. */
  stored(broker: { readonly bytes?: number; readonly limitBytes?: number; readonly isWell: boolean }): void
}

export interface Metrics extends ChatMetrics {
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
  const commands = counter("commands_total", "Commands of devices", ["operation", "result"])
  const deliveries = counter(
    "deliveries_total",
    "What was put into mailboxes, found them full, or found the part of strangers full",
    ["result"],
  )
  const decisions = counter("callout_decisions_total", "Who wanted to connect to the broker", ["result"])
  const revocations = counter(
    "revoked_devices_total",
    "Devices whose connection was ended because their chain revoked them",
  )
  const connectedDevices = gauge("connected_devices", "Devices that this copy has seen connect and not leave")
  const storedBytes = gauge("broker_stored_bytes", "What nats-server keeps: conversations, mailboxes, archives")
  const storedLimit = gauge("broker_limit_bytes", "The most that it may keep")
  const brokerIsWell = gauge("broker_healthy", "1: nats-server takes what is written; 0: it says that it does not")
  const commandTimes = new Map<string, Latency>()
  return {
    commanded({ operation, result, seconds }) {
      commands.inc({ operation, result })
      const label = `operation="${operation}"`
      const latency = commandTimes.get(label) ?? new Latency()
      commandTimes.set(label, latency)
      latency.observe(seconds)
    },
    delivered: (result) => deliveries.inc({ result }),
    decided: (result) => decisions.inc({ result }),
    revoked: () => revocations.inc(),
    connected: (devices) => connectedDevices.set(devices),
    stored({ bytes, limitBytes, isWell }) {
      if (bytes !== undefined) storedBytes.set(bytes)
      if (limitBytes !== undefined) storedLimit.set(limitBytes)
      brokerIsWell.set(isWell ? 1 : 0)
    },
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
      const lines = [
        ...timesOf("kez_chat_http_request_seconds", "Time from the first look at a request to its answer", latencies),
        ...timesOf("kez_chat_command_seconds", "Time from a command to its answer", commandTimes),
      ]
      return `${await registry.metrics()}\n${lines.join("\n")}\n`
    },
  }
}

function timesOf(name: string, about: string, latencies: ReadonlyMap<string, Latency>): readonly string[] {
  const timed = [...latencies].flatMap(([label, latency]) => latency.lines(name, label))
  return [`# HELP ${name} ${about}`, `# TYPE ${name} histogram`, ...timed]
}

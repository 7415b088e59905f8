/** What every server here says of itself: whether it runs, whether it can do its work, what it is, and its figures. SPEC STORE-15 */
import { type Code, codes, KezError } from "@kez/core"
import type { Figures } from "./metrics-listener.ts"
import type { JsonSchema, RouteDoc } from "./route-doc.ts"

/** How long the answer of /readyz stands: it writes to the disk, and everybody may ask. */
const readinessCacheMs = 1_000

/** Of a reply of Fastify, as far as it is needed here. */
export interface OwnReply {
  code(status: number): OwnReply
  header(name: string, value: string): OwnReply
  headers(values: Readonly<Record<string, string>>): OwnReply
  send(body: unknown): unknown
}

export interface OwnRoute {
  readonly doc: RouteDoc
  readonly handle: (request: unknown, reply: OwnReply) => Promise<unknown>
}

export interface Check {
  readonly ok: boolean
  readonly code?: Code
}

export type Checks = Readonly<Record<string, Check>>

export interface HealthOptions {
  /** Of the program. */
  readonly name: string
  readonly version: string
  /** Writes to what it keeps, and throws if that cannot be. Asked at most once a second. */
  readonly assertWritable: () => Promise<void>
  readonly nowMs: () => number
  /** Whether the process has been told to stop. */
  readonly isDraining: () => boolean
  /** Told, and without a say: it is served without them too. */
  readonly told?: () => Checks
}

const text = { type: "string" } as const
const check = object({ ok: { type: "boolean" }, code: { enum: codes } }, ["ok"])
const livenessAnswer = object({ status: { const: "ok" } })
const readinessAnswer = object({
  status: { enum: ["ok", "failed"] },
  checks: { type: "object", additionalProperties: check },
})
const versionAnswer = object({ name: text, version: text, api: text })

/** `/livez`, `/readyz`, `/version`. */
export function healthRoutes(options: HealthOptions): readonly OwnRoute[] {
  return [liveness, readiness(options), versionRoute(options)]
}

/** `/metrics`, on whichever listener it is served. */
export function figuresRoute(figures: Figures): OwnRoute {
  return {
    doc: {
      method: "GET",
      url: "/metrics",
      operation: "metrics",
      summary: "Figures for Prometheus; by default on a listener of its own, on loopback",
      answers: { 200: { description: "Text format of Prometheus", type: "text/plain" } },
    },
    handle: async (_request, reply) =>
      reply.headers({ "content-type": figures.contentType, "cache-control": "no-store" }).send(await figures.text()),
  }
}

const liveness: OwnRoute = {
  doc: {
    method: "GET",
    url: "/livez",
    operation: "livez",
    summary: "The process runs",
    answers: { 200: { description: "It does", type: "application/json", schema: livenessAnswer } },
  },
  handle: (_request, reply) => Promise.resolve(reply.send({ status: "ok" })),
}

function readiness({ assertWritable, nowMs, isDraining, told = () => ({}) }: HealthOptions): OwnRoute {
  let checked = { atMs: Number.NEGATIVE_INFINITY, storage: Promise.resolve<Check>({ ok: true }) }
  return {
    doc: {
      method: "GET",
      url: "/readyz",
      operation: "readyz",
      summary: "The storage takes writes, and the process is not about to stop",
      answers: {
        200: { description: "Ready", type: "application/json", schema: readinessAnswer },
        503: { description: "Not ready; a check says why", type: "application/json", schema: readinessAnswer },
      },
    },
    async handle(_request, reply) {
      const atMs = nowMs()
      if (Math.abs(atMs - checked.atMs) >= readinessCacheMs) checked = { atMs, storage: outcomeOf(assertWritable()) }
      const deciding: Checks = { storage: await checked.storage, running: { ok: !isDraining() } }
      const isReady = Object.values(deciding).every(({ ok }) => ok)
      return reply
        .code(isReady ? 200 : 503)
        .header("cache-control", "no-store")
        .send({ status: isReady ? "ok" : "failed", checks: { ...deciding, ...told() } })
    },
  }
}

function versionRoute({ name, version }: HealthOptions): OwnRoute {
  return {
    doc: {
      method: "GET",
      url: "/version",
      operation: "version",
      summary: "What runs here",
      answers: { 200: { description: "Name and version", type: "application/json", schema: versionAnswer } },
    },
    handle: (_request, reply) => Promise.resolve(reply.send({ name, version, api: "v1" })),
  }
}

async function outcomeOf(work: Promise<void>): Promise<Check> {
  try {
    await work
    return { ok: true }
  } catch (error) {
    return { ok: false, code: error instanceof KezError ? error.code : "internal" }
  }
}

function object(properties: Readonly<Record<string, JsonSchema>>, required = Object.keys(properties)): JsonSchema {
  return { type: "object", properties, required, additionalProperties: false }
}

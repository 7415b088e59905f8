/** Whether the process runs, whether it can do its work, what it is, and its figures. */
import { type Code, KezError } from "@kez/core"
import { readinessCacheMs } from "../limits.ts"
import type { Deps, Route } from "../route.ts"
import * as schemas from "../schemas.ts"
import { version } from "../version.ts"

export function health(deps: Deps): readonly Route[] {
  return [liveness, readiness(deps), versionRoute]
}

const liveness: Route = {
  doc: {
    method: "GET",
    url: "/livez",
    operation: "livez",
    summary: "The process runs",
    answers: { 200: { description: "It does", type: "application/json", schema: schemas.livenessAnswer } },
  },
  handle: (_request, reply) => Promise.resolve(reply.send({ status: "ok" })),
}

type Checks = Readonly<Record<string, { readonly ok: boolean; readonly code?: Code }>>

function readiness({ database, clock, chat, isDraining }: Deps): Route {
  let checked = { atMs: Number.NEGATIVE_INFINITY, result: Promise.resolve<Checks>({}) }
  const check = async (): Promise<Checks> => ({ storage: await outcomeOf(database.assertWritable()) })
  return {
    doc: {
      method: "GET",
      url: "/readyz",
      operation: "readyz",
      summary: "The database takes writes, and the process is not about to stop",
      answers: {
        200: { description: "Ready", type: "application/json", schema: schemas.readinessAnswer },
        503: { description: "Not ready; a check says why", type: "application/json", schema: schemas.readinessAnswer },
      },
    },
    async handle(_request, reply) {
      const nowMs = clock.nowMs()
      if (Math.abs(nowMs - checked.atMs) >= readinessCacheMs) checked = { atMs: nowMs, result: check() }
      // Handles are served without a broker too, so it is told and does not count.
      const broker: Checks = chat === undefined ? {} : { broker: { ok: chat.isReady() } }
      const checks: Checks = { ...(await checked.result), ...broker, running: { ok: !isDraining() } }
      const isReady = Object.entries(checks).every(([name, { ok }]) => ok || name === "broker")
      return reply
        .code(isReady ? 200 : 503)
        .header("cache-control", "no-store")
        .send({ status: isReady ? "ok" : "failed", checks })
    },
  }
}

async function outcomeOf(work: Promise<void>): Promise<{ ok: boolean; code?: Code }> {
  try {
    await work
    return { ok: true }
  } catch (error) {
    return { ok: false, code: error instanceof KezError ? error.code : "internal" }
  }
}

const versionRoute: Route = {
  doc: {
    method: "GET",
    url: "/version",
    operation: "version",
    summary: "What runs here",
    answers: { 200: { description: "Name and version", type: "application/json", schema: schemas.versionAnswer } },
  },
  handle: (_request, reply) => Promise.resolve(reply.send({ name: "kez-chat-server", version, api: "v1" })),
}

/** /metrics, on whichever listener it is served. */
export function figures({ metrics }: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/metrics",
      operation: "metrics",
      summary: "Figures for Prometheus; by default on a listener of its own, on loopback",
      answers: { 200: { description: "Text format of Prometheus", type: "text/plain" } },
    },
    handle: async (_request, reply) =>
      reply.headers({ "content-type": metrics.contentType, "cache-control": "no-store" }).send(await metrics.text()),
  }
}

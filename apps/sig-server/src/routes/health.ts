/** Whether the process runs, whether it can do its work, and what it is. SPEC STORE-15 */
import { type Code, KezError } from "@kez/core"
import { readinessCacheMs } from "../http-limits.ts"
import type { Deps, Route } from "../route.ts"
import { livenessAnswer, readinessAnswer, versionAnswer } from "../schemas.ts"
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
    answers: { 200: { description: "It does", type: "application/json", schema: livenessAnswer } },
  },
  handle: (_request, reply) => Promise.resolve(reply.send({ status: "ok" })),
}

type Checks = Readonly<Record<string, { readonly ok: boolean; readonly code?: Code }>>

function readiness({ storage, clock, isDraining }: Deps): Route {
  let checked = { atMs: Number.NEGATIVE_INFINITY, result: Promise.resolve<Checks>({}) }
  const check = async (): Promise<Checks> => ({ storage: await outcomeOf(storage.assertWritable()) })
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
      const nowMs = clock.nowMs()
      if (Math.abs(nowMs - checked.atMs) >= readinessCacheMs) checked = { atMs: nowMs, result: check() }
      const checks: Checks = { ...(await checked.result), running: { ok: !isDraining() } }
      const isReady = Object.values(checks).every(({ ok }) => ok)
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
    answers: { 200: { description: "Name and version", type: "application/json", schema: versionAnswer } },
  },
  handle: (_request, reply) => Promise.resolve(reply.send({ name: "kez-sig-server", version, api: "v1" })),
}

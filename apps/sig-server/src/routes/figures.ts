/** /metrics, on whichever listener it is served. */
import type { Metrics } from "../metrics.ts"
import type { Route } from "../route.ts"

export function figures(metrics: Metrics): Route {
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

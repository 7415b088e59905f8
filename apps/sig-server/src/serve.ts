/** The running store: opens the storage, listens, and stops without losing what is under way. */
import { closeInTime, createMetricsServer, listenApp, listenMetrics } from "@kez/server"
import { errorFields, type Log } from "@kez/server/log"
import { createApp } from "./app.ts"
import { createChainService } from "./chains/service.ts"
import type { Config } from "./config.ts"
import { shutdownMs } from "./http-limits.ts"
import { createMetrics, type Metrics } from "./metrics.ts"
import { type Mirror, type MirrorReport, startMirror } from "./mirror.ts"
import { openStorage } from "./storage/open-storage.ts"
import { version } from "./version.ts"

export interface Running {
  /** `http://127.0.0.1:7878` */
  readonly url: string
  readonly metricsUrl: string | undefined
  /** Resolves when nothing is open any more. */
  stop(): Promise<void>
}

const nowSeconds = (): number => Math.floor(Date.now() / 1_000)

export async function serve(config: Config, log: Log): Promise<Running> {
  const storage = await openStorage(config.storage, nowSeconds)
  const service = createChainService({
    storage,
    now: nowSeconds,
    onListenerError: (error) => log.error(errorFields(error), "a stream could not be told"),
  })
  const metrics = createMetrics(() => storage.counts())
  let isDraining = false
  const app = createApp({
    service,
    storage,
    config: config.http,
    clock: { nowMs: Date.now },
    log,
    metrics,
    isDraining: () => isDraining,
  })
  const metricsServer = config.metrics.mode === "separate" ? createMetricsServer(metrics) : undefined
  const mirrors: Mirror[] = []
  const close = async (): Promise<void> => {
    await Promise.all(mirrors.map((mirror) => mirror.close()))
    await closeInTime(
      { server: app.http.server, close: () => app.close() },
      {
        afterMs: shutdownMs,
        onCut: () => {
          log.warn({ afterMs: shutdownMs }, "requests were cut")
          app.cut()
        },
      },
    )
    metricsServer?.close()
    metricsServer?.closeAllConnections()
    await service.close()
    await storage.close()
  }
  try {
    const url = await listenApp(app.http, config)
    const metricsUrl = metricsServer && (await listenMetrics(metricsServer, config.metrics))
    for (const other of config.mirrors) {
      mirrors.push(startMirror({ url: other, service, storage, report: (report) => tellMirror(report, log, metrics) }))
    }
    if (mirrors.length > 0)
      metrics.showMirrorLag(() => Math.max(...mirrors.map((mirror) => mirror.state().lagMs)) / 1_000)
    log.info({ version, storage: storage.kind, at: url, metricsAt: metricsUrl }, "listening")
    return {
      url,
      metricsUrl,
      async stop() {
        isDraining = true
        log.info({ drainSeconds: config.drainSeconds }, "stopping")
        await new Promise((resolve) => setTimeout(resolve, config.drainSeconds * 1_000))
        await close()
        log.info({}, "stopped")
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** The stores that are followed are counted together: which they are stands in the configuration. */
function tellMirror(report: MirrorReport, log: Log, metrics: Metrics): void {
  if (report.type === "restarted") {
    log.warn({}, "a store that is followed tells another history than before; it is read again from the start")
  } else if (report.type === "failed") {
    metrics.mirrorFailed(report.code)
    log.warn({ code: report.code, waitMs: report.waitMs }, "a store that is followed did not answer as it should")
  } else {
    const what = report.type === "page" ? "events" : "heads"
    metrics.mirrored(what, "stored", report.stored)
    metrics.mirrored(what, "known", report.known)
    for (const [code, count] of report.refused) metrics.mirrored(what, code, count)
  }
}

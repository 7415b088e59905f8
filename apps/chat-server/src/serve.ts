/** The running chat server: opens the database, listens, and stops without losing what is under way. */
import { closeInTime, createMetricsServer, listenApp, listenMetrics } from "@kez/server"
import { errorFields, type Log } from "@kez/server/log"
import { createApp } from "./app.ts"
import type { ChatOptions, ChatService } from "./broker/chat-service.ts"
import { createDevices } from "./broker/devices.ts"
import { createStandings } from "./broker/standing.ts"
import type { Config } from "./config.ts"
import { createSent } from "./conversations/sent.ts"
import { createWriters } from "./conversations/writers.ts"
import { createChainSource } from "./directory/chains.ts"
import { logSize } from "./directory/log.ts"
import { openLogKey, readAnswerSigner } from "./directory/log-key.ts"
import { createDirectory } from "./directory/service.ts"
import { shutdownMs } from "./limits.ts"
import { createMetrics } from "./metrics.ts"
import type { Database } from "./storage/database.ts"
import { openDatabase } from "./storage/open-database.ts"
import { countOf } from "./storage/row.ts"
import { version } from "./version.ts"

export interface Running {
  /** `http://127.0.0.1:6969` */
  readonly url: string
  readonly metricsUrl: string | undefined
  /** Resolves when nothing is open any more. */
  stop(): Promise<void>
}

const nowSeconds = (): number => Math.floor(Date.now() / 1_000)

export async function serve(config: Config, log: Log): Promise<Running> {
  const database = await openDatabase(config.storage, nowSeconds)
  const closing: (() => Promise<void> | void)[] = [() => database.close()]
  const close = async (): Promise<void> => {
    for (const step of closing.toReversed()) await step()
  }
  try {
    let isDraining = false
    const metrics = createMetrics(() => countsOf(database))
    const chains = createChainSource({ stores: config.stores, nowMs: Date.now })
    const { domain, registration, reserved } = config
    const signer = await openLogKey(database, config.logKeyFile, domain)
    const directory = createDirectory({ database, signer, chains, domain, registration, reserved, now: nowSeconds })
    const devices = createDevices(database, (error) => log.error(errorFields(error), "cursors are not written"))
    closing.push(() => devices.stop())
    const sent = createSent({
      database,
      nowSeconds,
      onFault: (error) => log.error(errorFields(error), "names of what was sent are not written"),
    })
    closing.push(() => sent.stop())
    const writers = createWriters({
      database,
      nowMs: Date.now,
      onFault: (error) => log.error(errorFields(error), "who wrote where is not written down"),
    })
    closing.push(() => writers.stop())
    const standings = createStandings({ chains, database, devices, nowMs: Date.now })
    const chat = await startChatOf(config, { database, devices, sent, writers, standings, metrics, log })
    closing.push(() => chat?.stop())
    if (chat === undefined) log.info({}, "no nats_url is set: handles are served, and no chat")
    const app = createApp(
      {
        directory,
        standings,
        answerSigner: readAnswerSigner(config.logKeyFile),
        chat,
        chains,
        database,
        domain,
        baseUrl: config.baseUrl ?? (domain === "localhost" ? `http://localhost:${config.port}` : `https://${domain}`),
        told: config.told,
        clock: { nowMs: Date.now },
        log,
        metrics,
        isDraining: () => isDraining,
      },
      config.http,
    )
    closing.push(() =>
      closeInTime(
        { server: app.http.server, close: () => app.http.close() },
        { afterMs: shutdownMs, onCut: () => log.warn({ afterMs: shutdownMs }, "requests were cut") },
      ),
    )
    const url = await listenApp(app.http, config)
    const metricsServer = config.metrics.mode === "separate" ? createMetricsServer(metrics) : undefined
    const metricsUrl = metricsServer && (await listenMetrics(metricsServer, config.metrics))
    closing.push(() => {
      metricsServer?.close()
      metricsServer?.closeAllConnections()
    })
    log.info({ version, storage: database.kind, domain, registration, at: url, metricsAt: metricsUrl }, "listening")
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

/** Without the broker the rest goes on: it is tried again for as long as the process runs. */
async function startChatOf(
  { broker, domain, stores, admins, http }: Config,
  deps: Pick<ChatOptions, "database" | "devices" | "sent" | "writers" | "standings" | "metrics" | "log">,
): Promise<ChatService | undefined> {
  if (broker === undefined) return undefined
  // Loaded here, so that a server of handles alone starts as fast as before.
  const { startChat } = await import("./broker/chat-service.ts")
  return startChat({ ...deps, config: broker, domain, stores, admins, trustProxy: http.trustProxy })
}

async function countsOf(database: Database): Promise<{ readonly leaves: number; readonly handles: number }> {
  const [row] = await database.rows("SELECT count(*) AS handles FROM handles WHERE state = 'registered'")
  return { leaves: await logSize(database), handles: countOf(row?.["handles"]) }
}

/**
 * The chat over the broker: everything that is there while a nats-server is. It is started in an order in which nobody is let in before there
 * is an answer to commands, and comes back by itself whatever ends in between.
 */
import {
  type BrokerKeys,
  createBrokerStore,
  cutDevice,
  type Responder,
  readBrokerKeys,
  startResponder,
} from "@kez/broker"
import { type BrokerDevice, KezError } from "@kez/core"
import { errorFields, type Log } from "@kez/server/log"
import type { CommandDeps } from "../commands/command.ts"
import { createHandlers } from "../commands/handlers.ts"
import { type CommandPlans, createCommandLimits, createNewLimit } from "../commands/rate-limit.ts"
import { type Router, startRouter } from "../commands/router.ts"
import { createMailboxes } from "../conversations/mailboxes.ts"
import type { Sent } from "../conversations/sent.ts"
import { createStrangers } from "../conversations/strangers.ts"
import { createTurns } from "../conversations/turns.ts"
import type { Writers } from "../conversations/writers.ts"
import { brokerRetryMs } from "../limits.ts"
import type { ChatMetrics } from "../metrics.ts"
import type { Database } from "../storage/database.ts"
import { createDecider } from "./callout.ts"
import { watchDevices } from "./connected.ts"
import type { Devices } from "./devices.ts"
import { followRevocations } from "./revocations.ts"
import { watchRoom } from "./room.ts"
import { connectServices, type ServiceConnections } from "./service-connections.ts"
import type { Standings } from "./standing.ts"

export interface BrokerConfig {
  readonly url: string
  readonly keysFolder: string
  /** Copies of each stream: 1 for a nats-server alone, 3 in a cluster. */
  readonly replicas: number
  readonly plans: CommandPlans
}

export interface ChatOptions {
  readonly config: BrokerConfig
  readonly domain: string
  readonly stores: readonly string[]
  readonly admins: readonly string[]
  readonly trustProxy: readonly string[]
  readonly database: Database
  readonly devices: Devices
  readonly sent: Sent
  readonly writers: Writers
  readonly standings: Standings
  readonly metrics: ChatMetrics
  readonly log: Log
}

export interface ChatService {
  /** Whether commands are answered at this moment, and what they bring is kept. */
  isReady(): boolean
  stop(): Promise<void>
}

/** Throws where the keys are not to be read. Resolves after the first attempt to reach the broker, and goes on trying in the background. */
export async function startChat(options: ChatOptions): Promise<ChatService> {
  const { log, config } = options
  const keys = readBrokerKeys(config.keysFolder)
  let running: Running | undefined
  let isStopping = false
  let said = ""
  const attempt = async (): Promise<boolean> => {
    try {
      running = await runChat(options, keys)
      log.info({ broker: config.url }, "the broker is connected")
      return true
    } catch (error) {
      const text = error instanceof KezError ? `${error.message} ${error.hint ?? ""}` : String(error)
      // Once for each reason, not at each attempt.
      if (text !== said) log.warn({ broker: config.url, ...errorFields(error) }, "the broker is not reached; trying on")
      said = text
      return false
    }
  }
  const tryOn = async (): Promise<void> => {
    while (!isStopping && !(await attempt())) await new Promise((resolve) => setTimeout(resolve, brokerRetryMs))
  }
  const trying = (await attempt()) ? Promise.resolve() : tryOn()
  return {
    isReady: () => running?.isReady() ?? false,
    async stop() {
      isStopping = true
      await trying
      await running?.stop()
    },
  }
}

interface Running {
  isReady(): boolean
  stop(): Promise<void>
}

async function runChat(options: ChatOptions, keys: BrokerKeys): Promise<Running> {
  const { config, log } = options
  let ensure: () => Promise<void> = () => Promise.resolve()
  let forget: () => void = () => undefined
  const connections = await connectServices({
    url: config.url,
    keys,
    onReturn: (name) => {
      log.info({ connection: name }, "the broker is back")
      if (name === "sys") forget()
      // It may be another one, or have lost its disk.
      if (name === "store")
        void ensure().catch((error: unknown) => log.error(errorFields(error), "streams are not made"))
    },
  })
  try {
    const store = await createBrokerStore({
      connection: connections.store,
      mailboxSecret: keys.mailboxSecret,
      replicas: config.replicas,
    })
    ensure = () => store.ensureStreams()
    await ensure()
    const cut = cutter(connections, (device) => store.closeSession(device))
    const router = route(options, { connections, store, cut })
    const connected = watchDevices(connections.sys, options.metrics)
    forget = connected.reset
    const responder = respond(options, { connections, keys })
    const room = watchRoom({ ...options, sys: connections.sys })
    await Promise.all([connections.chat.flush(), connections.auth.flush(), connections.sys.flush()])
    const revocations = followRevocations({
      ...options,
      cut,
      onRevoked: options.metrics.revoked,
      onFault: (at, error) => log.warn({ store: at, ...errorFields(error) }, "the feed of a store is not read"),
    })
    return {
      isReady: () => connections.isConnected() && room.isWell(),
      async stop() {
        room.stop()
        await responder.stop().catch(() => undefined)
        await router.stop().catch(() => undefined)
        await revocations.stop()
        connected.stop()
        await connections.close()
      },
    }
  } catch (error) {
    await connections.close()
    throw error
  }
}

/** The reader first: a connection that is cut comes back at once, and must not find it. Twice, for one that was being let in meanwhile. */
function cutter(
  { sys }: ServiceConnections,
  closeSession: (device: BrokerDevice) => Promise<void>,
): (device: BrokerDevice) => Promise<void> {
  const once = async (device: BrokerDevice): Promise<void> => {
    await cutDevice(sys, device)
    await closeSession(device)
  }
  return async (device) => {
    await once(device)
    setTimeout(() => void once(device).catch(() => undefined), 2_000).unref()
  }
}

interface Parts {
  readonly connections: ServiceConnections
  readonly store: CommandDeps["store"]
  readonly cut: (device: BrokerDevice) => Promise<void>
}

function route(options: ChatOptions, { connections, store, cut }: Parts): Router {
  const { database, devices, sent, writers, standings, metrics, admins, log, config } = options
  const strangers = createStrangers(writers)
  const mailboxes = createMailboxes({ store, devices, strangers, nowMs: Date.now, onDelivery: metrics.delivered })
  const handlers = createHandlers({
    database,
    store,
    devices,
    standings,
    mailboxes,
    turns: createTurns(),
    sent,
    writers,
    limitNew: createNewLimit(config.plans.write.burst === 0, Date.now),
    admins,
    nowSeconds: () => Math.floor(Date.now() / 1_000),
    publishLive: (subject, data) => connections.chat.publish(subject, data),
  })
  return startRouter({
    connection: connections.chat,
    handlers,
    devices,
    limit: createCommandLimits(config.plans, Date.now),
    onStranger: (device) => void cut(device).catch(() => undefined),
    onDone: metrics.commanded,
    onFault: (operation, error) => log.error({ operation, ...errorFields(error) }, "a command failed"),
  })
}

function respond(
  { domain, standings, trustProxy, metrics, log }: ChatOptions,
  { connections, keys }: { readonly connections: ServiceConnections; readonly keys: BrokerKeys },
): Responder {
  return startResponder({
    connection: connections.auth,
    issuer: keys.issuer,
    xkey: keys.xkey,
    decide: createDecider({ domain, standings, nowMs: Date.now, trustProxy, onDecision: metrics.decided }),
    onDropped: (code, error) => {
      metrics.decided(`dropped ${code}`)
      if (error !== undefined) log.error({ code, ...errorFields(error) }, "a question of the broker was not decided")
    },
  })
}

/** The engine of an account with everything it needs here: store, chains, HTTP, broker, clock. */
import { join } from "node:path"
import type { Net } from "@kez/channels"
import { deviceSigner, type Engine, type EnginePorts, openEngine } from "@kez/chat"
import { createNatsTransport } from "@kez/chat/nats"
import { openSqliteStore } from "@kez/chat/sqlite"
import { type Digest, decodeEnvelope, envelopeDigest, KezError, type Signer } from "@kez/core"
import { connect, wsconnect } from "@nats-io/transport-node"
import { archiveKeyOf, noteArchive } from "../account/archive-state.ts"
import { type AboutHost, aboutHost, askHost, storesFor } from "../account/chat-host.ts"
import { openDevice } from "../account/device-file.ts"
import { folderOf, type ReadyAccount } from "../account/records.ts"
import { readDemands, type VerifyOptions } from "../commands/verify-options.ts"
import type { Context } from "../context.ts"
import { openNet } from "../network.ts"
import { readStore } from "../store/access.ts"
import type { Demands } from "../verify-accounts.ts"
import { createBrokerPlace } from "./broker-place.ts"
import { createChainPort, type LiveChainPort } from "./chain-port.ts"

export interface ReachOptions extends Pick<VerifyOptions, "store" | "resolver" | "timeout"> {
  /** Who has the messages open, for others who find them so: `kez chat`. */
  readonly holder?: string
  /** Whether it goes on until somebody ends it: then changes of chains are heard of at once. */
  readonly follows?: boolean
  /** Opens the archive for this run: of the words, which are here at the moment. */
  readonly archiveSecret?: Uint8Array
}

/** How long a chat that ends waits for its archive. */
const archiveMs = 3_000
/** A store is asked for the chain of each contact. */
const streamsPerHost = 64

/** An engine that runs, and what stands beside it. */
export interface OpenChat {
  readonly account: ReadyAccount
  readonly engine: Engine
  readonly chains: LiveChainPort
  readonly demands: Demands
  /** Of this device, as the chain lists it. */
  readonly signer: Signer
  /** Those of the settings, and those that the chat server names. */
  stores(): Promise<readonly string[]>
  /** Ends the engine and all that it started. */
  close(): Promise<void>
}

export async function openChat(context: Context, account: ReadyAccount, options: ReachOptions = {}): Promise<OpenChat> {
  const demands = await readDemands(context, options)
  const net = await demands.net()
  const device = await openDevice(context, account)
  const { holder = "kez" } = options
  // Before anybody is asked: another kez may have it.
  const store = openSqliteStore({
    folder: join(folderOf(context.paths, account), `chat-${account.host}`),
    key: device.storeKey,
    holder,
  })
  try {
    const stores = createStoreList(context, { account, net, given: options.store ?? [], timeoutMs: demands.timeoutMs })
    const streams =
      options.follows === true
        ? () => openNet(context, { timeoutMs: demands.timeoutMs, perHost: streamsPerHost })
        : undefined
    const chains = createChainPort(context, { net, streams, stores, timeoutMs: demands.timeoutMs })
    await chains.load(await knownChains(context))
    const timers = createTimers()
    const archiveKey = archiveKeyOf(account)
    const { archiveSecret } = options
    const place = createBrokerPlace(context, { host: account.host, net, timeoutMs: demands.timeoutMs })
    const engine = await openEngine({
      account: {
        chain: account.chain,
        keys: device.keys,
        host: account.host,
        handle: account.handle,
        handleStatements: account.statements.map(digestOfStatement),
        ...(archiveKey === undefined ? {} : { archiveKey }),
        ...(archiveSecret === undefined ? {} : { archiveSecret }),
      },
      transport: createNatsTransport({
        // Where it is, the server is asked at each attempt, which may find it moved.
        servers: [],
        dial: async (options) => {
          const { isWeb, ...at } = await place()
          return (isWeb ? wsconnect : connect)({ ...options, ...at })
        },
      }),
      store,
      chains,
      http: createHttpPort(net, demands.timeoutMs),
      clock: { now: () => context.now(), after: timers.after },
      random: Math.random,
    })
    const noting = noteArchives(context, account, engine)
    const close = async (): Promise<void> => {
      // What was said since is to outlast this computer. Of a store that fails, closing it tells.
      await engine.archived(archiveMs).catch(() => undefined)
      chains.close()
      await engine.close()
      await noting
      timers.stop()
    }
    return { account, engine, chains, demands, signer: deviceSigner(device.keys), stores, close }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** For those who ask later. Nothing stops because it cannot be noted. */
async function noteArchives(context: Context, account: ReadyAccount, engine: Engine): Promise<void> {
  const events = engine.events()
  const note = (): void => {
    try {
      noteArchive(context, account, engine.archive())
    } catch {
      // Of a full disk the store tells.
    }
  }
  note()
  for await (const { kind } of events) if (kind === "archive") note()
}

/** Timers that end with the chat: one that is left would keep the command from ending. */
function createTimers() {
  const running = new Set<NodeJS.Timeout>()
  return {
    after(ms: number, run: () => void): () => void {
      const timer = setTimeout(() => {
        running.delete(timer)
        run()
      }, ms)
      running.add(timer)
      return () => {
        clearTimeout(timer)
        running.delete(timer)
      }
    },
    stop(): void {
      for (const timer of running) clearTimeout(timer)
    },
  }
}

interface StoreWish {
  readonly account: ReadyAccount
  readonly net: Net
  readonly given: readonly string[]
  readonly timeoutMs: number
}

/** The server is asked once, and again after a failure. Offline one goes on with those of the settings. */
function createStoreList(
  context: Context,
  { account, net, given, timeoutMs }: StoreWish,
): () => Promise<readonly string[]> {
  const { host } = account
  const list = (about: AboutHost): readonly string[] => {
    try {
      return storesFor(context, { host, about, given })
    } catch (error) {
      if (error instanceof KezError) return []
      throw error
    }
  }
  let asking: Promise<readonly string[]> | undefined
  return () => {
    asking ??= aboutHost(net, host, timeoutMs).then(list, (error: unknown) => {
      if (!(error instanceof KezError)) throw error
      asking = undefined
      return list({ stores: [], broker: [], relays: [] })
    })
    return asking
  }
}

async function knownChains(context: Context): Promise<readonly Digest[]> {
  return readStore<readonly Digest[]>(context, [], (store) =>
    store
      .prepare("SELECT DISTINCT chain FROM events")
      .all()
      .map((row) => String(row["chain"])),
  )
}

function createHttpPort(net: Net, timeoutMs: number): EnginePorts["http"] {
  return {
    async request(request) {
      const { status, body } = await askHost(net, { ...request, timeoutMs })
      return { status, body }
    },
  }
}

function digestOfStatement(text: string): Digest {
  const kind = text.startsWith('{"kez":"handle_move",') ? "handle_move" : "handle_registration"
  return envelopeDigest(decodeEnvelope(text, kind))
}

/** Resolves when the engine is online, or has no hope, or after the time. */
export async function waitOnline(engine: Engine, timeoutMs: number): Promise<void> {
  const until = performance.now() + timeoutMs
  const events = engine.events()
  const timer = setTimeout(() => void events.return?.(), timeoutMs)
  try {
    if (isDecided(engine)) return
    for await (const event of events) {
      if (event.kind === "connection" && isDecided(engine)) return
      if (performance.now() > until) return
    }
  } finally {
    clearTimeout(timer)
    await events.return?.()
  }
}

function isDecided(engine: Engine): boolean {
  const { kind } = engine.connection()
  return kind === "online" || kind === "revoked"
}

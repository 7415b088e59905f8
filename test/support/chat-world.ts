/**
 * A whole chat on free ports of loopback, in folders of its own: a real kez-sig-server, nats-server and kez-chat-server, people with handles,
 * chains and devices, and raw clients of the wire format. `startChatWorld(t)` is all that a test needs.
 */
import { rmSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { BrokerSettings } from "@kez/broker"
import {
  type CommandAnswers,
  type CommandRequests,
  createDeviceKeys,
  createKeyPackage,
  type Delivery,
  type DeviceKeys,
  decodeAnswer,
  decodeDelivery,
  deviceSigner,
  encodeRequest,
  type Operation,
  signDeviceCredential,
  type WithParts,
} from "@kez/chat"
import { jetstream } from "@nats-io/jetstream"
import { type ConnectionOptions, connect, type NatsConnection } from "@nats-io/transport-node"
import {
  type BrokerDevice,
  type Operation as ChainOperation,
  type ChainReplay,
  commandSubjectOf,
  createConnectToken,
  deviceIdOf,
  type Envelope,
  formatTime,
  inboxPrefixOf,
  keyOfSecret,
  type Signer,
  signEnvelope,
  userIdOf,
} from "../../packages/core/src/index.ts"
import { brokerSettings, startTestBroker, type TestBroker } from "./broker.ts"
import { grow, nowSeconds, personWith, register, signerOf, startChatServer } from "./chat-server.ts"
import type { Cleaner } from "./person.ts"
import { freePorts } from "./ports.ts"
import type { ServerProcess } from "./server-process.ts"
import { publishChain, startSigServer } from "./sig-server.ts"

export interface ChatWorld {
  /** The sigchain store. */
  readonly store: ServerProcess
  /** The nats-server now; another object after `restartBroker`. */
  readonly broker: TestBroker
  /** The chat server now; another object after `restartServer`. */
  readonly server: ServerProcess
  /** Somebody new, with a chain in the store, a registered handle and one device (or more). The same name gives the same primary key. */
  person(handle: string, devices?: number): Promise<WorldPerson>
  /** Connects a device to the broker. */
  connect(device: WorldDevice, options?: ConnectionOptions): Promise<RawClient>
  restartServer(signal?: NodeJS.Signals): Promise<void>
  /** `losesDisk`: its streams are gone. */
  restartBroker(
    signal?: NodeJS.Signals,
    options?: { readonly losesDisk?: boolean; readonly settings?: Partial<BrokerSettings> },
  ): Promise<void>
}

export interface WorldPerson {
  readonly handle: string
  readonly uid: string
  readonly primary: Signer
  /** Grows with each operation. */
  readonly chain: ChainReplay
  readonly devices: readonly WorldDevice[]
  /** Appends to the chain and publishes it. */
  append(operation: ChainOperation): Promise<void>
  addDevice(): Promise<WorldDevice>
}

export interface WorldDevice extends BrokerDevice {
  readonly keys: DeviceKeys
  /** Key identity, as the chain lists it. */
  readonly device: string
  readonly chain: string
  readonly sessionSecret: Uint8Array
  readonly session: Envelope<"nats_session">
}

/** A client that speaks the wire format and knows nothing else. */
export interface RawClient {
  readonly connection: NatsConnection
  readonly device: WorldDevice
  ask<O extends Operation>(
    operation: O,
    request: CommandRequests[O],
    parts?: readonly Uint8Array[],
  ): Promise<WithParts<CommandAnswers[O]>>
  /** The code of the refusal, or "ok". */
  codeOf<O extends Operation>(operation: O, request: CommandRequests[O], parts?: readonly Uint8Array[]): Promise<string>
  /** Until it is answered again: one that knocked before the chat server was back is not, and knocks again after its five seconds. */
  back(): Promise<void>
  /** Opens a session at a cursor and reads all that is there; with their places in the mailbox. */
  read(cursor?: number): Promise<readonly (Delivery & { readonly place: number })[]>
}

export interface ChatWorldSetup {
  /** Further flags of the chat server. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Instead of what a test broker has otherwise. */
  readonly broker?: Partial<BrokerSettings>
}

/** Of the store: tests make many events at once. */
const unlimited = ["chain", "ip", "genesis", "read"].flatMap((what) => [`--${what}-burst`, "0"])
let people = 0

export async function startChatWorld(
  of: Cleaner,
  { args = [], env = {}, broker: changes = {} }: ChatWorldSetup = {},
): Promise<ChatWorld> {
  // What is started within a test, such as a server again, lives as long as the world: `after` itself would end it with that test.
  const cleaning: (() => void | Promise<void>)[] = []
  of.after(async () => {
    for (const clean of cleaning.toReversed()) await clean()
  })
  const t: Cleaner = { after: (clean) => void cleaning.push(clean) }
  const [port = 0] = await freePorts(1)
  const pages = brokerSettings(t, [`http://127.0.0.1:${port}`])
  const [store, usual] = await Promise.all([startSigServer(t, { args: unlimited }), pages])
  const settings = { ...usual, ...changes }
  let broker = await startTestBroker(t, settings)
  const flags = [
    ...["--stores", store.url, "--nats-url", broker.url, "--broker-keys", `${settings.folder}/keys`],
    ...["--command-burst", "0", "--message-burst", "0", "--port", String(port)],
    ...args,
  ]
  let server = await startChatServer(t, { args: flags, env })
  return {
    store,
    get broker() {
      return broker
    },
    get server() {
      return server
    },
    person: (handle, devices = 1) => makeWorldPerson({ store, server: () => server }, { handle, devices }),
    connect: (device, options) => connectRaw(t, { broker: () => broker, device, options }),
    async restartServer(signal = "SIGTERM") {
      await server.end(signal)
      server = await startChatServer(t, { args: flags, env, folder: server.folder })
    },
    async restartBroker(signal = "SIGKILL", { losesDisk = false, settings: others = {} } = {}) {
      broker.child.kill(signal)
      await broker.ended
      if (losesDisk) rmSync(join(settings.folder, "streams"), { recursive: true })
      broker = await startTestBroker(t, { ...settings, ...others })
    },
  }
}

interface Servers {
  readonly store: ServerProcess
  readonly server: () => ServerProcess
}

async function makeWorldPerson(
  { store, server }: Servers,
  { handle, devices: count }: { readonly handle: string; readonly devices: number },
): Promise<WorldPerson> {
  people += 1
  const primary = signerOf(10_000 + people)
  let { chain } = await personWith(primary, `kez:${handle}@localhost`)
  await publishChain(store, chain)
  const devices: WorldDevice[] = []
  const append = async (operation: ChainOperation): Promise<void> => {
    chain = await grow(chain, operation, primary)
    await publishChain(store, chain)
  }
  const addDevice = async (): Promise<WorldDevice> => {
    const keys = createDeviceKeys()
    await append({ op: "add_device", device: deviceSigner(keys) })
    const device = await worldDevice(keys, chain.chain)
    devices.push(device)
    return device
  }
  for (let at = 0; at < count; at++) await addDevice()
  const answer = await register(server(), { signer: primary, chain }, handle, { omitsChain: true })
  if (answer.status !== 201) throw new Error(`Cannot register ${handle}: ${answer.text}`)
  return {
    handle,
    uid: userIdOf(chain.chain),
    primary,
    get chain() {
      return chain
    },
    devices,
    append,
    addDevice,
  }
}

/** A device by its keys, with a session for this server. */
export async function worldDevice(keys: DeviceKeys, chain: string, host = "localhost"): Promise<WorldDevice> {
  const signer = deviceSigner(keys)
  const session = await signEnvelope(
    "nats_session",
    {
      type: "kez.chat.nats_session",
      version: 1,
      audience: host,
      chain,
      session: keyOfSecret("ed25519", keys.nats),
      created_at: formatTime(nowSeconds()),
      expires_at: formatTime(nowSeconds() + 3_600),
    },
    signer,
  )
  return {
    uid: userIdOf(chain),
    dev: deviceIdOf(signer.key),
    keys,
    device: signer.key,
    chain,
    sessionSecret: keys.nats,
    session,
  }
}

/** Key packages of a device, for `key-packages-put`. */
export async function keyPackagesOf(
  device: WorldDevice,
  count: number,
  isLastResort = false,
): Promise<readonly Uint8Array[]> {
  const now = nowSeconds()
  const credential = await signDeviceCredential({ chain: device.chain, keys: device.keys, now })
  const request = { keys: device.keys, credential, now, isLastResort }
  const made = await Promise.all(Array.from({ length: count }, () => createKeyPackage(request)))
  return made.map(({ bytes }) => bytes)
}

interface RawConnection {
  readonly broker: () => TestBroker
  readonly device: WorldDevice
  readonly options: ConnectionOptions | undefined
}

async function connectRaw(t: Cleaner, { broker, device, options }: RawConnection): Promise<RawClient> {
  const { sessionSecret, session } = device
  const connection = await connect({
    servers: broker().url,
    authenticator: (nonce?: string) => ({
      auth_token: createConnectToken({ sessionSecret, session, nonce, nowSeconds: nowSeconds() }),
      // Without a signature the server would not tell the nonce to the callout.
      sig: "-",
    }),
    inboxPrefix: inboxPrefixOf(device),
    timeout: 5_000,
    reconnectTimeWait: 100,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    ...options,
  })
  t.after(() => connection.close().catch(() => {}))
  const ask: RawClient["ask"] = async (operation, request, parts = []) => {
    const bytes = encodeRequest(operation, request, parts)
    const answer = await connection.request(commandSubjectOf(device, operation), bytes, { timeout: 4_000 })
    return decodeAnswer(operation, answer.data)
  }
  const codeOf: RawClient["codeOf"] = (operation, request, parts) => {
    const refused = (error: unknown): string => {
      if (error instanceof Error && "code" in error) return String(error.code)
      throw error
    }
    return ask(operation, request, parts).then(() => "ok", refused)
  }
  return {
    connection,
    device,
    ask,
    codeOf,
    async back() {
      while ((await codeOf("cursor", { cursor: 0 }).catch(() => "silent")) !== "ok") await sleep(100)
    },
    async read(cursor = 0) {
      const { header } = await ask("session", { cursor })
      const consumer = jetstream(connection, { timeout: 5_000 }).consumers.getConsumerFromInfo(JSON.parse(header.info))
      const found: (Delivery & { readonly place: number })[] = []
      for (;;) {
        let count = 0
        for await (const message of await consumer.fetch({ max_messages: 256, expires: 1_000 })) {
          count += 1
          found.push({ ...decodeDelivery(message.data), place: message.seq })
          if (message.info.pending === 0) return found
        }
        if (count === 0) return found
      }
    },
  }
}

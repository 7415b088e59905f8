/** A real nats-server with KEZ's configuration, its callout, and devices that connect to it. On free ports of loopback. */
import { createHash, randomUUID } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  type Broker,
  type BrokerSettings,
  type BrokerStore,
  type ConnectAttempt,
  connectService,
  createBrokerStore,
  type Decision,
  findNatsServer,
  type Nkey,
  type Responder,
  startBroker,
  startResponder,
} from "@kez/broker"
import {
  type BrokerDevice,
  createConnectToken,
  createSigner,
  deviceIdOf,
  type Envelope,
  formatTime,
  inboxPrefixOf,
  keyOfSecret,
  signEnvelope,
  userIdOf,
  verifyConnectToken,
} from "@kez/core"
import { type ConnectionOptions, connect, type NatsConnection, wsconnect } from "@nats-io/transport-node"
import type { Cleaner } from "./person.ts"
import { freePorts } from "./ports.ts"

const found = await findNatsServer({ env: { ...process.env, NATS_URL: "" }, fetch: false })

/** The path of nats-server; "" where it is missing, and every test with `skipWithoutNats` is skipped. */
export const natsServer = found?.kind === "program" ? found.path : ""
export const skipWithoutNats =
  natsServer === "" && "missing server: nats-server (sh scripts/setup-test-servers.sh installs it)"

export const audience = "localhost"

export interface TestBroker extends Broker {
  readonly settings: BrokerSettings
  /** Connects one of our services. */
  service(name: "auth" | "store" | "chat" | "sys"): Promise<NatsConnection>
  store(): Promise<BrokerStore>
}

export async function brokerSettings(
  t: Cleaner,
  allowedOrigins: readonly string[] = ["https://chat.example"],
): Promise<BrokerSettings> {
  const folder = mkdtempSync(join(tmpdir(), "kez-broker-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const [client = 0, websocket = 0, monitorPort = 0] = await freePorts(3)
  const host = "127.0.0.1"
  return {
    folder,
    client: { host, port: client },
    websocket: { host, port: websocket, allowedOrigins },
    monitorPort,
  }
}

/** Resolves when it serves; it is stopped at the end. */
export async function startTestBroker(t: Cleaner, given?: BrokerSettings): Promise<TestBroker> {
  const settings = given ?? (await brokerSettings(t))
  const broker = await startBroker(natsServer, settings)
  // Questions that nobody answered would hold an orderly stop up for half a minute.
  t.after(async () => {
    broker.child.kill("SIGKILL")
    await broker.ended
  })
  const service: TestBroker["service"] = async (name) => {
    const connection = await connectService({ url: broker.url, key: broker.keys[name], name: `kez-${name}` })
    t.after(() => connection.close().catch(() => {}))
    return connection
  }
  return {
    ...broker,
    settings,
    service,
    store: async () =>
      createBrokerStore({ connection: await service("store"), mailboxSecret: broker.keys.mailboxSecret }),
  }
}

export interface TestDevice extends BrokerDevice {
  readonly sessionSecret: Uint8Array
  readonly session: Envelope<"nats_session">
}

/** A device of a person. The same names give the same keys. */
export async function makeDevice(person: string, name = "phone", host = audience): Promise<TestDevice> {
  const secretOf = (text: string) => Uint8Array.from(createHash("sha256").update(`kez test ${text}`).digest())
  const chain = `sha256:${Buffer.from(secretOf(person)).toString("hex")}`
  const signer = createSigner("ed25519", secretOf(`${person} ${name}`))
  const sessionSecret = secretOf(`${person} ${name} session`)
  const nowSeconds = Math.floor(Date.now() / 1000)
  const session = await signEnvelope(
    "nats_session",
    {
      type: "kez.chat.nats_session",
      version: 1,
      audience: host,
      chain,
      session: keyOfSecret("ed25519", sessionSecret),
      created_at: formatTime(nowSeconds),
      expires_at: formatTime(nowSeconds + 3_600),
    },
    signer,
  )
  return { uid: userIdOf(chain), dev: deviceIdOf(signer.key), sessionSecret, session }
}

/** What the chat server decides, with every device registered that proves itself and is not in `banned`. */
export function decideBy(banned: ReadonlySet<string> = new Set()): (attempt: ConnectAttempt) => Decision {
  return ({ token, nonce }) => {
    const verdict = verifyConnectToken(token, { audience, nonce, nowSeconds: Math.floor(Date.now() / 1000) })
    if (!verdict.ok) return { refuse: verdict.code }
    return banned.has(verdict.connection.dev) ? { refuse: "auth.refused" } : { admit: verdict.connection }
  }
}

export async function startCallout(
  broker: TestBroker,
  { decide = decideBy(), issuer = broker.keys.issuer, ...rest }: CalloutSetup = {},
): Promise<{ readonly connection: NatsConnection; readonly responder: Responder }> {
  const connection = await broker.service("auth")
  const responder = startResponder({ connection, issuer, xkey: broker.keys.xkey, decide, ...rest })
  await connection.flush()
  return { connection, responder }
}

export interface CalloutSetup {
  readonly decide?: (attempt: ConnectAttempt) => Promise<Decision> | Decision
  readonly issuer?: Nkey
  readonly nowSeconds?: () => number
  readonly onDropped?: (code: string) => void
}

/** The authenticator of a device, as `packages/chat` has it. */
export function authenticatorOf({ sessionSecret, session }: TestDevice) {
  return (nonce?: string) => ({
    auth_token: createConnectToken({ sessionSecret, session, nonce, nowSeconds: Math.floor(Date.now() / 1000) }),
    // Without a signature the server would not tell the nonce to the callout.
    sig: "-",
  })
}

export interface DeviceConnection {
  readonly broker: Broker
  readonly device: TestDevice
  readonly transport?: "tcp" | "websocket"
  readonly options?: ConnectionOptions
}

/** One transport a process: the client keeps the factory of its transport in a global, and an older connection reconnects by the wrong one. */
export async function connectDevice(t: Cleaner, { broker, device, transport = "tcp", options }: DeviceConnection) {
  const open = transport === "tcp" ? connect : wsconnect
  const connection = await open({
    servers: transport === "tcp" ? broker.url : broker.websocketUrl,
    authenticator: authenticatorOf(device),
    inboxPrefix: inboxPrefixOf(device),
    name: `test-${randomUUID()}`,
    timeout: 35_000,
    reconnect: false,
    ...options,
  })
  t.after(() => connection.close().catch(() => {}))
  return connection
}

/** The configuration of nats-server. It holds public keys only. docs/decisions/broker.md gives the reason of each line. */
import { isIP } from "node:net"
import { KezError } from "@kez/core"
import {
  authTimeoutSeconds,
  maxConnections,
  maxLogBytes,
  maxPayloadBytes,
  maxPendingBytes,
  maxSubscriptions,
  writeDeadlineSeconds,
} from "../limits.ts"
import type { BrokerKeys, KeyName } from "./key-files.ts"

export interface Listen {
  readonly host: string
  readonly port: number
}

export interface ServerSettings {
  /** Of the server, for whoever looks at several. */
  readonly name: string
  readonly dataFolder: string
  readonly logFile: string
  readonly pidFile: string
  readonly client: Listen
  readonly websocket: Listen & {
    /** Pages that may open a WebSocket: `https://chat.example`. Programs that are no browsers send no origin. */
    readonly allowedOrigins: readonly string[]
    /** Without it there must be a proxy with TLS in front, or only loopback. */
    readonly tls?: { readonly certFile: string; readonly keyFile: string }
  }
  /** On loopback always: it tells everything to everybody. */
  readonly monitorPort: number
  /** The most that all streams may be together. Without it nats-server takes at each start what they are, and three quarters of what is free. */
  readonly maxStoredBytes?: number
}

/** Public keys are all that it takes. */
export type PublicKeys = { readonly [K in KeyName]: Pick<BrokerKeys[K], "publicKey"> }

/** The text of the configuration. Throws `usage` on a setting that would mean something else in it. */
export function formatConfiguration(keys: PublicKeys, settings: ServerSettings): string {
  const { client, websocket, monitorPort } = settings
  return `# Written by KEZ at each start; changes here are lost. It holds no secret.
server_name: ${quote(settings.name)}
listen: ${quote(address(client))}
http: "127.0.0.1:${port(monitorPort)}"
pid_file: ${quote(settings.pidFile)}
log_file: ${quote(settings.logFile)}
log_size_limit: ${maxLogBytes}
log_max_num: 3
max_connections: ${maxConnections}
max_subscriptions: ${maxSubscriptions}
max_payload: ${maxPayloadBytes}
max_pending: ${maxPendingBytes}
write_deadline: "${writeDeadlineSeconds}s"

websocket {
  listen: ${quote(address(websocket))}
  ${websocketTls(websocket)}
  compression: false
  allowed_origins: [${websocket.allowedOrigins.map((origin) => quote(checkOrigin(origin))).join(", ")}]
}

jetstream {
  store_dir: ${quote(settings.dataFolder)}
  sync_interval: always${settings.maxStoredBytes === undefined ? "" : `\n  max_file_store: ${settings.maxStoredBytes}`}
  limits { default_max_consumers: -1 }
}

${formatAccounts(keys)}`
}

function formatAccounts(keys: PublicKeys): string {
  const key = (name: KeyName): string => keys[name].publicKey
  return `authorization {
  timeout: ${authTimeoutSeconds}
  auth_callout {
    issuer: ${key("issuer")}
    account: AUTH
    auth_users: [ ${key("auth")}, ${key("store")}, ${key("chat")}, ${key("sys")} ]
    xkey: ${key("xkey")}
  }
}

accounts {
  AUTH {
    users: [ { nkey: ${key("auth")}, permissions: {
      subscribe: { allow: ["$SYS.REQ.USER.AUTH"] }, publish: { deny: [">"] }, allow_responses: true
    } } ]
  }
  STORE {
    jetstream: enabled
    users: [ { nkey: ${key("store")} } ]
    exports: [ { service: "$JS.API.CONSUMER.MSG.NEXT.*.*", response_type: stream, accounts: [CHAT] } ]
  }
  CHAT {
    users: [ { nkey: ${key("chat")}, permissions: {
      subscribe: { allow: ["cmd.>", "_INBOX.>"] }, publish: { allow: ["live.>", "_INBOX.>"] }
    } } ]
    imports: [ { service: { account: STORE, subject: "$JS.API.CONSUMER.MSG.NEXT.*.*" } } ]
  }
  SYS { users: [ { nkey: ${key("sys")} } ] }
}
system_account: SYS
`
}

function websocketTls({ host, tls }: ServerSettings["websocket"]): string {
  if (tls === undefined) {
    if (!isLoopback(host) && !isEveryAddress(host)) {
      throw new KezError(
        "usage",
        "Cannot listen for browsers in the clear: expected loopback, or a certificate and its key",
      )
    }
    return "no_tls: true"
  }
  return `tls { cert_file: ${quote(tls.certFile)}, key_file: ${quote(tls.keyFile)} }`
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."))
}

/** In a container, the proxy with TLS is another one: there every address is meant. */
function isEveryAddress(host: string): boolean {
  return host === "0.0.0.0" || host === "::"
}

function address({ host, port: number }: Listen): string {
  if (!/^[A-Za-z0-9.:-]{1,255}$/.test(host)) throw new KezError("usage", "Cannot listen: expected an address or a name")
  return `${host.includes(":") ? `[${host}]` : host}:${port(number)}`
}

function port(number: number): number {
  if (Number.isInteger(number) && number >= 1 && number <= 65_535) return number
  throw new KezError("usage", "Cannot listen: expected a port from 1 to 65535")
}

function checkOrigin(origin: string): string {
  if (URL.parse(origin)?.origin === origin && /^https?:/.test(origin)) return origin
  throw new KezError("usage", "Cannot allow the origin: expected a form like https://chat.example")
}

/** A text that can hold neither a quote nor a variable (`$NAME`): nats-server would read on in it. */
function quote(text: string): string {
  if (/["$\\\p{Cc}]/u.test(text))
    throw new KezError("usage", 'Cannot write the configuration: a path or name holds " $ \\ or a control character')
  return `"${text}"`
}

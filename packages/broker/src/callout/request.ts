/** What nats-server asks: may this client connect? The JWT of its `$SYS.REQ.USER.AUTH`. */
import { KezError } from "@kez/core"
import { publicBytes } from "../nkey.ts"
import { isObject, type Unknown, verifyJwt } from "./jwt.ts"

export interface CalloutRequest {
  /** A key that the server made for this one connection, `U…`: the subject of our answer. Not the client's. */
  readonly userKey: string
  readonly server: ServerIdentity
  /** Unix seconds after which the server does not wait any more. */
  readonly expiresAtSeconds: number
  readonly client: ClientInfo
  readonly nonce: string | undefined
  readonly token: string | undefined
}

export interface ServerIdentity {
  /** `N…` */
  readonly id: string
  readonly name: string
}

/** Who knocks, as the server sees it. The client chose `name`. */
export interface ClientInfo {
  /** Address without port. */
  readonly host: string
  /** The number that a kick needs. */
  readonly connectionId: number
  readonly type: "nats" | "websocket" | "other"
  readonly name: string
}

/** Checks the server's signature and shape. Throws; the caller answers nothing then. */
export function parseCalloutRequest(jwt: string): CalloutRequest {
  const claims = verifyJwt(jwt, "server")
  if (claims["aud"] !== "nats-authorization-request") throw fault("the audience nats-authorization-request")
  const nats = member(claims, "nats")
  if (nats["type"] !== "authorization_request") throw fault("an authorization_request")
  const server = member(nats, "server_id")
  const id = text(server, "id")
  // Only a server speaks for itself.
  if (id !== claims.iss) throw fault("the server to be the issuer")
  const userKey = text(nats, "user_nkey")
  publicBytes(userKey, "user")
  const client = member(nats, "client_info")
  const options = member(nats, "connect_opts")
  return {
    userKey,
    server: { id, name: text(server, "name") },
    expiresAtSeconds: wholeNumber(claims, "exp"),
    client: clientInfo(client),
    nonce: optionalText(client, "nonce"),
    token: optionalText(options, "auth_token"),
  }
}

function clientInfo(client: Unknown): ClientInfo {
  const type = optionalText(client, "type")
  return {
    host: text(client, "host"),
    connectionId: wholeNumber(client, "id"),
    type: type === "nats" || type === "websocket" ? type : "other",
    name: optionalText(client, "name") ?? "",
  }
}

function member(value: Unknown, name: string): Unknown {
  const held = value[name]
  if (!isObject(held)) throw fault(`an object ${name}`)
  return held
}

function text(value: Unknown, name: string): string {
  const held = value[name]
  if (typeof held !== "string") throw fault(`a text ${name}`)
  return held
}

function optionalText(value: Unknown, name: string): string | undefined {
  return value[name] === undefined || value[name] === "" ? undefined : text(value, name)
}

function wholeNumber(value: Unknown, name: string): number {
  const held = value[name]
  if (typeof held !== "number" || !Number.isSafeInteger(held)) throw fault(`a whole number ${name}`)
  return held
}

function fault(expected: string): KezError {
  return new KezError("schema.value", `Cannot read the server's question: expected ${expected}`)
}

/** Our answers to nats-server: a user JWT inside a response JWT, both signed by the issuer that its configuration names. */
import type { BrokerDevice } from "@kez/core"
import { userJwtSeconds } from "../limits.ts"
import type { Nkey } from "../nkey.ts"
import { encodeJwt } from "./jwt.ts"
import { permissionsOf } from "./permissions.ts"
import type { CalloutRequest } from "./request.ts"

/** Every user is put into this account. It is no argument: whoever could choose it could be in SYS, and the server would obey. */
const account = "CHAT"

/** How a device is called in the broker's own events and lists. */
export function connectionNameOf({ uid, dev }: BrokerDevice): string {
  return `${uid}.${dev}`
}

export interface Admission extends BrokerDevice {
  /** Unix seconds at which the session ends; the connection is looked at anew after 15 minutes at most. */
  readonly expiresAtSeconds: number
}

/** The answer that lets a device in, with the permissions of `permissionsOf`. */
export function encodeAdmission(
  request: CalloutRequest,
  {
    admission,
    issuer,
    nowSeconds,
  }: {
    readonly admission: Admission
    readonly issuer: Nkey
    readonly nowSeconds: number
  },
): string {
  const user = {
    sub: request.userKey,
    aud: account,
    name: connectionNameOf(admission),
    exp: Math.min(nowSeconds + userJwtSeconds, admission.expiresAtSeconds),
    // The server enforces none of these three in this mode; the format wants them.
    nats: { type: "user", version: 2, subs: -1, data: -1, payload: -1, ...permissionsOf(admission) },
  }
  const jwt = encodeJwt(user, issuer, nowSeconds)
  return encodeResponse(request, { nats: { jwt }, issuer, nowSeconds })
}

/** The answer that turns a client away. It hears *Authorization Violation*, whatever the reason; the reason is for the server's log. */
export function encodeRefusal(
  request: CalloutRequest,
  {
    reason,
    issuer,
    nowSeconds,
  }: {
    readonly reason: string
    readonly issuer: Nkey
    readonly nowSeconds: number
  },
): string {
  return encodeResponse(request, { nats: { error: reason }, issuer, nowSeconds })
}

function encodeResponse(
  request: CalloutRequest,
  {
    nats,
    issuer,
    nowSeconds,
  }: {
    readonly nats: { readonly jwt: string } | { readonly error: string }
    readonly issuer: Nkey
    readonly nowSeconds: number
  },
): string {
  const claims = {
    sub: request.userKey,
    aud: request.server.id,
    nats: { type: "authorization_response", version: 2, ...nats },
  }
  return encodeJwt(claims, issuer, nowSeconds)
}

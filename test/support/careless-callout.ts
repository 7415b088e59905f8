/** A callout that lets anybody in as anything: the control that shows what the permissions of the real one are worth. */
import { type BrokerDevice, isBrokerName, mailboxReaderOf } from "@kez/core"
import type { Msg, NatsConnection } from "@nats-io/transport-node"
import { createBoxes } from "../../packages/broker/src/callout/box.ts"
import { encodeJwt } from "../../packages/broker/src/callout/jwt.ts"
import { permissionsOf } from "../../packages/broker/src/callout/permissions.ts"
import { type CalloutRequest, parseCalloutRequest } from "../../packages/broker/src/callout/request.ts"
import type { TestBroker } from "./broker.ts"

export interface CarelessUser {
  readonly aud: string
  readonly name: string
  readonly exp?: number
  readonly pub?: object
  readonly sub?: object
  /** Other members of the user JWT's `nats`. */
  readonly more?: object
}

export interface CarelessAnswer {
  readonly user?: CarelessUser
  readonly error?: string
  /** Replaces members of the answer itself. */
  readonly response?: object
  readonly isSealed?: boolean
  /** Sent instead of an answer. */
  readonly raw?: Uint8Array
  readonly subject?: string
}

/** Everything in one account: what a device could do if its permissions were not there. */
export function unrestricted(aud: string): CarelessAnswer {
  return { user: { aud, name: `careless-${aud}`, pub: { allow: [">"] }, sub: { allow: [">"] } } }
}

/** A token `ACCOUNT` is let into that account without restrictions; a token `uid.dev` gets what the real callout gives it. */
export function byToken({ token = "" }: CalloutRequest): CarelessAnswer {
  const [uid = "", dev = ""] = token.split(".")
  if (!isBrokerName(uid) || !isBrokerName(dev)) return unrestricted(token)
  const device: BrokerDevice = { uid, dev }
  mailboxReaderOf(device)
  return { user: { aud: "CHAT", name: token, ...permissionsOf(device) } }
}

export async function startCarelessCallout(
  broker: TestBroker,
  answer: (request: CalloutRequest) => CarelessAnswer = byToken,
): Promise<NatsConnection> {
  const connection = await broker.service("auth")
  const { issuer, xkey } = broker.keys
  const boxes = createBoxes(xkey)
  const respond = (message: Msg): void => {
    const serverKey = message.headers?.get("Nats-Server-Xkey") ?? ""
    const request = parseCalloutRequest(Buffer.from(boxes.open(message.data, serverKey)).toString())
    const given = answer(request)
    const bytes = given.raw ?? Buffer.from(encodeAnswer(request, given, issuer))
    message.respond(given.isSealed === false || given.raw !== undefined ? bytes : boxes.seal(bytes, serverKey))
  }
  connection.subscribe("$SYS.REQ.USER.AUTH", { queue: "kez-callout", callback: (_, message) => respond(message) })
  await connection.flush()
  return connection
}

function encodeAnswer(request: CalloutRequest, given: CarelessAnswer, issuer: TestBroker["keys"]["issuer"]): string {
  const now = Math.floor(Date.now() / 1000)
  const { user, error, response, subject = request.userKey } = given
  const inner = user === undefined ? { error } : { jwt: encodeJwt(userClaims(user, subject, now), issuer, now) }
  const nats = { type: "authorization_response", version: 2, ...inner }
  return encodeJwt({ sub: subject, aud: request.server.id, nats, ...response }, issuer, now)
}

function userClaims({ aud, name, exp, pub, sub, more }: CarelessUser, subject: string, now: number) {
  const limits = { type: "user", version: 2, subs: -1, data: -1, payload: -1 }
  return {
    sub: subject,
    aud,
    name,
    exp: exp ?? now + 600,
    nats: { ...limits, ...(pub && { pub }), ...(sub && { sub }), ...more },
  }
}

/**
 * How a device proves to a chat server who it is: `nats_connect` by a key of this session, over the broker's nonce, and
 * `nats_session`, by which the device's key lets that key speak for it. SPEC §2.3.
 */
import { canonicalize } from "../canonical.ts"
import type { Code } from "../codes.ts"
import { decodeBase64Url, encodeBase64Url } from "../encoding/base64url.ts"
import { decodeEnvelope, type Envelope, formatEnvelope } from "../envelope/envelope.ts"
import { assertSignature } from "../envelope/verify.ts"
import { KezError } from "../error.ts"
import { formatHex } from "../hex.ts"
import { parseKeyIdentity } from "../identity.ts"
import { clockSkewSeconds, maxConnectTokenBytes } from "../limits.ts"
import { keyOfSecret } from "../signer.ts"
import { suites } from "../suite/suites.ts"
import { encodeUtf8 } from "../text.ts"
import { formatTime, parseTime } from "../time.ts"
import { type BrokerDevice, deviceIdOf, userIdOf } from "./broker-names.ts"

/** What a broker calls a nonce. Nothing else is ever signed as one: a text of a server's choice could be a statement. */
const nonceForm = /^[A-Za-z0-9_-]{11,64}$/

export interface ConnectRequest {
  /** 32 bytes of the session's Ed25519 key, made for this and nothing else. */
  readonly sessionSecret: Uint8Array
  readonly session: Envelope<"nats_session">
  /** As the broker sent it with INFO. */
  readonly nonce: string | undefined
  readonly nowSeconds: number
}

/** The token of one connection. Synchronous, as the authenticators of NATS clients are. Throws `auth.missing` without a fit nonce. */
export function createConnectToken({ sessionSecret, session, nonce, nowSeconds }: ConnectRequest): string {
  if (nonce === undefined || !nonceForm.test(nonce)) {
    throw new KezError("auth.missing", "Cannot prove who connects: expected a nonce of 11 to 64 base64url characters")
  }
  const key = keyOfSecret("ed25519", sessionSecret)
  if (key !== session.payload.session)
    throw new KezError("signature.key", "Cannot connect: the session is of another key")
  const payload = {
    type: "kez.chat.nats_connect",
    version: 1,
    audience: session.payload.audience,
    nonce,
    session: key,
    created_at: formatTime(nowSeconds),
  } as const
  const { alg, sign } = suites.ed25519
  const sig = formatHex(sign(encodeUtf8(canonicalize(payload)), sessionSecret))
  const connect = canonicalize({ kez: "nats_connect", payload, signature: { alg, key, sig } })
  return `${encodeBase64Url(encodeUtf8(connect))}.${encodeBase64Url(encodeUtf8(formatEnvelope(session)))}`
}

export interface ConnectExpectations {
  /** The host of the chat server that is asked. */
  readonly audience: string
  /** The nonce of exactly this connection, as the broker tells it. */
  readonly nonce: string | undefined
  readonly nowSeconds: number
}

/** Who connects, as far as signatures can say. Whether the chain lists the device now is for the chat server to look up. */
export interface ProvenConnection extends BrokerDevice {
  readonly chain: string
  /** Key identity of the device. */
  readonly device: string
  /** Key identity of the session. */
  readonly session: string
  /** Unix seconds after which the session proves nothing. */
  readonly expiresAtSeconds: number
}

export type ConnectVerdict =
  | { readonly ok: true; readonly connection: ProvenConnection }
  | { readonly ok: false; readonly code: Code; readonly message: string }

/** Judges the token of a connection. Pure; never throws. */
export function verifyConnectToken(token: string | undefined, expected: ConnectExpectations): ConnectVerdict {
  try {
    return { ok: true, connection: provenBy(token, expected) }
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    return { ok: false, code: error.code, message: error.message }
  }
}

function provenBy(token: string | undefined, expected: ConnectExpectations): ProvenConnection {
  const { connect, session } = decodeToken(token)
  assertSameSession(connect, session)
  assertBound(connect, session, expected)
  assertInTime(connect, session, expected.nowSeconds)
  // The session first: its signature is known from earlier connections, the other one is new each time.
  assertSignature(session)
  assertSignature(connect)
  const { chain } = session.payload
  const device = session.signature.key
  return {
    uid: userIdOf(chain),
    dev: deviceIdOf(device),
    chain,
    device,
    session: session.payload.session,
    expiresAtSeconds: parseTime(session.payload.expires_at),
  }
}

interface Statements {
  readonly connect: Envelope<"nats_connect">
  readonly session: Envelope<"nats_session">
}

function decodeToken(token: string | undefined): Statements {
  if (token === undefined || token === "") throw new KezError("auth.missing", "Cannot accept the connection: no token")
  if (token.length > maxConnectTokenBytes) {
    throw new KezError("limit.size", `Cannot read the token: expected at most ${maxConnectTokenBytes} characters`)
  }
  const [connect, session, ...rest] = token.split(".")
  if (connect === undefined || session === undefined || rest.length > 0) {
    throw new KezError("encoding.unsupported", "Cannot read the token: expected two statements with a dot between")
  }
  return {
    connect: decodeEnvelope(decodeBase64Url(connect), "nats_connect"),
    session: decodeEnvelope(decodeBase64Url(session), "nats_session"),
  }
}

/** One key of the session signs, is named by the statement, and is the one that the device let speak for it. */
function assertSameSession(connect: Statements["connect"], session: Statements["session"]): void {
  const key = connect.signature.key
  if (connect.payload.session !== key || session.payload.session !== key) {
    throw new KezError(
      "signature.key",
      "Cannot accept the connection: it is signed by another key than the session names",
    )
  }
  if (parseKeyIdentity(key).system !== "ed25519") {
    throw new KezError("signature.key", "Cannot accept the connection: expected a session key of ed25519")
  }
  // A key that signs what a broker sends must never be one that signs for the person.
  if (session.signature.key === key) {
    throw new KezError("signature.key", "Cannot accept the connection: the device's own key signed it")
  }
}

/** The nonce is of this connection alone, so a captured token is worth nothing elsewhere; the audience keeps other servers out. */
function assertBound(
  connect: Statements["connect"],
  session: Statements["session"],
  expected: ConnectExpectations,
): void {
  if (expected.nonce === undefined || !nonceForm.test(expected.nonce)) {
    throw new KezError("auth.missing", "Cannot accept the connection: the broker gave it no nonce")
  }
  if (connect.payload.nonce !== expected.nonce) {
    throw new KezError("auth.binding", "Cannot accept the connection: its statement was made for another connection")
  }
  if (connect.payload.audience !== expected.audience || session.payload.audience !== expected.audience) {
    throw new KezError("auth.binding", `Cannot accept the connection: expected one to ${expected.audience}`)
  }
}

function assertInTime(connect: Statements["connect"], session: Statements["session"], nowSeconds: number): void {
  const made = parseTime(connect.payload.created_at)
  if (Math.abs(made - nowSeconds) > clockSkewSeconds) {
    throw new KezError(
      "auth.time",
      `Cannot accept the connection: expected a clock within ${clockSkewSeconds} s of ours`,
    )
  }
  if (parseTime(session.payload.created_at) > nowSeconds + clockSkewSeconds) {
    throw new KezError("time.future", "Cannot accept the session: it is made in the future")
  }
  if (parseTime(session.payload.expires_at) <= nowSeconds) {
    throw new KezError("auth.time", "Cannot accept the session: it has expired")
  }
}

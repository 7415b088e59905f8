/** Whether this device is revoked: only a signed answer of the chat server says so, never the broker. SPEC §2.3, `server_answer`. */
import {
  assertSignature,
  canonicalize,
  decodeEnvelope,
  decodeText,
  envelopeDigest,
  KezError,
  parseJson,
} from "@kez/core"
import { assertObject } from "@kez/core/schema"
import type { ConnectSession } from "./account.ts"
import type { Desk } from "./desk.ts"
import { keys } from "./row.ts"

const maxAnswerBytes = 65_536

/** `revoked`, or what else the server says; undefined: it says nothing that counts. */
export async function askStanding(desk: Desk, session: ConnectSession): Promise<string | undefined> {
  try {
    const key = await serverKey(desk)
    const { host } = desk.ports.account
    const request = {
      host,
      method: "POST",
      path: "/v1/standing",
      body: session.text,
      maxBytes: maxAnswerBytes,
    } as const
    const { status, body } = await desk.ports.http.request(request)
    if (status !== 200) return undefined
    const answer = decodeEnvelope(canonicalize(member(body, "answer")), "server_answer")
    assertSignature(answer)
    const { payload, signature } = answer
    const isForUs = payload.audience === desk.device && payload.request === envelopeDigest(session.statement)
    return isForUs && signature.key === key ? payload.code : undefined
  } catch (error) {
    if (error instanceof KezError) return undefined
    throw error
  }
}

/** Pinned at the first look: later nobody else can say that this device is revoked. */
async function serverKey(desk: Desk): Promise<string> {
  const { host } = desk.ports.account
  const pinned = await desk.turn((unit) => unit.get<string>(keys.server(host)))
  if (pinned !== undefined) return pinned
  const { body } = await desk.ports.http.request({ host, method: "GET", path: "/v1/server", maxBytes: maxAnswerBytes })
  const key = member(body, "key")
  if (typeof key !== "string") throw new KezError("schema.type", "Cannot read the server's key")
  await desk.turn(async (unit) => unit.put(keys.server(host), key))
  return key
}

function member(body: Uint8Array, name: string) {
  const value = parseJson(decodeText(body, maxAnswerBytes))
  assertObject(value, "the answer")
  return value[name] ?? null
}

/** What is posted to the directory, read strictly: sizes, JSON, members, envelopes, in this order. SPEC §7.8. */
import {
  assertSignature,
  type Code,
  canonicalize,
  decodeEnvelope,
  decodeText,
  type Envelope,
  formatEnvelope,
  type Json,
  type JsonObject,
  KezError,
  limits,
  parseJson,
  parseTime,
} from "@kez/core"
import { type DirectoryKind, parseHandle } from "@kez/core/directory"
import { maxBodyBytes, maxGivenChainBytes, maxInvitationCharacters } from "../limits.ts"

export interface RegisterRequest {
  readonly registration: Envelope<"handle_registration">
  readonly more: Accompanying
}

export interface MoveRequest {
  readonly move: Envelope<"handle_move">
  /** Of the new handle, where it is on this server. */
  readonly registration: Envelope<"handle_registration"> | undefined
  readonly more: Accompanying
}

export interface ReleaseRequest {
  readonly release: Envelope<"handle_release">
  readonly more: Accompanying
}

/** What may come along with a statement. */
export interface Accompanying {
  /** A chain document, `kez:zc1:…`: newlines have no place in strict JSON. */
  readonly chain: string | undefined
  /** Where others find the chain. */
  readonly chainUrl: string | undefined
  readonly invitation: string | undefined
}

export interface Expectations {
  /** The host of the handles of this server. */
  readonly domain: string
  /** Unix seconds. */
  readonly now: number
}

const chainUrlForm = /^https:\/\/[!-~]+$/

export function readRegister(body: Uint8Array, expected: Expectations): RegisterRequest {
  const members = readMembers(body, ["registration"])
  return { registration: readStatement(members, "registration", expected), more: readMore(members) }
}

export function readMove(body: Uint8Array, expected: Expectations): MoveRequest {
  const members = readMembers(body, ["move", "registration"])
  const move = readStatement(members, "move", expected)
  const isHere = move.payload.new_host === expected.domain
  if (isHere !== (members["registration"] !== undefined)) {
    const hint = isHere
      ? "Send the registration of the new handle along."
      : "Register the new handle on its own server."
    throw new KezError(
      "schema.missing_member",
      "Cannot move the handle: expected a registration exactly where the new one is here",
      { hint },
    )
  }
  const registration = isHere ? readStatement(members, "registration", expected) : undefined
  if (registration !== undefined) assertSameMove(move, registration)
  return { move, registration, more: readMore(members) }
}

export function readRelease(body: Uint8Array, expected: Expectations): ReleaseRequest {
  const members = readMembers(body, ["release"])
  return { release: readStatement(members, "release", expected), more: readMore(members) }
}

function assertSameMove({ payload: move }: MoveRequest["move"], { payload }: RegisterRequest["registration"]): void {
  if (move.new_handle === payload.handle && move.chain === payload.chain && move.handle !== payload.handle) return
  throw new KezError(
    "account.one_sided",
    "Cannot move the handle: expected a registration of the new one for the same chain",
  )
}

function readMembers(body: Uint8Array, own: readonly string[]): JsonObject {
  const value = parseJson(decodeText(body, maxBodyBytes))
  if (!isObject(value)) throw new KezError("schema.type", "Cannot read the request: expected an object")
  const known = [...own, "chain", "chain_url", "invitation"]
  const unknown = Object.keys(value).find((name) => !known.includes(name))
  if (unknown === undefined) return value
  throw new KezError("schema.unknown_member", `Cannot read the request: expected ${known.join(", ")} only`)
}

const kindOf = {
  registration: "handle_registration",
  move: "handle_move",
  release: "handle_release",
} as const satisfies Readonly<Record<string, DirectoryKind>>

/** The statement, made for this server and now, its signature checked: by whom, the chain decides. */
function readStatement<N extends keyof typeof kindOf>(
  members: JsonObject,
  name: N,
  { domain, now }: Expectations,
): Envelope<(typeof kindOf)[N]> {
  const value = members[name]
  if (value === undefined) throw new KezError("schema.missing_member", `Cannot read the request: expected ${name}`)
  assertHandleForms(value)
  const statement: Envelope<DirectoryKind> = decodeEnvelope(canonicalize(value), kindOf[name])
  const { host, created_at } = statement.payload
  if (host !== domain)
    throw new KezError("auth.binding", `Cannot accept the ${name}: it is for ${host}, and this is ${domain}`)
  if (Math.abs(parseTime(created_at) - now) > limits.clockSkewSeconds) {
    throw new KezError(
      "auth.time",
      `Cannot accept the ${name}: it is made ${created_at}, more than ${limits.clockSkewSeconds} s from now`,
      {
        hint: "Is the clock right? Then sign it again.",
      },
    )
  }
  assertSignature(statement)
  return decodeEnvelope(formatEnvelope(statement), kindOf[name])
}

/** Before the schema, which would only say that it is no handle: people mistype these. [H1] [H2] */
function assertHandleForms(value: Json): void {
  const payload = isObject(value) ? value["payload"] : undefined
  if (payload === undefined || !isObject(payload)) return
  for (const member of ["handle", "new_handle"]) {
    const typed = payload[member]
    if (typeof typed !== "string") continue
    const handle = parseHandle(typed)
    if (handle === typed) continue
    throw new KezError("identity.not_canonical", `Cannot accept the handle: expected ${handle}`)
  }
}

function readMore(members: JsonObject): Accompanying {
  const chain = readText(members, { name: "chain", maxCharacters: maxGivenChainBytes, code: "limit.chain" })
  const chainUrl = readText(members, { name: "chain_url", maxCharacters: limits.maxHintBytes, code: "limit.size" })
  const invitation = readText(members, {
    name: "invitation",
    maxCharacters: maxInvitationCharacters,
    code: "handle.invitation",
  })
  if (chainUrl !== undefined && !chainUrlForm.test(chainUrl)) {
    throw new KezError("net.url", "Cannot accept chain_url: expected an https:// URL")
  }
  return { chain, chainUrl, invitation }
}

interface TextRule {
  readonly name: string
  readonly maxCharacters: number
  readonly code: Code
}

function readText(members: JsonObject, { name, maxCharacters, code }: TextRule): string | undefined {
  const value = members[name]
  if (value === undefined) return undefined
  if (typeof value !== "string") throw new KezError("schema.type", `Cannot read ${name}: expected a text`)
  if (value.length > maxCharacters)
    throw new KezError(code, `Cannot read ${name}: expected at most ${maxCharacters} characters`)
  return value
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** HTTP to a chat server by its host, through the guarded way out: `localhost` and private places only where `hosts` names them. SPEC §7.8 */
import { type FetchAnswer, isPublicUrl, type Net } from "@kez/channels"
import { type Code, type Digest, isDigest, type Json, type JsonObject, KezError, parseJson } from "@kez/core"
import { maxLookUpBytes } from "@kez/core/directory"
import { readProblem } from "../chains/store-answers.ts"
import { isFileRelay, isStore, maxFileRelays } from "../config-file.ts"
import type { Context } from "../context.ts"
import { printable } from "../output.ts"
import { durationText } from "../short-text.ts"

export interface HostRequest {
  readonly host: string
  readonly method: "GET" | "POST"
  readonly path: string
  readonly body?: Uint8Array
  readonly maxBytes?: number
  readonly timeoutMs: number
}

const maxAboutBytes = 16_384
const maxStoresNamed = 8

/** The answer of any status. Throws `net.*`, with what to do. */
export async function askHost(net: Net, request: HostRequest): Promise<FetchAnswer> {
  const { host, method, path, body, maxBytes = maxLookUpBytes, timeoutMs } = request
  try {
    return await net.fetch(`https://${host}${path}`, {
      method,
      signal: AbortSignal.timeout(timeoutMs),
      // Nobody else can answer for the names of a host.
      sameHost: true,
      ...(body === undefined ? {} : { body, headers: { "content-type": "application/json" } }),
      maxWireBytes: maxBytes,
      maxBodyBytes: maxBytes,
    })
  } catch (error) {
    throw error instanceof KezError ? unreachable(host, error) : error
  }
}

function unreachable(host: string, error: KezError): KezError {
  const isPrivate = ["net.host", "net.address", "net.port"].includes(error.code)
  const why = isPrivate ? "it is on this machine or a private network, and your settings do not name it" : error.message
  const hint = isPrivate
    ? `In config.toml, under [hosts]: ${host} = "http://127.0.0.1:6969"`
    : `Is ${host} spelt right? Nothing was lost: the same command goes on when it answers.`
  return new KezError(error.code, `Cannot reach the chat server ${host}: ${why}`, {
    cause: error,
    hint: isPrivate ? hint : (error.hint ?? hint),
  })
}

/** What a chat server says about itself. All of it is a hint: chains and handles prove themselves. */
export interface AboutHost {
  /** Sigchain stores that it asks. */
  readonly stores: readonly string[]
  /** URLs of its broker: `tls://…`, `wss://…`; `nats://…` and `ws://…` on this computer. */
  readonly broker: readonly string[]
  /** URLs of relays for files. */
  readonly relays: readonly string[]
}

/** Nothing from a server that says nothing. Throws `net.*`. */
export async function aboutHost(net: Net, host: string, timeoutMs: number): Promise<AboutHost> {
  const answer = await askHost(net, { host, method: "GET", path: "/v1/server", maxBytes: maxAboutBytes, timeoutMs })
  const members = answer.status === 200 ? objectIn(answer.body) : undefined
  return {
    stores: textsIn(members?.["stores"]).filter(isStore).slice(0, maxStoresNamed),
    broker: textsIn(members?.["broker"])
      .filter((url) => /^(?:nats|tls|wss?):\/\/[^/@\s]+\/?$/.test(url))
      .slice(0, maxStoresNamed),
    relays: textsIn(members?.["relays"]).filter(isFileRelay).slice(0, maxFileRelays),
  }
}

function textsIn(value: Json | undefined): readonly string[] {
  const list = typeof value === "string" ? [value] : value
  return Array.isArray(list) ? list.filter((text) => typeof text === "string") : []
}

/**
 * The stores of the settings, and those that the server asks. A server may not point into the private network of its users, unless it is one
 * that they configured themselves. Throws `usage` where there is none.
 */
export function storesFor(
  { settings }: Context,
  { host, about, given }: { readonly host: string; readonly about: AboutHost; readonly given: readonly string[] },
): readonly string[] {
  const own = given.length > 0 ? given : settings.stores.value
  const isOwnHost = settings.hosts.value[host] !== undefined
  const named = about.stores.filter((url) => isOwnHost || isPublicUrl(url))
  const stores = [...new Set([...own, ...named].map((url) => url.replace(/\/+$/, "")))].slice(0, maxStoresNamed)
  if (stores.length > 0) return stores
  throw new KezError("usage", "Cannot publish the chain of the account: expected a sigchain store", {
    hint: 'The chat server names none. A store: --store https://sig.example.org, or stores = ["…"] in config.toml',
  })
}

export type HandleAnswer =
  | { readonly state: "free" }
  | { readonly state: "taken"; readonly chain: Digest | undefined }
  | { readonly state: "given_up"; readonly chain: Digest | undefined }

/** Whether a handle can be registered. A hint: what proves who has it is looked at by the engine, and by the server itself. */
export async function askHandle(
  net: Net,
  { handle, host }: { readonly handle: string; readonly host: string },
  timeoutMs: number,
): Promise<HandleAnswer> {
  const answer = await askHost(net, { host, method: "GET", path: `/v1/handles/${handle}`, timeoutMs })
  if (answer.status === 404) return { state: "free" }
  if (answer.status !== 200 && answer.status !== 410) throw refusalOf(answer, host, `look ${handle} up`)
  return { state: answer.status === 200 ? "taken" : "given_up", chain: chainIn(objectIn(answer.body)) }
}

/** Handles of a chain or a primary on a host. */
export async function askByPrimary(net: Net, host: string, id: string, timeoutMs: number): Promise<readonly string[]> {
  const path = `/v1/by-primary/${encodeURIComponent(id)}`
  const answer = await askHost(net, { host, method: "GET", path, maxBytes: 65_536, timeoutMs })
  if (answer.status === 404) return []
  if (answer.status !== 200) throw refusalOf(answer, host, "look the key up")
  const handles = objectIn(answer.body)?.["handles"]
  return Array.isArray(handles)
    ? handles.flatMap((one) => (isObject(one) && typeof one["handle"] === "string" ? [`${one["handle"]}@${host}`] : []))
    : []
}

/** What a server that refuses says, as an error with its code. */
export function refusalOf(answer: FetchAnswer, host: string, what: string): KezError {
  const { code } = readProblem(answer)
  const detail = objectIn(answer.body)?.["detail"]
  const said = typeof detail === "string" ? printable(detail, 300) : `it answered ${answer.status}`
  const { retryAfterSeconds } = answer
  const wait = retryAfterSeconds === undefined ? "" : ` Try again in ${durationText(retryAfterSeconds)}.`
  const known: Code = code ?? (answer.status === 429 ? "net.rate_limit" : "net.status")
  const hint = `${hints[known] ?? "Nothing was lost: the same command goes on later."}${wait}`
  return new KezError(known, `Cannot ${what}: ${host} says: ${said}`, { hint })
}

const hints: Readonly<Partial<Record<Code, string>>> = {
  "handle.taken": "Choose another handle: kez account create OTHER@HOST",
  "handle.confusable": "Somebody has one that reads like it. Choose another: kez account create OTHER@HOST",
  "handle.reserved": "Nobody can have it. Choose another: kez account create OTHER@HOST",
  "handle.released": "It was given up, and only its earlier owner can have it again. Choose another handle.",
  "handle.limit": "Your chain has a handle there. To change it: kez account rename NEW",
  "handle.invitation": "Ask who runs the server for an invitation code.",
  "handle.closed": "The server takes nobody new. Ask who runs it, or choose another server.",
  "auth.time": "Is the clock of this computer right?",
  "chain.unknown": "The server asks other stores than yours: publish the chain at one of them with --store URL.",
  "chain.unreachable": "A store that the server asks does not answer. Try again in a moment.",
}

function chainIn(members: JsonObject | undefined): Digest | undefined {
  const chain = members?.["chain"] ?? registrationIn(members)?.["chain"]
  return typeof chain === "string" && isDigest(chain) ? chain : undefined
}

function registrationIn(members: JsonObject | undefined): JsonObject | undefined {
  const statement = members?.["registration"] ?? members?.["statement"]
  const payload = isObject(statement) ? statement["payload"] : undefined
  return isObject(payload) ? payload : undefined
}

function objectIn(body: Uint8Array): JsonObject | undefined {
  try {
    const value = parseJson(Buffer.from(body).toString("utf8"))
    return isObject(value) ? value : undefined
  } catch (error) {
    if (error instanceof KezError) return undefined
    throw error
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

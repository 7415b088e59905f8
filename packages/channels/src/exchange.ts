/**
 * One HTTP request and its answer, over a connection of its own. SPEC §7.
 * It trusts its caller about where to connect and guards everything else: TLS, sizes, silence.
 */
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http"
import { request as httpsRequest, type RequestOptions } from "node:https"
import { isIP, type LookupFunction } from "node:net"
import type { URL } from "node:url"
import { KezError } from "@kez/core"
import { readBeside, readBody } from "./body.ts"
import { connectionsBy, type Dial } from "./dial.ts"
import type { FetchLimits } from "./limits.ts"
import { isRedirect } from "./url.ts"

/** An import reads every export of the module, and one of them loads a second HTTP client and all its memory with it. */
const http = process.getBuiltinModule("node:http")

export const maxInterimAnswers = 8

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE"

export interface ExchangeRequest {
  readonly url: URL
  readonly method: Method
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | undefined
  /** The addresses to connect to, checked by the caller. Undefined: the system resolves a configured host. */
  readonly addresses?: readonly string[] | undefined
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string | undefined
  /** Node's own connections unless given. */
  readonly dial?: Dial | undefined
  readonly limits: FetchLimits
  /** Throws for an answer whose body is not wanted, before any of it is read. */
  readonly checkHead?: ((head: AnswerHead) => void) | undefined
}

export interface AnswerHead {
  readonly status: number
  readonly headers: IncomingHttpHeaders
}

export interface ExchangeAnswer extends AnswerHead {
  /** As it was sent; empty for a redirect, whose body nobody reads, and for a refusal that says more than fits. */
  readonly wireBody: Buffer
}

/** How far a connection has come. */
export type Phase = "connecting" | "securing" | "talking"

/**
 * Sends the request and reads the answer. The socket is destroyed whatever happens.
 * Throws KezError `net.refused`, `net.tls`, `net.http`, `net.timeout` (silence), `limit.body`, or the signal's reason.
 */
export async function exchange(request: ExchangeRequest, signal: AbortSignal): Promise<ExchangeAnswer> {
  signal.throwIfAborted()
  const { host } = request.url
  let phase: Phase = "connecting"
  let stopped: unknown
  const outgoing = openRequest(request)
  const stop = (reason: unknown) => {
    stopped ??= reason
    outgoing.destroy()
  }
  const onAbort = () => stop(signal.reason)
  // Interim answers (RFC 9110 §15.2) have no place in a body's limits: a server could send gigabytes of them.
  let interim = 0
  outgoing.on("information", () => {
    interim += 1
    if (interim > maxInterimAnswers) {
      stop(new KezError("net.http", `Cannot fetch from ${host}: expected an answer, got interim answers only`))
    }
  })
  signal.addEventListener("abort", onAbort, { once: true })
  outgoing.on("timeout", () => stop(silence(host, request.limits.idleMs)))
  outgoing.on("socket", (socket) => {
    socket.on("connect", () => {
      phase = request.url.protocol === "https:" ? "securing" : "talking"
    })
    socket.on("secureConnect", () => {
      phase = "talking"
    })
  })
  try {
    outgoing.end(request.body)
    const incoming = await waitForAnswer(outgoing)
    const head = { status: incoming.statusCode ?? 0, headers: incoming.headers }
    request.checkHead?.(head)
    const { maxWireBytes } = request.limits
    const nothing = Buffer.alloc(0)
    if (isRedirect(head.status)) return { ...head, wireBody: nothing }
    return { ...head, wireBody: await readBeside(head.status, nothing, () => readBody(incoming, maxWireBytes)) }
  } catch (error) {
    if (stopped !== undefined) throw stopped
    throw error instanceof KezError ? error : explain(error, phase, host)
  } finally {
    signal.removeEventListener("abort", onAbort)
    outgoing.destroy()
  }
}

/** A request that is not sent yet. */
export function openRequest(request: ExchangeRequest): ClientRequest {
  const { url, limits } = request
  const options: RequestOptions & { readonly autoSelectFamilyAttemptTimeout: number } = {
    method: request.method,
    headers: { ...request.headers, host: url.host, ...lengthOf(request.body) },
    // A connection of its own: nothing is shared between hosts, and no agent reads proxy variables.
    ...(request.dial === undefined ? { agent: false } : { createConnection: dialedBy(request.dial, url) }),
    timeout: limits.idleMs,
    maxHeaderSize: limits.maxHeaderBytes,
    // Said outright, so that neither NODE_TLS_REJECT_UNAUTHORIZED nor --insecure-http-parser weakens it.
    rejectUnauthorized: true,
    insecureHTTPParser: false,
    minVersion: "TLSv1.2",
    autoSelectFamilyAttemptTimeout: 1_000,
    ...(request.ca === undefined ? {} : { ca: request.ca }),
    ...(request.addresses === undefined ? {} : { lookup: answerWith(request.addresses) }),
  }
  try {
    const outgoing = url.protocol === "https:" ? httpsRequest(url, options) : http.request(url, options)
    // An error after the answer has been read or given up has no reader; without this it would end the process.
    return outgoing.on("error", () => {})
  } catch (cause) {
    throw new KezError("net.http", `Cannot send a request to ${url.host}: expected plain header values`, { cause })
  }
}

function dialedBy(dial: Dial, url: URL) {
  return connectionsBy(dial, { isSecure: url.protocol === "https:" })
}

/** The connection takes its addresses from here and asks no resolver again, so a second DNS answer changes nothing. */
export function answerWith(addresses: readonly string[]): LookupFunction {
  const entries = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_host, options, callback) => {
    const [first] = entries
    if (first === undefined) callback(new Error("no address"), "")
    else if (options.all) callback(null, entries)
    else callback(null, first.address, first.family)
  }
}

export function waitForAnswer(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let isAnswered = false
    outgoing.once("response", (incoming) => {
      isAnswered = true
      resolve(incoming)
    })
    outgoing.once("error", reject)
    outgoing.once("close", () => {
      if (!isAnswered) reject(new Error("closed without an answer"))
    })
  })
}

function lengthOf(body: Uint8Array | undefined): Record<string, string> {
  return body === undefined ? {} : { "content-length": String(body.length) }
}

function silence(host: string, idleMs: number): KezError {
  return new KezError("net.timeout", `Cannot fetch from ${host}: expected a byte within ${idleMs} ms, got none`)
}

/** What broke is known best by how far the connection had come. */
export function explain(cause: unknown, phase: Phase, host: string): KezError {
  const reason = describe(cause)
  if (["ENOTFOUND", "EAI_AGAIN"].includes(reason)) {
    return new KezError("net.dns", `Cannot fetch from ${host}: expected an address, got ${reason}`, { cause })
  }
  if (reason === "ETIMEDOUT") {
    return new KezError("net.timeout", `Cannot fetch from ${host}: expected an answer, got ${reason}`, { cause })
  }
  if (phase === "connecting") {
    return new KezError("net.refused", `Cannot fetch from ${host}: expected a connection, got ${reason}`, { cause })
  }
  if (phase === "securing") {
    return new KezError("net.tls", `Cannot fetch from ${host}: expected a valid certificate, got ${reason}`, { cause })
  }
  return new KezError("net.http", `Cannot fetch from ${host}: expected a whole HTTP answer, got ${reason}`, { cause })
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return "an unknown error"
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.name
}

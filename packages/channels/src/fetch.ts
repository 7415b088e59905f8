/**
 * The single way to fetch from a place that may be hostile. SPEC §7.
 * Resolve once, accept only global unicast addresses, connect to those, follow few redirects and check each anew.
 */
import { isIP } from "node:net"
import { KezError } from "@kez/core"
import { assertPublicAddresses } from "./address.ts"
import {
  type AnswerCache,
  type AnswerKey,
  conditionOf,
  keyOfRequest,
  refresh,
  type StoredAnswer,
  storable,
} from "./answer-cache.ts"
import { decompress, readBeside } from "./body.ts"
import { withDeadline } from "./deadline.ts"
import type { Dial } from "./dial.ts"
import type { ExchangeAnswer, Method } from "./exchange.ts"
import { assertMediaType, describeAnswer, type FetchAnswer, type HopAnswer } from "./fetch-answer.ts"
import { type FetchLimits, fetchLimits, maxAddressesTried } from "./limits.ts"
import { createHostQueue, type RunAtHost } from "./queue.ts"
import { assertOpen, type Bucket, createRateLimitMemory, type RateLimitMemory } from "./rate-limit.ts"
import { type Resolver, UnknownHostError } from "./resolver.ts"
import { readRetryAfter } from "./retry-after.ts"
import {
  type HostMap,
  isRedirect,
  parseChosenTarget,
  parseHosts,
  parseRedirect,
  parseTarget,
  type Target,
} from "./url.ts"

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined
  /** "GET" unless given. Only GET follows redirects: a body is for one place. */
  readonly method?: Method
  /** Lower-case names. All of them stay behind when a redirect leads to another origin. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** Media types without parameters; a 2xx answer of another type is refused. */
  readonly accept?: readonly string[]
  /** Refuses redirects to another host. */
  readonly sameHost?: boolean
  /** The reader named this very place: it may be private and on any port. See `parseChosenTarget`. */
  readonly isChosen?: boolean
  /** For a place that holds more than a page, such as a sigchain. */
  readonly maxWireBytes?: number
  readonly maxBodyBytes?: number
}

export interface FetchSetup {
  readonly resolver: Pick<Resolver, "resolveAddresses">
  /** Unix seconds. */
  now(): number
  /**
   * Host to base URL, for development and for servers of one's own: `{ localhost: "http://127.0.0.1:7878" }`.
   * Only these origins may be private or have another port.
   */
  readonly hosts?: Readonly<Record<string, string>>
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string
  /** Opens the connections; Node's own unless given. */
  readonly dial?: Dial
  readonly limits?: Partial<FetchLimits>
  /** Keeps answers to ask whether they still hold; none are kept without it. */
  readonly cache?: AnswerCache
  /** Hosts that asked to wait; those of this fetch alone unless given. */
  readonly rateLimits?: RateLimitMemory
  /** Lines that others share; lines of its own unless given. */
  readonly runAtHost?: RunAtHost
}

interface Request {
  readonly options: FetchOptions
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

export type GuardedFetch = (url: string, options?: FetchOptions) => Promise<FetchAnswer>

export const userAgent = "kez/0.4"

/**
 * Creates a guarded fetch. Any HTTP status is an answer; it throws KezError where there is none:
 * `net.url|host|address|port|redirect|redirect_limit` refused, `net.dns|refused|tls|timeout|http|busy` failed,
 * `net.rate_limit` (RateLimitError) not sent because the host asked to wait, `net.content_type`, `limit.body` answered with what may not be used.
 */
export function createFetch(setup: FetchSetup): GuardedFetch {
  const limits = { ...fetchLimits, ...setup.limits }
  const hosts = parseHosts(setup.hosts)
  const runAtHost = setup.runAtHost ?? createHostQueue(limits)
  const { rateLimits = createRateLimitMemory() } = setup
  let loading: Promise<typeof import("./exchange.ts")> | undefined

  async function send(target: Target, options: FetchOptions, signal: AbortSignal): Promise<HopAnswer> {
    const headers = buildHeaders(options)
    const bucket = { host: target.sent.host, isAuthorized: headers["authorization"] !== undefined }
    const key = (options.method ?? "GET") === "GET" ? keyOfRequest(target, headers) : undefined
    await assertOpen(rateLimits, bucket, setup.now())
    const { answer, stored } = await runAtHost(target.sent.host, signal, async () => {
      // Once more: the one before in the line may have been told to wait.
      await assertOpen(rateLimits, bucket, setup.now())
      const asked = await askAgain(target, key, { options, headers, signal })
      await noteRateLimit(bucket, asked.answer)
      return asked
    })
    if (answer.status === 304 && stored !== undefined) return readKept(stored, answer)
    // Outside of the line: the place is free for the next one meanwhile.
    return readFresh(answer, key, options)
  }

  /** Asks whether a kept answer still holds, or for a new one. Each hop has its own: nothing survives a redirect. */
  async function askAgain(target: Target, key: AnswerKey | undefined, { options, headers, signal }: Request) {
    const kept = key === undefined ? undefined : await setup.cache?.get(key)
    const isAllowed = kept !== undefined && kept.body.length <= (options.maxBodyBytes ?? limits.maxBodyBytes)
    const stored = isAllowed ? kept : undefined
    const condition = stored === undefined ? {} : conditionOf(stored)
    return { answer: await ask(target, { options, headers: { ...headers, ...condition }, signal }), stored }
  }

  /** Decompresses an answer, and keeps it where it may be asked for again. */
  async function readFresh(
    { status, headers, wireBody }: ExchangeAnswer,
    key: AnswerKey | undefined,
    options: FetchOptions,
  ): Promise<HopAnswer> {
    const maxBodyBytes = options.maxBodyBytes ?? limits.maxBodyBytes
    const read = () => decompress(wireBody, headers["content-encoding"], maxBodyBytes)
    const body = await readBeside(status, new Uint8Array(), read)
    const fresh = status === 200 ? storable(headers, body) : undefined
    if (key !== undefined && fresh !== undefined) await setup.cache?.set(key, fresh)
    return { status, headers, body }
  }

  async function ask(target: Target, { options, headers, signal }: Request): Promise<ExchangeAnswer> {
    const addresses = target.base ? undefined : await resolvePublic(target.sent.hostname, setup.resolver, signal)
    // node:http takes longer to load than all of this package; a name that does not resolve never needs it.
    loading ??= import("./exchange.ts")
    const { exchange } = await loading
    const { maxWireBytes = limits.maxWireBytes } = options
    return exchange(
      {
        url: target.sent,
        method: options.method ?? "GET",
        headers,
        body: options.body,
        addresses,
        ca: setup.ca,
        dial: setup.dial,
        limits: { ...limits, maxWireBytes },
        checkHead: (head) => assertMediaType(target, head, options.accept),
      },
      signal,
    )
  }

  async function noteRateLimit(bucket: Bucket, { status, headers }: ExchangeAnswer): Promise<void> {
    const seconds = [403, 429, 503].includes(status) ? readRetryAfter(status, headers, setup.now()) : undefined
    if (seconds !== undefined && seconds > 0) await rateLimits.close(bucket, setup.now() + seconds)
  }

  async function follow(first: Target, options: FetchOptions, signal: AbortSignal): Promise<FetchAnswer> {
    let target = first
    let current = options
    for (let hop = 0; hop <= limits.maxRedirects; hop += 1) {
      const answer = await send(target, current, signal).catch((error: unknown) => {
        throw hop === 0 ? error : readHopFailure(error, target)
      })
      if (!isRedirect(answer.status))
        return describeAnswer(target, answer, { accept: options.accept, now: setup.now() })
      const next = readRedirect(target, answer, options, hosts)
      if (next.url.origin !== target.url.origin) current = { ...current, headers: {} }
      target = next
    }
    throw new KezError(
      "net.redirect_limit",
      `Cannot fetch from ${first.url.host}: expected at most ${limits.maxRedirects} redirects`,
    )
  }

  return async (text, options = {}) => {
    const target = options.isChosen === true ? parseChosenTarget(text, hosts) : parseTarget(text, hosts)
    const deadline = { parent: options.signal, timeoutMs: limits.totalMs, task: `fetch from ${target.url.host}` }
    return withDeadline(deadline, (signal) => follow(target, options, signal))
  }
}

/** Asks the resolver once; the addresses that are checked are those connected to. */
export async function resolvePublic(
  hostname: string,
  resolver: FetchSetup["resolver"],
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  // An address in the URL was checked with the URL, and no look-up happens for it.
  if (hostname.startsWith("[") || isIP(hostname) !== 0) return undefined
  const { addresses } = await resolver.resolveAddresses(hostname, signal)
  if (addresses.length === 0) throw new UnknownHostError(hostname)
  assertPublicAddresses(hostname, addresses)
  const isV6 = (address: string) => address.includes(":")
  // IPv4 first: many networks announce IPv6 without carrying it.
  const v4 = addresses.filter((address) => !isV6(address)).slice(0, maxAddressesTried)
  return [...v4, ...addresses.filter(isV6).slice(0, maxAddressesTried)]
}

/** A redirect to a name that turns out to be private is refused like one to a private address. */
function readHopFailure(error: unknown, target: Target): unknown {
  if (!(error instanceof KezError) || error.code !== "net.address") return error
  const message = `Cannot follow to ${target.url.host}: expected a redirect to a public URL, got ${error.code}`
  return new KezError("net.redirect", message, { cause: error })
}

function buildHeaders(options: FetchOptions): Record<string, string> {
  return {
    accept: options.accept?.join(", ") ?? "*/*",
    ...options.headers,
    "user-agent": userAgent,
    "accept-encoding": "gzip, br, deflate",
    connection: "close",
  }
}

function readRedirect(from: Target, answer: HopAnswer, options: FetchOptions, hosts: HostMap): Target {
  const { host } = from.url
  if ((options.method ?? "GET") !== "GET") {
    throw new KezError("net.redirect", `Cannot send to ${host}: expected an answer, got a redirect`)
  }
  const location = answer.headers.location
  if (location === undefined) throw new KezError("net.http", `Cannot follow ${host}: expected a Location, got none`)
  const next = parseRedirect(from, location, hosts)
  if (options.sameHost && next.url.host !== host) {
    throw new KezError("net.redirect", `Cannot follow ${host}: expected to stay there, got ${next.url.host}`)
  }
  return next
}

function readKept(stored: StoredAnswer, answer: ExchangeAnswer): HopAnswer {
  return { status: 200, headers: refresh(stored, answer.headers), body: stored.body, revalidated: true }
}

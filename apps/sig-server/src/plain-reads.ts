/**
 * Connections before Node's HTTP has them. A plain read (plain-request.ts) is answered from memory, as bytes on the socket: Node takes two
 * thirds of a read's time for objects that such an answer has no use for. With the first request that is anything else, a connection goes
 * to Node with all that was received, and stays there. The answers are the framework's, byte for byte, but for `X-Request-Id`.
 */
import type { Server } from "node:http"
import type { Socket } from "node:net"
import { answerOf, type ChainAnswer, hasVersion } from "./chain-answer.ts"
import type { ChainView } from "./chain-service.ts"
import { connectionCheckMs, headersTimeoutMs, keepAliveTimeoutMs } from "./http-limits.ts"
import type { Metrics, RouteMeter } from "./metrics.ts"
import { behindName, chainsPath, maxPlainBytes, nameIn, type PlainHeaders, readHeaders } from "./plain-request.ts"
import type { ReadLimit } from "./read-limit.ts"
import { type RecentViews, tryFind } from "./recent-views.ts"

export interface PlainReadOptions {
  readonly views: RecentViews
  readonly metrics: Metrics
  readonly reads: ReadLimit
  /** Tests wait less. */
  readonly quiet?: QuietTimes
}

/** How long a connection may ask nothing. */
export interface QuietTimes {
  readonly firstMs: number
  readonly nextMs: number
  /** How often that is looked at. */
  readonly checkMs: number
}

const usualTimes: QuietTimes = { firstMs: headersTimeoutMs, nextMs: keepAliveTimeoutMs, checkMs: connectionCheckMs }

export interface PlainReads {
  /** Ends connections that ask nothing, and the others after their answer. */
  close(): void
  /** Ends all. */
  cut(): void
}

interface Shared extends PlainReadOptions {
  readonly quiet: QuietTimes
  readonly meter: RouteMeter
  readonly open: Set<Connection>
  readonly toHttp: (socket: Socket) => void
  isClosing: boolean
}

/** Takes the connections of a server that does not listen yet. */
export function answerPlainReads(server: Server, options: PlainReadOptions): PlainReads {
  // What Node does with a connection. There is no other way to be there before it and to leave it the rest: a second server
  // that never listens would keep none of Node's bounds on the time of a request.
  const [toHttp] = server.listeners("connection")
  server.removeAllListeners("connection")
  const { quiet = usualTimes } = options
  const shared: Shared = {
    ...options,
    quiet,
    meter: options.metrics.route("GET", `${chainsPath}:id`),
    open: new Set(),
    toHttp: (socket) => toHttp?.call(server, socket),
    isClosing: false,
  }
  server.on("connection", (socket: Socket) => new Connection(socket, shared))
  const check = setInterval(() => {
    for (const connection of shared.open) connection.tick(quiet.checkMs)
  }, quiet.checkMs).unref()
  return {
    close() {
      shared.isClosing = true
      clearInterval(check)
      for (const connection of shared.open) connection.finish()
    },
    cut() {
      for (const connection of shared.open) connection.destroy()
    },
  }
}

/** Answers that have the date of this second. Put together, one is 6 kB of new memory; as it is, none. */
const maxPutTogether = 256
const putTogether = new Map<ChainAnswer, string>()
let second = 0
let date = ""

const afterDate = `\r\nConnection: keep-alive\r\nKeep-Alive: timeout=${keepAliveTimeoutMs / 1_000}\r\n\r\n`

class Connection {
  readonly #socket: Socket
  readonly #shared: Shared
  /** What was behind the name in the last request, mostly the same in the next; what it says, and who sent it. */
  #behind = ""
  #headers: PlainHeaders | undefined
  #network = ""
  #isFinding = false
  #quietMs = 0
  #hasAsked = false

  constructor(socket: Socket, shared: Shared) {
    this.#socket = socket
    this.#shared = shared
    shared.open.add(this)
    socket.on("data", this.#receive).on("end", this.#end).on("error", ignore).on("close", this.#forget)
  }

  /** Called now and then. A timer for each read would cost more than the look at all connections. */
  tick(elapsedMs: number): void {
    this.#quietMs += elapsedMs
    const { firstMs, nextMs } = this.#shared.quiet
    if (this.#quietMs > (this.#hasAsked ? nextMs : firstMs) && !this.#isFinding) this.#socket.destroy()
  }

  finish(): void {
    if (!this.#isFinding) this.#socket.destroySoon()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  readonly #receive = (chunk: Buffer): void => {
    const name = this.#nameIn(chunk)
    this.#quietMs = 0
    this.#hasAsked = true
    const view = name === undefined ? undefined : this.#shared.views.get(name)
    if (name !== undefined && view === undefined) void this.#find(name, chunk)
    else if (view === undefined || !this.#tryAnswer(view)) this.#handOver(chunk)
  }

  /** Of the chain that is asked for, when this is a plain read. */
  #nameIn(chunk: Buffer): string | undefined {
    // Answers that are not taken are Node's to bound.
    if (chunk.length > maxPlainBytes || this.#socket.writableLength > 0) return undefined
    const request = chunk.toString("latin1")
    const name = nameIn(request)
    return name !== undefined && this.#reads(behindName(request, name)) ? name : undefined
  }

  #reads(behind: string): boolean {
    if (behind === this.#behind) return true
    const headers = readHeaders(behind)
    if (headers === undefined) return false
    this.#behind = behind
    this.#headers = headers
    const forwarded = { "x-forwarded-for": headers.forwardedFor }
    this.#network = this.#shared.reads.networkOf({ socket: this.#socket, headers: forwarded })
    return true
  }

  async #find(name: string, chunk: Buffer): Promise<void> {
    const { views, reads, isClosing } = this.#shared
    if (isClosing || !reads.hasRoom(this.#network)) return this.#handOver(chunk)
    this.#isFinding = true
    this.#socket.pause()
    const found = await tryFind(name, views)
    this.#isFinding = false
    if (this.#socket.destroyed) return
    if (found?.status !== "found" || !this.#tryAnswer(found.view)) return this.#handOver(chunk)
    if (this.#shared.isClosing) this.finish()
    else this.#socket.resume()
  }

  /** False: the chain is long, or there is no token. */
  #tryAnswer(view: ChainView): boolean {
    const began = performance.now()
    const answer = answerOf(view)
    if (answer.text === undefined || !this.#shared.reads.tryTakeFrom(this.#network)) return false
    const isKnown = hasVersion(this.#headers?.ifNoneMatch, answer.etag)
    this.#socket.write(isKnown ? notModified(answer) : wholeAnswer(answer), "latin1")
    this.#shared.meter.observe(isKnown ? 304 : 200, (performance.now() - began) / 1_000)
    return true
  }

  #handOver(chunk: Buffer): void {
    this.#forget()
    const socket = this.#socket
    socket.off("data", this.#receive).off("end", this.#end).off("error", ignore).off("close", this.#forget)
    socket.unshift(chunk)
    this.#shared.toHttp(socket)
    socket.resume()
  }

  readonly #end = (): void => {
    this.#socket.end()
  }

  readonly #forget = (): void => {
    this.#shared.open.delete(this)
  }
}

/** The socket is closed after it. */
function ignore(): void {
  // Nothing is under way that could be told.
}

function wholeAnswer(answer: ChainAnswer): string {
  refreshDate()
  const known = putTogether.get(answer)
  if (known !== undefined) return known
  const whole = `${answer.start}${date}${afterDate}${answer.text}`
  if (putTogether.size < maxPutTogether) putTogether.set(answer, whole)
  return whole
}

function notModified({ notModifiedStart }: ChainAnswer): string {
  refreshDate()
  return `${notModifiedStart}${date}${afterDate}`
}

function refreshDate(): void {
  const now = Math.floor(Date.now() / 1_000)
  if (now === second) return
  second = now
  date = `Date: ${new Date(now * 1_000).toUTCString()}`
  putTogether.clear()
}

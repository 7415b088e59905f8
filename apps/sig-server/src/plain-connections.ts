/**
 * Connections before Node's HTTP has them. Plain requests (plain-request.ts) are answered as bytes on the socket: for objects that such an
 * answer has no use for, Node and the framework take two thirds of the time of a read and a quarter of that of an append. With the first
 * request that is anything else, a connection goes to Node with all that was received, and stays there. The answers are the framework's,
 * but for the `X-Request-Id` of a read and the order of a post's headers.
 */
import type { Server } from "node:http"
import type { Socket } from "node:net"
import { addressOf, type IsTrusted } from "@kez/server"
import { answerOf, hasVersion } from "./chain-answer.ts"
import type { ChainView } from "./chain-service.ts"
import * as bounds from "./http-limits.ts"
import type { Metrics, RouteMeter } from "./metrics.ts"
import { notModified, postAnswer, wholeAnswer } from "./plain-answer.ts"
import { answerPost, eventsRoute, type PlainPostDeps } from "./plain-post.ts"
import * as plain from "./plain-request.ts"
import type { ReadLimit } from "./read-limit.ts"
import { type RecentViews, tryFind } from "./recent-views.ts"

export interface PlainOptions {
  readonly views: RecentViews
  readonly metrics: Metrics
  readonly reads: ReadLimit
  readonly isTrusted: IsTrusted | undefined
  /** Undefined: posts are the framework's. */
  readonly posts: PlainPostDeps | undefined
  /** Tests wait less. */
  readonly quiet?: QuietTimes
}

/** How long a connection may stand still. */
export interface QuietTimes {
  /** Before its first request, before others, and while one is answered. */
  readonly firstMs: number
  readonly nextMs: number
  readonly busyMs: number
  /** How often that is looked at. */
  readonly checkMs: number
}

const usualTimes: QuietTimes = {
  firstMs: bounds.headersTimeoutMs,
  nextMs: bounds.keepAliveTimeoutMs,
  busyMs: bounds.socketIdleMs,
  checkMs: bounds.connectionCheckMs,
}

export interface PlainConnections {
  /** Ends connections that ask nothing, and the others after their answer. */
  close(): void
  /** Ends all. */
  cut(): void
}

interface Shared extends PlainOptions {
  readonly quiet: QuietTimes
  readonly readMeter: RouteMeter
  readonly postMeter: RouteMeter
  readonly open: Set<Connection>
  readonly toHttp: (socket: Socket) => void
  isClosing: boolean
}

/** Takes the connections of a server that does not listen yet. */
export function answerPlainRequests(server: Server, options: PlainOptions): PlainConnections {
  // What Node does with a connection. There is no other way to be there before it and to leave it the rest: a second server
  // that never listens would keep none of Node's bounds on the time of a request.
  const [toHttp, ...others] = server.listeners("connection")
  // A Node that has none, or somebody who listens too, would be left out without a word.
  if (toHttp === undefined || others.length > 0)
    throw new Error("Cannot stand before Node's HTTP: expected one listener")
  server.removeAllListeners("connection")
  const { metrics, quiet = usualTimes } = options
  const shared: Shared = {
    ...options,
    quiet,
    readMeter: metrics.route("GET", `${plain.chainsPath}:id`),
    postMeter: metrics.route("POST", eventsRoute),
    open: new Set(),
    toHttp: (socket) => toHttp.call(server, socket),
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

class Connection {
  readonly #socket: Socket
  readonly #shared: Shared
  /** What was behind the path in the last request, often the same in the next; what it says, and who sent it. */
  #behind = ""
  #headers: plain.PlainHeaders | undefined
  #address = ""
  #network = ""
  #isBusy = false
  #quietMs = 0
  #hasAsked = false
  /** The reader has said all it wants to say. */
  #hasEnded = false

  constructor(socket: Socket, shared: Shared) {
    this.#socket = socket
    this.#shared = shared
    shared.open.add(this)
    socket.on("data", this.#receive).on("end", this.#end).on("error", ignore).on("close", this.#forget)
    // It came between the order to close and the end of listening, and nobody would look at it again.
    if (shared.isClosing) this.finish()
  }

  /** Called now and then. A timer for each request would cost more than the look at all connections. */
  tick(elapsedMs: number): void {
    this.#quietMs += elapsedMs
    const { firstMs, nextMs, busyMs } = this.#shared.quiet
    if (this.#quietMs > (this.#isBusy ? busyMs : this.#hasAsked ? nextMs : firstMs)) this.#socket.destroy()
  }

  finish(): void {
    if (!this.#isBusy) this.#socket.destroySoon()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  readonly #receive = (chunk: Buffer): void => {
    this.#quietMs = 0
    this.#hasAsked = true
    // Answers that are not taken are Node's to bound.
    const isAnswered = this.#socket.writableLength === 0 && (this.#tryRead(chunk) || this.#tryPost(chunk))
    if (!isAnswered) this.#handOver(chunk)
  }

  #tryRead(chunk: Buffer): boolean {
    if (chunk[0] !== plain.firstByteOfRead || chunk.length > plain.maxPlainBytes) return false
    const request = chunk.toString("latin1")
    const name = plain.nameIn(request)
    if (name === undefined) return false
    const headers = this.#headersOf(plain.behindName(request, name))
    if (headers === undefined || headers.contentLength !== undefined) return false
    const view = this.#shared.views.get(name)
    if (view !== undefined) return this.#tryAnswer(view)
    const isAsked = plain.isChainName(name) && this.#shared.reads.hasRoom(this.#network)
    if (this.#shared.isClosing || !isAsked) return false
    void this.#find(name, chunk)
    return true
  }

  #tryPost(chunk: Buffer): boolean {
    const { posts, isClosing } = this.#shared
    if (posts === undefined || isClosing || chunk.length > plain.maxPlainBytes + bounds.maxBodyBytes) return false
    const post = plain.postIn(chunk)
    if (post === undefined || post.body.length > bounds.maxBodyBytes) return false
    const headers = this.#headersOf(post.behind)
    if (headers === undefined || !plain.isWholeBody(headers, post.body)) return false
    void this.#append(post, posts)
    return true
  }

  /** Undefined: they are not plain. */
  #headersOf(behind: string): plain.PlainHeaders | undefined {
    if (behind === this.#behind) return this.#headers
    const headers = plain.readHeaders(behind)
    if (headers === undefined) return undefined
    const asking = { socket: this.#socket, headers: { "x-forwarded-for": headers.forwardedFor } }
    this.#behind = behind
    this.#headers = headers
    this.#address = addressOf(asking, this.#shared.isTrusted)
    this.#network = this.#shared.reads.networkOf(asking)
    return headers
  }

  async #find(name: string, chunk: Buffer): Promise<void> {
    const began = performance.now()
    this.#pause()
    const found = await tryFind(name, this.#shared.views)
    this.#isBusy = false
    if (this.#socket.destroyed) return
    if (found?.status === "found" && this.#tryAnswer(found.view, began)) this.#goOn()
    // Node answers nobody who has left, and takes nothing back on such a connection.
    else if (this.#hasEnded) this.finish()
    else this.#handOver(chunk)
  }

  async #append({ name, body }: plain.PlainPost, posts: PlainPostDeps): Promise<void> {
    const began = performance.now()
    this.#pause()
    const answer = await answerPost(posts, { name, body, address: this.#address })
    this.#isBusy = false
    this.#shared.postMeter.observe(answer.status, (performance.now() - began) / 1_000)
    if (this.#socket.destroyed) return
    this.#socket.write(postAnswer(answer, this.#isLast()))
    this.#goOn()
  }

  #pause(): void {
    this.#isBusy = true
    this.#socket.pause()
  }

  #goOn(): void {
    this.#quietMs = 0
    if (this.#isLast()) this.finish()
    else this.#socket.resume()
  }

  #isLast(): boolean {
    return this.#shared.isClosing || this.#hasEnded
  }

  /** False: the chain is long, or there is no token. */
  #tryAnswer(view: ChainView, began = performance.now()): boolean {
    const answer = answerOf(view)
    if (answer.text === undefined || !this.#shared.reads.tryTakeFrom(this.#network)) return false
    const isKnown = hasVersion(this.#headers?.ifNoneMatch, answer.etag)
    const isLast = this.#isLast()
    this.#socket.write(isKnown ? notModified(answer, isLast) : wholeAnswer(answer, isLast), "latin1")
    this.#shared.readMeter.observe(isKnown ? 304 : 200, (performance.now() - began) / 1_000)
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
    this.#hasEnded = true
    // An event that is kept is acknowledged first.
    if (!this.#isBusy) this.#socket.end()
  }

  readonly #forget = (): void => {
    this.#shared.open.delete(this)
  }
}

/** The socket is closed after it. */
function ignore(): void {
  // Nothing is under way that could be told.
}

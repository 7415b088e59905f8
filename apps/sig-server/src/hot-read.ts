/**
 * The read that nearly all readers make, answered before the framework: a chain by its name, as a whole. The framework would
 * take as long as Node does for the rest of it. Whatever is unusual about a request goes to the framework, whose answer is the
 * same, byte for byte, but for a name of the request: there is no line of a log that it would lead to.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"
import { answerOf } from "./chain-answer.ts"
import type { ChainView } from "./chain-service.ts"
import type { Metrics } from "./metrics.ts"
import { chainsPath, nameLengths } from "./plain-request.ts"
import type { ReadLimit } from "./read-limit.ts"
import { type RecentViews, tryFind } from "./recent-views.ts"

const prefix = chainsPath

/** Headers with which a request is another one than that. */
const unusual: ReadonlySet<string> = new Set([
  "transfer-encoding",
  "content-length",
  "content-encoding",
  "if-none-match",
  "x-request-id",
])
const unusualLengths: ReadonlySet<number> = new Set([...unusual].map((name) => name.length))

export interface HotReadOptions {
  readonly views: RecentViews
  readonly metrics: Metrics
  readonly reads: ReadLimit
  /** How long a reader may leave a part of its answer untaken. */
  readonly idleMs: number
  /** The framework. */
  readonly otherwise: RequestListener
}

export function createHotRead({ views, metrics, reads, idleMs, otherwise }: HotReadOptions): RequestListener {
  const meter = metrics.route("GET", `${prefix}:id`)

  const send = (view: ChainView, request: IncomingMessage, response: ServerResponse): void => {
    const { body, text, flatHeaders } = answerOf(view)
    response.writeHead(200, flatHeaders)
    if (text === undefined) response.end(body)
    else response.end(text, "latin1")
    // Most answers are with the system by now. A timer for each of them would cost more than the look whether one is needed.
    if (response.writableLength > 0) request.socket.setTimeout(idleMs)
  }

  const observeSince = (began: number): void => meter.observe(200, (performance.now() - began) / 1_000)

  const findAndSend = async (name: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const began = performance.now()
    const found = await tryFind(name, views)
    if (found?.status === "found") {
      send(found.view, request, response)
      observeSince(began)
    } else {
      reads.pay(request)
      otherwise(request, response)
    }
  }

  return (request, response) => {
    if (!isPlainRead(request) || !reads.tryTake(request)) return otherwise(request, response)
    const name = request.url?.slice(prefix.length) ?? ""
    const view = views.get(name)
    if (view === undefined) return void findAndSend(name, request, response)
    const began = performance.now()
    send(view, request, response)
    observeSince(began)
  }
}

/** This read, perhaps, and nothing more to it. */
function isPlainRead({ method, url = "", rawHeaders }: IncomingMessage): boolean {
  return (
    method === "GET" && nameLengths.has(url.length - prefix.length) && url.startsWith(prefix) && !hasUnusual(rawHeaders)
  )
}

/** Names and values as they came: Node puts its object of them together only when it is asked for. */
function hasUnusual(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ""
    if (unusualLengths.has(name.length) && unusual.has(name.toLowerCase())) return true
  }
  return false
}

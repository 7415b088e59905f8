/**
 * The read that nearly all readers make, answered before the framework: a chain by its name, as a whole. The framework would
 * take as long as Node does for the rest of it. Whatever is unusual about a request goes to the framework, whose answer is the
 * same, byte for byte.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"
import { answerOf } from "./chain-answer.ts"
import { parseChainName } from "./chain-name.ts"
import type { ChainView, LookUp } from "./chain-service.ts"
import { commonHeaders, readerHeaders } from "./common-headers.ts"
import type { Metrics } from "./metrics.ts"
import type { ReadLimit } from "./read-limit.ts"
import type { RecentViews } from "./recent-views.ts"

const prefix = "/v1/chains/"
/** Of `nostr:npub1…`, `sha256:…` and `ed25519:…`: no longer path has one of these. */
const nameLengths: ReadonlySet<number> = new Set([69, 71, 72])

export interface HotReadOptions {
  readonly views: RecentViews
  readonly metrics: Metrics
  readonly reads: ReadLimit
  readonly requestId: (request: IncomingMessage) => string
  /** The framework. */
  readonly otherwise: RequestListener
}

export function createHotRead({ views, metrics, reads, requestId, otherwise }: HotReadOptions): RequestListener {
  const meter = metrics.route("GET", `${prefix}:id`)

  const send = (view: ChainView, request: IncomingMessage, response: ServerResponse): void => {
    const began = performance.now()
    const { body, text, flatHeaders } = answerOf(view)
    response.writeHead(200, ["x-request-id", requestId(request), ...fixedHeaders, ...flatHeaders])
    if (text === undefined) response.end(body)
    else response.end(text, "latin1")
    meter.observe(200, (performance.now() - began) / 1_000)
  }

  const findAndSend = async (name: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const found = await tryFind(name, views)
    if (found?.status === "found") send(found.view, request, response)
    else {
      reads.pay(request)
      otherwise(request, response)
    }
  }

  return (request, response) => {
    if (!isPlainRead(request) || !reads.tryTake(request)) return otherwise(request, response)
    const name = request.url?.slice(prefix.length) ?? ""
    const view = views.get(name)
    if (view === undefined) void findAndSend(name, request, response)
    else send(view, request, response)
  }
}

/** A name that the library refuses, and a storage that fails, are for the framework to tell. */
async function tryFind(name: string, views: RecentViews): Promise<LookUp | undefined> {
  try {
    return await views.find(parseChainName(name))
  } catch {
    return undefined
  }
}

const fixedHeaders = Object.entries({ ...commonHeaders, ...readerHeaders }).flat()

/** This read, perhaps, and nothing more to it. */
function isPlainRead({ method, url = "", headers }: IncomingMessage): boolean {
  return (
    method === "GET" &&
    nameLengths.has(url.length - prefix.length) &&
    url.startsWith(prefix) &&
    headers["transfer-encoding"] === undefined &&
    headers["content-length"] === undefined &&
    headers["content-encoding"] === undefined &&
    headers["if-none-match"] === undefined
  )
}

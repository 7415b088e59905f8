/** A chat server's records of handles on loopback, until there is the chat server itself: SPEC §7.7 and nothing else. */
import { createHash } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { startHttpServer } from "../../packages/channels/test/support/http-server.ts"

/** What stands at a path: a JSON value, text, or a status alone, 410 for a handle that was released. */
export type Stands =
  | { readonly json: unknown }
  | { readonly text: string }
  | { readonly status: number; readonly retryAfterSeconds?: number }

export interface HandlesServer {
  /** `http://127.0.0.1:PORT`, for the `hosts` of the settings. */
  readonly origin: string
  /** The path of every request, in order, with ` 304` behind it where the answer was that nothing changed. */
  readonly requests: readonly string[]
  /** The most requests that were being answered at once. */
  readonly mostAtOnce: number
  /** Replaces what stands at `/v1/handles/<handle>`. */
  setHandle(handle: string, stands: Stands): void
  /** Replaces what stands at any path, such as a chain or `/livez`. */
  setPath(path: string, stands: Stands): void
  close(): Promise<void>
}

export interface HandlesOptions {
  /** Before each answer, as if the server were far away. */
  readonly latencyMs?: number
}

export async function startHandlesServer({ latencyMs = 0 }: HandlesOptions = {}): Promise<HandlesServer> {
  const places = new Map<string, Stands>([["/livez", { text: "ok" }]])
  const requests: string[] = []
  let atOnce = 0
  let mostAtOnce = 0
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { url = "/" } = request
    atOnce++
    mostAtOnce = Math.max(mostAtOnce, atOnce)
    if (latencyMs > 0) await sleep(latencyMs)
    atOnce--
    send(response, places.get(url) ?? { status: 404 }, request.headers["if-none-match"])
    requests.push(response.statusCode === 304 ? `${url} 304` : url)
  }
  const server = await startHttpServer((request, response) => void answer(request, response))
  return {
    origin: server.origin,
    requests,
    get mostAtOnce() {
      return mostAtOnce
    },
    setHandle: (handle, stands) => void places.set(`/v1/handles/${handle}`, stands),
    setPath: (path, stands) => void places.set(path, stands),
    close: () => server.close(),
  }
}

function send(response: ServerResponse, stands: Stands, known: string | undefined): void {
  if ("status" in stands) {
    const wait = stands.retryAfterSeconds === undefined ? {} : { "retry-after": String(stands.retryAfterSeconds) }
    response.writeHead(stands.status, { "content-type": "application/json", ...wait }).end("{}")
    return
  }
  const [type, body] =
    "text" in stands ? ["text/plain", stands.text] : ["application/json", JSON.stringify(stands.json)]
  const etag = `"${createHash("sha256").update(body).digest("hex").slice(0, 32)}"`
  const isSame = known === etag
  response.writeHead(isSame ? 304 : 200, { "content-type": type, etag }).end(isSame ? undefined : body)
}

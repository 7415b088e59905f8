/** A chat server's records of handles on loopback, until there is the chat server itself: SPEC §7.7 and nothing else. */
import type { IncomingMessage, ServerResponse } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { startHttpServer } from "../../packages/channels/test/support/http-server.ts"

/** What stands at a path: a JSON value, text, or a status alone, 410 for a handle that was released. */
export type Stands = { readonly json: unknown } | { readonly text: string } | { readonly status: number }

export interface HandlesServer {
  /** `http://127.0.0.1:PORT`, for the `hosts` of the settings. */
  readonly origin: string
  /** Every request, as its path, in order. */
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
  const answer = async ({ url = "/" }: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests.push(url)
    atOnce++
    mostAtOnce = Math.max(mostAtOnce, atOnce)
    if (latencyMs > 0) await sleep(latencyMs)
    atOnce--
    send(response, places.get(url) ?? { status: 404 })
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

function send(response: ServerResponse, stands: Stands): void {
  if ("status" in stands) response.writeHead(stands.status, { "content-type": "application/json" }).end("{}")
  else if ("text" in stands) response.writeHead(200, { "content-type": "text/plain" }).end(stands.text)
  else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(stands.json))
}

/**
 * HTTP to chat servers from a page. Its own host is the origin that the page came from; of others only what every page may read (GET) is answered, by their
 * `access-control-allow-origin`.
 */
import { KezError } from "@kez/core"
import type { HttpAnswer, HttpPort } from "../engine/ports.ts"

export interface PageHttpOptions {
  /** The origin of a chat server, without a slash at its end: `https://chat.example` for `chat.example` unless given. */
  readonly originOf?: (host: string) => string
  readonly timeoutMs?: number
}

const defaultTimeoutMs = 10_000

export function createPageHttp({
  originOf = (host) => `https://${host}`,
  timeoutMs = defaultTimeoutMs,
}: PageHttpOptions = {}): HttpPort {
  return {
    async request({ host, method, path, body, maxBytes }): Promise<HttpAnswer> {
      const isPost = body !== undefined
      try {
        const answer = await fetch(`${originOf(host)}${path}`, {
          method,
          ...(isPost ? { body: new Uint8Array(body), headers: { "content-type": "application/json" } } : {}),
          // Neither cookies nor the address of the page go along, and no server sends us on to another.
          ...{ credentials: "omit", redirect: "error", referrerPolicy: "no-referrer", cache: "no-store" },
          signal: AbortSignal.timeout(timeoutMs),
        })
        return { status: answer.status, body: await readBytes(answer, maxBytes) }
      } catch (cause) {
        if (cause instanceof KezError) throw cause
        throw cause instanceof Error && cause.name === "TimeoutError"
          ? new KezError("net.timeout", `Cannot ask ${host}: no answer in ${timeoutMs / 1_000} seconds`, { cause })
          : new KezError("net.refused", `Cannot ask ${host}: it does not answer, or not to this page`, { cause })
      }
    },
  }
}

/** Counted while it comes. */
async function readBytes(answer: Response, maxBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(maxBytes)
  let length = 0
  const reader = answer.body?.getReader()
  for (;;) {
    const part = await reader?.read()
    if (part === undefined || part.done) return bytes.slice(0, length)
    if (length + part.value.length > maxBytes) {
      await reader?.cancel()
      throw new KezError("limit.size", `Cannot read the answer: expected at most ${maxBytes} bytes`)
    }
    bytes.set(part.value, length)
    length += part.value.length
  }
}

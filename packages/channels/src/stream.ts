/**
 * The single way to follow a text that a place sends for as long as it likes, under the same guard as the fetch. SPEC NET-7.
 * Lines are bounded, and so is what comes in a minute; silence ends it, time does not.
 */
import type { IncomingMessage } from "node:http"
import { KezError } from "@kez/core"
import type { LineStream, StreamOptions } from "./channel.ts"
import { withDeadline } from "./deadline.ts"
import { explain, openRequest, type Phase, waitForAnswer } from "./exchange.ts"
import { type FetchSetup, resolvePublic, userAgent } from "./fetch.ts"
import { assertMediaType } from "./fetch-answer.ts"
import { fetchLimits, type StreamLimits, streamLimits } from "./limits.ts"
import type { RunAtHost } from "./queue.ts"
import { assertOpen, type RateLimitMemory } from "./rate-limit.ts"
import { readRetryAfter } from "./retry-after.ts"
import { readLines } from "./stream-lines.ts"
import { isRedirect, parseChosenTarget, parseHosts, parseTarget, type Target } from "./url.ts"

export interface StreamSetup extends Pick<FetchSetup, "resolver" | "now" | "hosts" | "ca" | "dial"> {
  readonly limits?: Partial<StreamLimits>
  /** The lines of the fetch: a stream takes one of the places at its host until it ends. */
  readonly runAtHost: RunAtHost
  readonly rateLimits: RateLimitMemory
}

export type OpenStream = (url: string, options: StreamOptions) => Promise<LineStream>

interface Opened {
  readonly stream: LineStream
  readonly ended: Promise<void>
}

/** Creates a guarded opener. It throws like `createFetch`, `net.redirect` for every redirect, and `net.timeout` for silence. */
export function createOpenStream(setup: StreamSetup): OpenStream {
  const limits = { ...fetchLimits, ...streamLimits, ...setup.limits }
  const hosts = parseHosts(setup.hosts)

  async function open(target: Target, options: StreamOptions): Promise<Opened> {
    const { sent, url } = target
    const bucket = { host: sent.host, isAuthorized: false }
    await assertOpen(setup.rateLimits, bucket, setup.now())
    const deadline = { parent: options.signal, timeoutMs: limits.openMs, task: `follow ${url.host}` }
    const life = createLife(url.host, limits.quietMs, options.signal)
    try {
      const incoming = await withDeadline(deadline, async (signal) => {
        const addresses = target.base ? undefined : await resolvePublic(sent.hostname, setup.resolver, signal)
        return life.request({ target, addresses, options, setup, limits, signal })
      })
      const status = incoming.statusCode ?? 0
      if (isRedirect(status))
        throw new KezError("net.redirect", `Cannot follow ${url.host}: expected a stream, got a redirect`)
      assertMediaType(target, { status, headers: incoming.headers }, options.accept)
      assertPlain(url.host, incoming)
      const retryAfterSeconds = readRetryAfter(status, incoming.headers, setup.now())
      if ([403, 429, 503].includes(status) && retryAfterSeconds !== undefined && retryAfterSeconds > 0) {
        await setup.rateLimits.close(bucket, setup.now() + retryAfterSeconds)
      }
      if (status !== 200) life.end()
      return { stream: life.stream(incoming, limits, retryAfterSeconds), ended: life.ended }
    } catch (error) {
      life.end()
      throw error
    }
  }

  return async (text, options) => {
    options.signal.throwIfAborted()
    const target = options.isChosen === true ? parseChosenTarget(text, hosts) : parseTarget(text, hosts)
    const opened = Promise.withResolvers<LineStream>()
    const life = setup.runAtHost(target.sent.host, options.signal, async () => {
      const { stream, ended } = await open(target, options)
      opened.resolve(stream)
      await ended
    })
    life.catch(opened.reject)
    return opened.promise
  }
}

interface Sending {
  readonly target: Target
  readonly addresses: readonly string[] | undefined
  readonly options: StreamOptions
  readonly setup: StreamSetup
  readonly limits: typeof fetchLimits & StreamLimits
  readonly signal: AbortSignal
}

/** One connection from its first byte to its end; the first reason to end it counts. */
function createLife(host: string, quietMs: number, signal: AbortSignal) {
  const ended = Promise.withResolvers<void>()
  let phase: Phase = "connecting"
  let stopped: { readonly reason: unknown } | undefined
  let destroy = () => {}
  const end = (reason?: unknown) => {
    stopped ??= { reason }
    signal.removeEventListener("abort", onAbort)
    destroy()
    ended.resolve()
  }
  const onAbort = () => end(signal.reason)
  signal.addEventListener("abort", onAbort, { once: true })
  const failure = (error: unknown): unknown => {
    if (stopped?.reason !== undefined) return stopped.reason
    return error instanceof KezError ? error : explain(error, phase, host)
  }

  async function request({ target, addresses, options, setup, limits, signal: opening }: Sending) {
    opening.throwIfAborted()
    const headers = {
      accept: options.accept?.join(", ") ?? "*/*",
      ...options.headers,
      "user-agent": userAgent,
      // Decompressing would put a buffer between an event and its reader, and a bomb into it.
      "accept-encoding": "identity",
      "cache-control": "no-cache",
      connection: "close",
    }
    const { ca, dial } = setup
    const outgoing = openRequest({ url: target.sent, method: "GET", headers, addresses, ca, dial, limits })
    destroy = () => outgoing.destroy()
    const giveUp = () => outgoing.destroy()
    opening.addEventListener("abort", giveUp, { once: true })
    outgoing.on("timeout", () => end(silence(host)))
    outgoing.on("socket", (socket) => {
      socket.on("connect", () => {
        phase = target.sent.protocol === "https:" ? "securing" : "talking"
      })
      socket.on("secureConnect", () => {
        phase = "talking"
      })
    })
    outgoing.end()
    try {
      const incoming = await waitForAnswer(outgoing)
      // The opening is over: its signal must not end what follows, and silence is measured anew.
      outgoing.setTimeout(quietMs)
      return incoming
    } catch (error) {
      throw failure(error)
    } finally {
      opening.removeEventListener("abort", giveUp)
    }
  }

  function stream(incoming: IncomingMessage, limits: StreamLimits, retryAfterSeconds: number | undefined): LineStream {
    const status = incoming.statusCode ?? 0
    return {
      status,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      async *lines() {
        if (status !== 200) return
        try {
          for await (const line of readLines(incoming, limits)) {
            if (stopped !== undefined) break
            yield line
          }
          if (stopped?.reason !== undefined) throw stopped.reason
        } catch (error) {
          if (stopped !== undefined && stopped.reason === undefined) return
          throw failure(error)
        } finally {
          end()
        }
      },
      close: () => end(),
    }
  }

  return { request, stream, end, ended: ended.promise }
}

function assertPlain(host: string, { headers }: IncomingMessage): void {
  const encoding = headers["content-encoding"] ?? "identity"
  if (encoding === "identity") return
  throw new KezError("net.http", `Cannot follow ${host}: expected plain text, got ${encoding.slice(0, 40)}`)
}

function silence(host: string): KezError {
  return new KezError("net.timeout", `Cannot follow ${host}: expected a byte in time, got none`)
}

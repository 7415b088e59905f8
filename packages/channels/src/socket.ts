/**
 * The single way to open a WebSocket to a place that may be hostile, under the same guard as the fetch. SPEC §7.2.
 * Resolve once, connect to the addresses that were checked, take few bytes, and destroy the connection at the end.
 */
import { KezError } from "@kez/core"
import type { MessageSocket, SocketOptions } from "./channel.ts"
import { withDeadline } from "./deadline.ts"
import { type FetchSetup, resolvePublic } from "./fetch.ts"
import { fetchLimits, type SocketLimits, socketLimits } from "./limits.ts"
import type { RunAtHost } from "./queue.ts"
import { assertOpen, RateLimitError, type RateLimitMemory } from "./rate-limit.ts"
import { connect } from "./socket-connection.ts"
import { parseHosts, parseSocketTarget } from "./url.ts"

export interface SocketSetup extends Pick<FetchSetup, "resolver" | "now" | "hosts" | "ca" | "dial"> {
  readonly limits?: Partial<SocketLimits>
  /** The lines of the fetch, so that sockets and requests share the places at a host. */
  readonly runAtHost: RunAtHost
  /** Hosts that asked to wait, those of the fetch too. */
  readonly rateLimits: RateLimitMemory
  /** URLs of the reader's own choice: these very ones may be `ws:`, private, and on any port. */
  readonly chosen?: ReadonlySet<string>
}

export type OpenSocket = (url: string, options: SocketOptions) => Promise<MessageSocket>

/**
 * Creates a guarded opener. It throws KezError `net.url|host|address|port` refused, `net.redirect` sent elsewhere,
 * `net.dns|refused|tls|timeout|http|busy` failed, `net.status|rate_limit` answered with another status.
 */
export function createOpenSocket(setup: SocketSetup): OpenSocket {
  const limits = { ...fetchLimits, ...socketLimits, ...setup.limits }
  const hosts = parseHosts(setup.hosts)

  return async (text, options) => {
    const target = parseSocketTarget(text, hosts, setup.chosen)
    const { sent } = target
    const bucket = { host: sent.host, isAuthorized: false }
    const opened = Promise.withResolvers<MessageSocket>()
    const deadline = { parent: options.signal, timeoutMs: limits.totalMs, task: `talk with ${target.url.host}` }
    // One time limit for the whole life, the waiting in line included; the place at the host is held until the end.
    const life = withDeadline(deadline, (signal) =>
      setup.runAtHost(sent.host, signal, async () => {
        await assertOpen(setup.rateLimits, bucket, setup.now())
        const addresses = target.base ? undefined : await resolvePublic(sent.hostname, setup.resolver, signal)
        const { ca, dial, now } = setup
        const request = { url: sent, name: target.url.host, addresses, ca, dial, limits, now }
        const { socket, ended } = await connect(request, signal).catch(async (error: unknown) => {
          if (error instanceof RateLimitError) {
            await setup.rateLimits.close(bucket, setup.now() + error.retryAfterSeconds)
          }
          throw error
        })
        opened.resolve(socket)
        await ended
      }),
    )
    // After the opening this has no reader any more: the socket itself tells what stopped it.
    life.then(() => opened.reject(notOpened(target.url.host)), opened.reject)
    return opened.promise
  }
}

function notOpened(host: string): KezError {
  return new KezError("net.refused", `Cannot talk with ${host}: expected a connection, got none`)
}

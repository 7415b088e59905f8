/** Where the broker of a chat server is: as configured, else as the server says. A server may not point into its users' private network. */
import { assertPublicAddresses, type Net } from "@kez/channels"
import { KezError } from "@kez/core"
import { aboutHost } from "../account/chat-host.ts"
import type { Context } from "../context.ts"
import { openResolver } from "../network.ts"

export interface BrokerPlaceOptions {
  readonly host: string
  readonly net: Net
  readonly timeoutMs: number
}

/** Options of a connection to it. */
export interface BrokerPlace {
  /** By WebSocket, as through a proxy with HTTPS. */
  readonly isWeb: boolean
  readonly servers: string[]
  readonly tls?: Record<string, never>
  readonly ignoreClusterUpdates: true
}

/** Asks once; a failure is asked about again the next time. */
export function createBrokerPlace(context: Context, options: BrokerPlaceOptions): () => Promise<BrokerPlace> {
  const { host, net, timeoutMs } = options
  const configured = context.settings.brokers.value[host]
  if (configured !== undefined) {
    return async () => {
      assertSecret(host, [configured])
      return placeOf([configured])
    }
  }
  const isOwnHost = context.settings.hosts.value[host] !== undefined
  let known: readonly string[] | undefined
  return async () => {
    known ??= await ask()
    return placeOf(known)
  }

  async function ask(): Promise<readonly string[]> {
    const { broker } = await aboutHost(net, host, timeoutMs)
    if (broker.length === 0) {
      throw new KezError("broker.missing", `Cannot chat at ${host}: it names no broker`, {
        hint: `Ask who runs it, or name it in config.toml:\n[brokers] ${host} = "tls://${host}:4222"`,
      })
    }
    assertSecret(host, broker)
    if (isOwnHost) return broker
    for (const url of broker) await assertFit(url)
    return broker
  }

  async function assertFit(url: string): Promise<void> {
    const { hostname } = new URL(url)
    if (!isEncrypted(url)) throw plainFault(host)
    const signal = AbortSignal.timeout(timeoutMs)
    const { addresses } = await openResolver(context, { timeoutMs }).resolveAddresses(hostname, signal)
    assertPublicAddresses(hostname, addresses)
  }
}

const isEncrypted = (url: string): boolean => /^(?:tls|wss):/.test(url)

/**
 * Without TLS whoever is on the way reads with whom somebody writes, and takes the connection over once it is let in. Of this computer nothing
 * is on the way. Throws `net.url`.
 */
export function assertSecret(host: string, urls: readonly string[]): void {
  for (const url of urls) if (!isEncrypted(url) && !isLoopbackHost(new URL(url).hostname)) throw plainFault(host)
}

function isLoopbackHost(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.[0-9]{1,3}){3}$/.test(hostname)
}

function plainFault(host: string): KezError {
  return new KezError("net.url", `Cannot use the broker of ${host}: expected a tls:// or wss:// URL`, {
    hint: "Without TLS whoever is on the way sees with whom you write. For a try: a tunnel to this computer, and nats://127.0.0.1:PORT.",
  })
}

/** The client has one way to dial at a time: where a server names both, those that need no proxy. */
function placeOf(urls: readonly string[]): BrokerPlace {
  const plain = urls.filter((url) => !/^wss?:/.test(url))
  const isWeb = plain.length === 0
  const servers = isWeb ? urls : plain
  // One that asks for TLS is never met without it: then the client refuses a server, or somebody on the way, that says there is none.
  const isTls = servers.some((url) => url.startsWith("tls:"))
  // A broker could name others: who those are is not for it to say.
  return { isWeb, servers: [...servers], ignoreClusterUpdates: true, ...(isTls ? { tls: {} } : {}) }
}

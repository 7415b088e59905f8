/** The guarded network that channels are given. SPEC §7. */
import { KezError } from "@kez/core"
import { type AnswerCache, createMemoryCache } from "./answer-cache.ts"
import type { ChannelSettings, Net } from "./channel.ts"
import { createFetch } from "./fetch.ts"
import type { FetchLimits } from "./limits.ts"
import { createRateLimitMemory, type RateLimitMemory } from "./rate-limit.ts"
import { createResolver, type Resolver } from "./resolver.ts"

export interface NetOptions {
  /** The system's resolver unless given. */
  readonly resolver?: Resolver
  /** Unix seconds; the system clock unless given. */
  readonly now?: () => number
  /** Host to base URL; see `FetchSetup`. */
  readonly hosts?: Readonly<Record<string, string>>
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string
  readonly limits?: Partial<FetchLimits>
  /** In memory unless given. */
  readonly cache?: AnswerCache
  /** In memory unless given. */
  readonly rateLimits?: RateLimitMemory
  readonly settings?: Partial<ChannelSettings>
}

/** Large relays that keep profiles and addressable events and ask for no login. Readers name their own in the settings. */
export const defaultRelays: readonly string[] = [
  "wss://relay.damus.io",
  "wss://nos.lol",
  "wss://relay.primal.net",
  "wss://relay.nostr.net",
]

/** Creates the network of one process; its lines per host hold for all channels that share it. */
export function createNet(options: NetOptions = {}): Net {
  const { resolver = createResolver(), now = readClock, settings = {}, ...rest } = options
  const { cache = createMemoryCache(), rateLimits = createRateLimitMemory() } = options
  return {
    resolveTxt: resolver.resolveTxt,
    fetch: createFetch({ ...rest, resolver, now, cache, rateLimits }),
    openSocket: (url) => Promise.reject(new KezError("net.url", `Cannot open ${url}: expected no WebSocket here`)),
    now,
    settings: { relays: defaultRelays, ...settings },
  }
}

function readClock(): number {
  return Math.floor(Date.now() / 1000)
}

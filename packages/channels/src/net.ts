/** The guarded network that channels are given. SPEC §7. */
import { type AnswerCache, createMemoryCache } from "./answer-cache.ts"
import type { ChannelSettings, Net } from "./channel.ts"
import type { Dial } from "./dial.ts"
import { createFetch } from "./fetch.ts"
import { type FetchLimits, fetchLimits, type SocketLimits, type StreamLimits } from "./limits.ts"
import { createHostQueue } from "./queue.ts"
import { createRateLimitMemory, type RateLimitMemory } from "./rate-limit.ts"
import { createResolver, type Resolver } from "./resolver.ts"
import type { OpenSocket } from "./socket.ts"
import type { OpenStream } from "./stream.ts"

export interface NetOptions {
  /** The system's resolver unless given. */
  readonly resolver?: Resolver
  /** Unix seconds; the system clock unless given. */
  readonly now?: () => number
  /** Host to base URL; see `FetchSetup`. */
  readonly hosts?: Readonly<Record<string, string>>
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string
  /** Opens the connections of fetches and WebSockets; Node's own unless given. */
  readonly dial?: Dial
  readonly limits?: Partial<FetchLimits & SocketLimits & StreamLimits>
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
  const runAtHost = createHostQueue({ ...fetchLimits, ...rest.limits })
  const { cache = createMemoryCache(), rateLimits = createRateLimitMemory() } = options
  const setup = { ...rest, resolver, now, runAtHost, rateLimits }
  // Those we suggest are not the reader's own choice: no name of theirs may lead to a private place.
  const chosen = new Set(settings.relays)
  let opener: Promise<OpenSocket> | undefined
  let streamer: Promise<OpenStream> | undefined
  return {
    resolveTxt: resolver.resolveTxt,
    fetch: createFetch({ ...setup, cache }),
    async openSocket(url, socketOptions) {
      // Few commands speak with a relay, and the library is long to load.
      opener ??= import("./socket.ts").then(({ createOpenSocket }) => createOpenSocket({ ...setup, chosen }))
      return (await opener)(url, socketOptions)
    },
    async openStream(url, streamOptions) {
      streamer ??= import("./stream.ts").then(({ createOpenStream }) => createOpenStream(setup))
      return (await streamer)(url, streamOptions)
    },
    now,
    settings: { relays: defaultRelays, ...settings },
  }
}

function readClock(): number {
  return Math.floor(Date.now() / 1000)
}

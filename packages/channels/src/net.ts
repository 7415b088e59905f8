/** The guarded network that channels are given. SPEC §7. */
import type { Net } from "./channel.ts"
import { createFetch } from "./fetch.ts"
import type { FetchLimits } from "./limits.ts"
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
}

/** Creates the network of one process; its lines per host hold for all channels that share it. */
export function createNet(options: NetOptions = {}): Net {
  const { resolver = createResolver(), now = readClock, ...rest } = options
  return { resolveTxt: resolver.resolveTxt, fetch: createFetch({ ...rest, resolver, now }), now }
}

function readClock(): number {
  return Math.floor(Date.now() / 1000)
}

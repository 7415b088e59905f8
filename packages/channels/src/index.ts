/** Everything that other packages may call. Each name is listed by hand. */
export { assertPublicAddresses, isPublicAddress } from "./address.ts"
export { decodeUtf8 } from "./body.ts"
export type { Candidate, Channel, Evidence, Net, Publication } from "./channel.ts"
export { dns } from "./dns.ts"
export type { DnsStatus } from "./dns-query.ts"
export type { Method } from "./exchange.ts"
export { createFetch, type FetchAnswer, type FetchOptions, type FetchSetup, type GuardedFetch } from "./fetch.ts"
export { type FetchLimits, fetchLimits, type ResolverLimits, resolverLimits } from "./limits.ts"
export { createNet, type NetOptions } from "./net.ts"
export { describeFetch, publicationOfError, publicationOfStatus } from "./publication.ts"
export { channels, findChannel } from "./registry.ts"
export {
  type AddressAnswer,
  createResolver,
  type Resolver,
  type ResolverOptions,
  type TxtAnswer,
  UnknownHostError,
} from "./resolver.ts"
export { parseRetryAfter } from "./retry-after.ts"
export { type HostMap, parseHosts, parseRedirect, parseTarget, type Target } from "./url.ts"

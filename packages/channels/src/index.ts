/** Everything that other packages may call. Each name is listed by hand. */
export { assertPublicAddresses, isPublicAddress } from "./address.ts"
export {
  type AnswerCache,
  type AnswerKey,
  createMemoryCache,
  type StoredAnswer,
} from "./answer-cache.ts"
export { ap } from "./ap.ts"
export { apPublisher } from "./ap-publish.ts"
export { bluesky } from "./bluesky.ts"
export { blueskyPublisher } from "./bluesky-publish.ts"
export { decodeUtf8 } from "./body.ts"
export type {
  Canary,
  Candidate,
  Channel,
  ChannelSettings,
  Evidence,
  Health,
  LineStream,
  LookOptions,
  MessageSocket,
  Net,
  Publication,
  SocketOptions,
  StreamOptions,
} from "./channel.ts"
export { withDeadline } from "./deadline.ts"
export type { Dial, DialOptions } from "./dial.ts"
export { dns } from "./dns.ts"
export { type AskNameServer, type NameServer, parseNameServer } from "./dns-client.ts"
export type { DnsStatus } from "./dns-query.ts"
export { describeReports, longestCache, type RecordView, type ServerReport, type ServerRole } from "./dns-view.ts"
export {
  defaultPublicResolvers,
  type WatchRequest,
  type WatchRound,
  type WatchTools,
  watchRecords,
} from "./dns-watch.ts"
export type { Method } from "./exchange.ts"
export { createFetch, type FetchOptions, type FetchSetup, type GuardedFetch } from "./fetch.ts"
export type { FetchAnswer } from "./fetch-answer.ts"
export { github } from "./github.ts"
export { githubPublisher } from "./github-publish.ts"
export { type HtmlText, proofTextsOf, readHtml } from "./html-text.ts"
export { kez } from "./kez.ts"
export {
  type AnswerCacheLimits,
  answerCacheLimits,
  type FetchLimits,
  fetchLimits,
  maxClosedHosts,
  type ResolverLimits,
  resolverLimits,
  type SocketLimits,
  type StreamLimits,
  socketLimits,
  streamLimits,
} from "./limits.ts"
export { type AccountLook, createLook, type LookAtAccount, type LookRequest } from "./look.ts"
export { notesOnTexts } from "./near-miss.ts"
export { createNet, defaultRelays, type NetOptions } from "./net.ts"
export { importNip39, type Nip39Import, parseNip39, type Suggestion } from "./nip39.ts"
export { nostr } from "./nostr.ts"
export { collectChains, type NostrChains, publishChain } from "./nostr-chain.ts"
export { nostrPublisher } from "./nostr-publish.ts"
export { describeFetch, healthOfError, publicationOfError, publicationOfStatus } from "./publication.ts"
export type {
  CredentialKind,
  Credentials,
  PlaceOutcome,
  Publisher,
  PublishForm,
  PublishPlace,
  PublishRequest,
  PublishResult,
  UnpublishRequest,
} from "./publisher.ts"
export { type Bucket, createRateLimitMemory, RateLimitError, type RateLimitMemory } from "./rate-limit.ts"
export { channels, findChannel, findPublisher, publishers } from "./registry.ts"
export { findRelMe, guessIdentity, type RelMeLinks, type RelMeSuggestion, readRelMe } from "./rel-me.ts"
export {
  type AddressAnswer,
  createResolver,
  type NameResolver,
  type Resolver,
  type ResolverOptions,
  type TxtAnswer,
  UnknownHostError,
} from "./resolver.ts"
export { parseRetryAfter, readRetryAfter } from "./retry-after.ts"
export { createOpenStream, type OpenStream, type StreamSetup } from "./stream.ts"
export {
  type HostMap,
  isPublicUrl,
  parseChosenTarget,
  parseHosts,
  parseRedirect,
  parseTarget,
  type Target,
} from "./url.ts"

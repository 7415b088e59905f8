/**
 * The bounds of everything that touches the network. SPEC §7. Bytes unless the name says otherwise.
 * The bounds of what is found there are core's `limits`.
 */

/** How far one fetch may go. A caller may raise a byte cap for a place that holds more, such as a sigchain. */
export interface FetchLimits {
  /** From the call to the last byte: queue, DNS, redirects and body together. */
  readonly totalMs: number
  /** The longest time in which no byte arrives. */
  readonly idleMs: number
  readonly maxRedirects: number
  readonly maxHeaderBytes: number
  /** Body as received, before decompression. */
  readonly maxWireBytes: number
  /** Body after decompression. */
  readonly maxBodyBytes: number
  readonly maxRequestsPerHost: number
  /** Calls that wait for a free place at one host; one more is refused. */
  readonly maxQueuedPerHost: number
}

export const fetchLimits: FetchLimits = {
  totalMs: 10_000,
  idleMs: 3_000,
  maxRedirects: 3,
  maxHeaderBytes: 32_768,
  maxWireBytes: 262_144,
  maxBodyBytes: 1_048_576,
  maxRequestsPerHost: 2,
  maxQueuedPerHost: 64,
}

/** How far one WebSocket may go; its times and its places at a host are those of a fetch. */
export interface SocketLimits {
  /** From the call to the end of the connection: queue, DNS and everything said. */
  readonly totalMs: number
  /** The longest time in which no byte arrives. */
  readonly idleMs: number
  readonly maxMessageBytes: number
  /** Everything received after the opening, control frames included. */
  readonly maxSocketBytes: number
}

export const socketLimits: SocketLimits = {
  totalMs: fetchLimits.totalMs,
  idleMs: fetchLimits.idleMs,
  maxMessageBytes: 131_072,
  maxSocketBytes: 1_048_576,
}

/** How far one stream of lines may go. It has no end of its own: whoever reads it ends it. */
export interface StreamLimits {
  /** From the call to the head of the answer: queue, DNS and connection. */
  readonly openMs: number
  /** The longest time in which no byte arrives; who sends a stream sends something in between to show that it lives. */
  readonly quietMs: number
  readonly maxLineBytes: number
  /** Received in one minute. */
  readonly maxBytesPerMinute: number
}

export const streamLimits: StreamLimits = {
  openMs: fetchLimits.totalMs,
  quietMs: 60_000,
  maxLineBytes: 524_288,
  maxBytesPerMinute: 4_194_304,
}

export interface ResolverLimits {
  /** All servers and attempts together. */
  readonly totalMs: number
  /** The first attempt at one server; the second waits twice as long. */
  readonly attemptMs: number
}

export const resolverLimits: ResolverLimits = { totalMs: 10_000, attemptMs: 1_500 }

export const maxUrlBytes = 2_048
/** A DNS name in text form, without the final dot. RFC 1035 §2.3.4. */
export const maxNameBytes = 253
/** Names that a CNAME chain may pass through. */
export const maxCnameHops = 8
/** The longest that a DNS answer may be repeated. */
export const maxTtlSeconds = 604_800
/** A DNS message over HTTPS. */
export const maxDnsMessageBytes = 65_535
/** Addresses of one host that are tried, per family; all of them are checked. */
export const maxAddressesTried = 4
/** How long the look for near misses may take, after the answer is known. */
export const nearMissMs = 2_000
/** How long a platform's canary may take. */
export const canaryMs = 5_000
/** The longest wait that a server may ask for and be believed. */
export const maxRetryAfterSeconds = 86_400
/** The wait after a 429 that names none. */
export const usualRetryAfterSeconds = 60
/** Hosts that asked to wait and are remembered. */
export const maxClosedHosts = 512

export interface AnswerCacheLimits {
  readonly maxEntries: number
  /** Bodies together. */
  readonly maxBytes: number
  /** One body; a larger one is asked for anew each time. */
  readonly maxEntryBytes: number
}

/** Of a cache in memory. */
export const answerCacheLimits: AnswerCacheLimits = {
  maxEntries: 256,
  maxBytes: 8_388_608,
  maxEntryBytes: 1_048_576,
}

/** The record of one handle on a chat server: an envelope of at most 4,000 bytes, and what stands around it. */
export const maxHandleRecordBytes = 16_384

/** How much of a GitHub account is read. SPEC §7.3. Bytes unless the name says otherwise. */
export const githubLimits = {
  /** Pages of the list of gists, 100 gists each. */
  maxPages: 3,
  /** A page of gists with many files is longer than a page of anything else. */
  maxListWireBytes: 1_048_576,
  maxListBodyBytes: 4_194_304,
  /** Gists asked of the API because a file name or the description says kez; each costs one request of the quota. */
  maxNamedGists: 4,
  /** Files of one such gist. */
  maxFilesPerGist: 8,
  /** Other files, read only where those hold no proof. */
  maxOtherFiles: 16,
  /** Gists asked of the API because one of those files looks like a proof. */
  maxConfirmedGists: 4,
  maxFileBytes: 262_144,
  /** Files of one account together. */
  maxTotalBytes: 1_048_576,
  /** Files read at once: as many as the queue of their host lets through. */
  maxFilesAtOnce: 2,
  /** Files read before a proof is taken back. */
  maxFilesToClear: 24,
} as const
/** The URL of an ActivityPub actor, which is its permanent number in chains. SPEC §5.2. */
export const maxActorUrlLength = 512
/** Elements of a profile's or post's HTML that may stand in each other. */
export const maxHtmlDepth = 256
/** `pre` elements of one text that are looked at as texts of their own. */
export const maxPreformatted = 8
/** Links of one WebFinger answer that are looked at. */
export const maxWebFingerLinks = 64
/** Entries of an ActivityPub actor's `attachment` that are looked at. */
export const maxProfileFields = 32
/** Posts of an ActivityPub actor's featured collection that are looked at. */
export const maxFeaturedPosts = 20
/** `rel="me"` links of one page that are listed. */
export const maxRelMeLinks = 64
/** A DID of atproto. */
export const maxDidBytes = 2_048
/** Names and services of a DID document that are looked at. */
export const maxDocumentEntries = 64
/** Posts looked at for a proof: the newest. */
export const maxPosts = 50
/** A page of records as sent: servers differ in whether they compress. */
export const maxRecordsBytes = 1_048_576
/** Links of one post that are looked at. */
export const maxFacets = 64
/** Pages of 100 posts searched for proofs to take back. */
export const maxUnpublishPages = 20

/** Relays that are asked for one account. */
export const maxRelays = 16
/** Events that one relay may send for one question; honest ones send fewer. */
export const maxRelayEvents = 256
/** What a relay may say beside events: notices, challenges. */
export const maxRelayRemarks = 4
/** The NIP-01 serialisation of an event. Most relays take no longer ones. */
export const maxEventBytes = 65_536
export const maxEventTags = 1_000
/** Newest notes of an account that are asked for, per relay, and looked at, in all. */
export const maxNotes = 50
/** Texts with a proof that are taken from one nostr account. */
export const maxNostrTexts = 16
/** Versions of the sigchain of one key that are taken from relays: those that differ, newest first. */
export const maxNostrChains = 4
/** From the first open connection on: how long the relays may take together. */
export const relayWaitMs = 4_000
/** How long the others may still take when one relay has given all it has, and a proof was among it. */
export const relayGraceMs = 1_000
/** NIP-39 claims taken from one account. */
export const maxExternalIdentities = 64

/** How long one name server may take, in all, when it is asked for one record. */
export const nameServerMs = 4_000
/** How long a question over UDP is waited for before it is sent again. */
export const udpAttemptMs = 1_200
/** What we take over UDP: more would be cut to pieces on the way. DNS flag day 2020. */
export const maxUdpAnswerBytes = 1_232
/** Name servers of one zone that are asked. */
export const maxNameServers = 8

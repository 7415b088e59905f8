/** Every bound of the chat server, in one place. Those of the protocol are in core. Bytes unless the name says otherwise. */

/** The body of a POST: envelopes, an invitation, and a chain in its compact form. */
export const maxBodyBytes = 1_048_576
/** A chain that comes with a registration, in its compact form. Longer ones are fetched from a store. */
export const maxGivenChainBytes = 1_000_000
/** All headers of a request together, its first line too. */
export const maxHeaderBytes = 16_384
/** Of one part of a path: `nostr:npub1…` has 69 characters, a chain id 71. */
export const maxNameBytes = 256
/** The query of a request. */
export const maxQueryBytes = 2_048
/** An invitation as it is typed. */
export const maxInvitationCharacters = 64

/** From the first byte of a request to the end of its headers. */
export const headersTimeoutMs = 10_000
/** From the first byte of a request to the end of its body. */
export const requestTimeoutMs = 20_000
/** How often connections are checked against the two above. */
export const connectionCheckMs = 2_000
/** Longer than reverse proxies keep theirs: the side that speaks next must not meet a closed connection. */
export const keepAliveTimeoutMs = 75_000
/** A connection on which nothing moves in either direction. */
export const socketIdleMs = 90_000
/** Requests under way may finish for so long once the process is told to stop. */
export const shutdownMs = 10_000
/** How long the answer of /readyz stands: it writes to the disk, and everybody may ask. */
export const readinessCacheMs = 1_000

/** Token buckets that are remembered for each kind of limit; beyond, the one that was used longest ago is forgotten. */
export const maxBuckets = 100_000

/** From the request to a sigchain store to the last byte of its answer. */
export const chainFetchMs = 10_000
/** Chains that are kept in memory, and for how long an answer of the stores stands for the profile page. */
export const maxCachedChains = 1_000
export const chainCacheMs = 60_000

/** PostgreSQL: connections of one copy of the server. */
export const maxPostgresConnections = 8
/** How long PostgreSQL may take to let us in. */
export const postgresConnectMs = 5_000
/** How long PostgreSQL may take for one statement, waiting for other copies included. */
export const postgresStatementMs = 10_000

/** Random bytes of an invitation. */
export const invitationBytes = 16
export const usualInvitationDays = 14
export const maxInvitationUses = 100_000

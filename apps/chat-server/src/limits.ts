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

/** Token buckets that are remembered for each kind of limit; beyond, the one that was used longest ago is forgotten. */
export const maxBuckets = 100_000

/** From the request to a sigchain store to the last byte of its answer. */
export const chainFetchMs = 10_000
/** The same while somebody waits at the broker; a store that did not answer is not asked again for a moment. */
export const chainLookMs = 4_000
export const storeRestMs = 2_000
/** Events of chains of connected people that are kept in memory, together. */
export const maxKeptEvents = 100_000
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

/** How long an answer of the stores about a chain stands at the callout. The feeds of the stores end it earlier. */
export const standingCacheMs = 10_000
/** While stores are silent, a device that its chain listed within this time may connect; nobody new may. */
export const storesSilentSeconds = 6 * 3_600
/** Cursors and dates of devices are written so often. */
export const deviceFlushMs = 1_000
/** How long a device may take to ask again for what it never got an answer to. */
export const sentDays = 7
/** Devices that are remembered beside the database. */
export const maxKnownDevices = 50_000
/** A device that was not here for so long does not hold its person's mailbox up: what waited is gone by then. */
export const idleDeviceSeconds = 90 * 86_400

/** Of the callout: tokens that are refused, for an address; attempts, for a device. */
export const calloutFailurePlan = { burst: 100, perHour: 3_600 } as const
export const calloutDevicePlan = { burst: 60, perHour: 1_200 } as const

/** Questions about the standing of a device, from one address. */
export const standingPlan = { burst: 60, perHour: 1_200 } as const

/** Between looks at the room that the broker has left, how long a server counts that does not answer, and the part of the room from which on the log warns. */
export const roomLookMs = 5_000
export const roomLooksKept = 12
export const roomWarningShare = 0.9

/** Between attempts to reach the broker at the start, and between looks at the feed of a store. */
export const brokerRetryMs = 200
export const feedPollMs = 2_000
/** Events of one page of a feed, and the most that its bytes may be. */
export const feedPageEvents = 500
export const maxFeedPageBytes = 8_388_608

/** Connections of one device. With one more, its oldest is cut: a client that lost its line does not know that it is still there. */
export const maxConnectionsOfDevice = 4
/** Commands that are being done at the same time, of all and of one person. */
export const maxCommandsAtOnce = 512
export const maxCommandsOfPerson = 128
/** What one person may put into streams, in pieces of so many bytes: 128 MiB at once, 256 MiB an hour after that. */
export const pieceBytes = 8_192
export const piecePlan = { burst: 16_384, perHour: 32_768 } as const
/** What is on its way into mailboxes at once: a message to 256 people is 256 messages. */
export const maxDeliveringBytes = 33_554_432
/** Counted with each, so that about a thousand are on their way at once: more would not be faster, and would be late. */
export const costOfDelivery = 32_768
/** Deliveries that accepted commands still have to make, together. Beyond, commands are refused until there are fewer. */
export const maxDeliveriesHeld = 3_072
/** A commit or a Welcome as one part of a command: with its header and those of the broker it still fits. */
export const maxHandshakePartBytes = 240_000
/** An answer of places: parts together. */
export const maxAnswerPartsBytes = 196_608
/** What the broker may send for one such answer (it ends with the message that reaches the bytes above), and what may be on its way for all. */
export const costOfReading = 458_752
export const maxReadingBytes = 33_554_432
/** Commits that are read at once to make up for what broke off, and their bytes. */
export const catchUpCommits = 16
export const maxCatchUpBytes = 1_048_576
/** A typing or presence message. */
export const maxLiveBytes = 8_192

/** Key packages of one person that one requester gets in an hour, that all get together, and that the person's own devices get. */
export const maxTakesOfRequester = 5
export const maxTakesOfTarget = 120
export const maxOwnTakes = 120
/** Names of key packages of one device, used ones too: more within 90 days is no use of them. */
export const maxKeyPackageNames = 5_000
/** Conversations that one person begins, and how often one brings another into any: who wants to fill somebody's mailbox begins many. */
export const beginPlan = { burst: 60, perHour: 60 } as const
export const bringPlan = { burst: 10, perHour: 10 } as const

/**
 * Of a mailbox (10,000), what may come of conversations in which its person never wrote, since a device of theirs was last here: strangers
 * cannot take the places of friends. The rest stands in the conversations, and devices look there.
 */
export const maxUnansweredInMailbox = 2_000
/** Who wrote where, as it is remembered beside the database; and mailboxes that are counted. */
export const maxKnownWriters = 100_000
export const maxCountedMailboxes = 50_000

/** Looks at the size of a mailbox that reports of its devices lead to: not more often. */
export const trimEveryMs = 30_000

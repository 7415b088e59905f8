/** Every bound of the broker, in one place. Bytes unless the name says otherwise. docs/decisions/broker.md has the measurements. */

/** One message, and one command to the chat server. The broker tells clients, and cuts off those who send more. */
export const maxPayloadBytes = 262_144
/** Subscriptions of one connection. A client needs two, the chat server a handful. */
export const maxSubscriptions = 64
/** What waits for a client that does not read, before it is cut off. */
export const maxPendingBytes = 4_194_304
export const writeDeadlineSeconds = 5
/** nats-server's default is 2 s: then 3,000 clients that come at once collapse into retries, and 29 are in after a minute. */
export const authTimeoutSeconds = 30
export const maxConnections = 65_536
/** The log of nats-server is turned over at this size. */
export const maxLogBytes = 16_777_216

/** Life of a user JWT: a connection is looked at anew so often, without anybody's noticing. */
export const userJwtSeconds = 900
/** A request to the callout, sealed or opened: a CONNECT line of 4,096 bytes and what the server says about it. */
export const maxCalloutBytes = 32_768
/** Requests that wait for an answer. Of more, the oldest get none and ask again. */
export const maxCalloutWaiting = 8_192
/** Requests that are being decided at the same time. */
export const maxCalloutAtOnce = 64
/** Keys shared with servers: each start of a server has a new one. */
export const maxSharedKeys = 64

/** Streams that conversations are spread over. */
export const conversationShards = 16
/** Messages that wait in one mailbox. What the reader's devices have is purged. */
export const maxMailboxMessages = 10_000
export const mailboxDays = 90
/** Streams that archives are spread over, and entries of one person's. */
export const archiveShards = 16
export const maxArchiveEntries = 1_000_000
/** In which a message with the same id is taken once. */
export const duplicateWindowSeconds = 120
/** A session's consumer is gone after so long without a pull. */
export const sessionIdleSeconds = 120
export const sessionMaxWaiting = 8
export const sessionMaxBatch = 256
/** Messages of a conversation's log, or entries of an archive, that are read at once; and their bytes, unless fewer are asked for. */
export const maxHistoryMessages = 256
export const maxHistoryBytes = 1_048_576

/** How long nats-server may take to start; with 10 GB of streams it took 20 s. */
export const startMs = 30_000
/** From SIGTERM to SIGKILL. */
export const stopMs = 15_000
/** A program that is asked for its version. */
export const versionMs = 10_000
/** `go install` on two slow cores: measured 78 s with nothing in Go's caches. */
export const goInstallMs = 900_000
export const downloadMs = 300_000
export const maxArchiveBytes = 67_108_864
export const maxProgramBytes = 134_217_728
/** Connections of ours: first attempt, and between attempts. Shorter than that of clients, so that they find us there. */
export const connectMs = 5_000
export const reconnectMs = 50
/** A request to JetStream or to the system account. */
export const requestMs = 5_000

/** Every bound of the store, in one place. Those of the protocol are in core. Bytes unless the name says otherwise. */

/** Heads of one signer that are kept for one chain: the newest, and a few in case a branch is switched. */
export const maxHeadsPerSigner = 4
/** Writes that share one transaction, and one wait for the disk. Nobody but those who write waits for it. */
export const maxWritesPerCommit = 512
/** How long a write waits for another process that holds the SQLite file. The whole process waits with it. */
export const busyTimeoutMs = 500
/** Memory for what is new of the thread that writes, in MiB: orders and answers, which are soon gone. */
export const writerYoungMb = 8
/** What a look at whether the disk takes writes tries to write: more than one event of the largest size. */
export const writeProbeBytes = 16_384

/** What the chains that are kept in memory may take together. One is kept however large it is. */
export const maxCachedBytes = 33_554_432
/** What an event in memory takes besides its text and its line in the document (objects, digests, indexes): measured, then rounded up. */
export const cachedEventBytes = 2_560
/** The same for a chain, however short. */
export const cachedChainBytes = 8_192
/** Of one chain, all branches together. A reader refuses a branch above 8 MiB (`maxChainBytes` of core). */
export const maxStoredChainBytes = 16_777_216
/**
 * The part of both that only the owner's revocations, settlements and rotations may use: who steals a device must not be able to
 * fill the chain against its owner, neither with many events nor with large ones.
 */
export const reservedChainBytes = 1_048_576
/** Between two `set_shared_files` of a branch. */
export const sharedFilesIntervalSeconds = 86_400
/** How often an append starts again because another process wrote to the chain in between. */
export const maxRaces = 8
/** Events that a cold load decodes before it lets others run. */
export const eventsPerTurn = 256
/** PostgreSQL: connections of one copy of the server, the one for notices apart. */
export const maxPostgresConnections = 8
/** How long PostgreSQL may take to let us in. */
export const postgresConnectMs = 5_000
/** How long PostgreSQL may take for one statement, waiting for other copies included. */
export const postgresStatementMs = 10_000
/** Events that PostgreSQL writes in one transaction. */
export const maxPostgresBatch = 256

/** Heads of one chain that are looked at for one answer, the newest: a few for each key that can be current (32 devices and the primary). */
export const maxJudgedHeads = 256
/** Heads of one chain in a backup, the newest: more than its current keys can have. */
export const maxBackupHeads = 1_024

/** Events that a mirror asks for at once. */
export const mirrorPageEvents = 500
/** From the request for a page to its last byte. */
export const mirrorPageMs = 30_000
/** Between two looks at a store that had nothing new. */
export const mirrorPollMs = 1_000
/** The longest that a mirror waits after failures; also where the other store asks for more. */
export const mirrorMaxWaitMs = 60_000
/** Chains of one page that are checked and written side by side. */
export const mirrorParallelChains = 16

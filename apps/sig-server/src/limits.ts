/** Every bound of the store, in one place. Those of the protocol are in core. Bytes unless the name says otherwise. */

/** Heads of one signer that are kept for one chain: the newest, and a few in case a branch is switched. */
export const maxHeadsPerSigner = 4
/** Writes that share one transaction: one wait for the disk, and a short one for those who read meanwhile. */
export const maxWritesPerCommit = 128
/** How long a write waits for another process that holds the SQLite file. The whole process waits with it. */
export const busyTimeoutMs = 500
/** SQLite's write-ahead log is cut back to this after a checkpoint. */
export const maxIdleWalBytes = 67_108_864
/** What SQLite keeps of its file in memory. */
export const sqliteCacheBytes = 33_554_432
/** What a look at whether the disk takes writes tries to write: more than one event of the largest size. */
export const writeProbeBytes = 16_384

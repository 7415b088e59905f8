/** Every bound of the protocol, in one place. SPEC §11. Bytes unless the name says otherwise. */

/** A text handed to a decoder: a page, a post, a file. */
export const maxTextBytes = 1_048_576
/** JSON of one envelope, and what one compact text may decompress to. */
export const maxEnvelopeTextBytes = 65_536
/** JCS of one whole envelope. */
export const maxEnvelopeBytes = 4_000
export const maxIdentityBytes = 256
/** Recovery words as typed, spaces included. */
export const maxWordsBytes = 2_048
/** Nesting of JSON objects and arrays; the outermost value is depth 1. */
export const maxJsonDepth = 8
/** Nesting of JSON of platforms and other stores. */
export const maxForeignJsonDepth = 512
export const maxJsonMembers = 64
/** Proofs taken from one text. */
export const maxCandidates = 8
/** TXT records looked at under one name. */
export const maxTxtRecords = 16
/** `Chain:` hints taken from one text. */
export const maxChainHints = 4
/** Hints of all texts of one account. [FIND-4] */
export const maxAccountHints = 16
export const maxHintBytes = 2_048
/** The zstd window, or the content size of a single-segment frame. */
export const maxZstdWindowBytes = 1_048_576
/** JSONL of one branch of a sigchain. */
export const maxChainBytes = 8_388_608
export const maxChainEvents = 10_000
/** Places at the end of a chain that only the primary may use, to revoke, settle and rotate. */
export const reservedChainEvents = 1_000
/** Events of one chain that a reader unites from all sources, forks included. */
export const maxKnownEvents = 20_000
export const maxActiveDevices = 32
export const maxActiveClaims = 256
/** Entries of `keys`, `keep` and `reject`. */
export const maxListEntries = 32
export const clockSkewSeconds = 300
export const maxHeadLifetimeSeconds = 7 * 86_400
export const maxCredentialLifetimeSeconds = 90 * 86_400
export const maxPresenceLifetimeSeconds = 600
/** The token of a connection to the chat's broker, whose CONNECT line may have 4,096 bytes. */
export const maxConnectTokenBytes = 3_072
/** The root document of shared files, its sections, and the pages of all of them together. */
export const maxFileRootBytes = 65_536
export const maxFileSections = 32
export const maxFilePages = 64
/** A page of a list of shared files, when it is open. */
export const maxFilePageBytes = 2_097_152
export const maxFilePageEntries = 1_024
export const maxFilePathBytes = 1_024
export const maxFilePathDepth = 32

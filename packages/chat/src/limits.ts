/** Every bound of conversations, in one place. Bytes unless the name says otherwise. */

/** A commit or Welcome with what is attached to it: a batch of additions to a large group fits. */
export const maxHandshakeBytes = 524_288
/** One encrypted message, as it is published. */
export const maxMessageBytes = 98_304
/** What stands inside the ciphertext of one message. */
export const maxContentBytes = 65_536
/** Of what a device sends first: it may have to be sent again inside another message, whose header is not longer than the rest. */
export const maxFirstContentBytes = maxContentBytes - 1_024
/** The part of it before the text. */
export const maxContentHeaderBytes = 8_192
export const maxKeyPackageBytes = 8_192
/** Identity of a leaf: a device credential. SPEC §11 allows an envelope 4,000. */
export const maxCredentialBytes = 4_000
/** Leaves of a group, blank ones included. */
export const maxGroupDevices = 256
/** Chain heads named by one commit. */
export const maxNamedHeads = 256
export const maxConversationMembers = 256
/** Versions of a conversation's state, from the first on. */
export const maxStateVersions = 1_024
/** One version of the state: its envelope and what it changes. */
export const maxStateEntryBytes = 65_536
/** What a new member gets beside the Welcome. */
export const maxJoinBundleBytes = 1_048_576
export const maxConversationNameLength = 128
/** A saved conversation, a pending commit included. */
export const maxSavedBytes = 67_108_864

/** Epochs whose messages may still arrive. The library keeps all of them for 0. */
export const retainedEpochs = 2
/** How far ahead of the last message of a device the next one may be, and how many skipped ones may arrive late. */
export const maxSkippedMessages = 200
/** Epochs for which a client can tell a repeated commit from another one. */
export const rememberedEpochs = 64
/** Refused commits remembered for one epoch. */
export const maxRefusedCommits = 64
/** Journal entries after which a whole state is saved again, so that keys of the past leave the disk. */
export const maxJournalEntries = 256

export const maxKeyPackageLifetimeSeconds = 90 * 86_400
/** A key package made now is valid a little earlier: clocks differ. */
export const clockSkewSeconds = 300

/** Messages of one device that wait for one before them. */
export const maxHeldMessages = 256
/** Messages of one device in one conversation, as another member may say that there are. */
export const maxToldCounter = 4_294_967_296
/** Messages of one device that are asked for at once. */
export const maxAskedMessages = 1_000
/** Sealed copies of one archive key: 32 devices and the words. */
export const maxArchiveRecipients = 33
export const maxArchiveEntryBytes = 131_072
/** Of the records in one entry: all but their texts, and the texts. One alone is written whatever it has. */
export const maxArchiveHeaderBytes = 49_152
export const maxArchiveTextBytes = 65_536
/** Records that wait, taken into one entry at most. */
export const maxArchiveRecords = 512
/** Items of the stream taken in in one step, and their bytes. */
export const maxArchiveStepItems = 64
export const maxArchiveStepBytes = 98_304
/** Keys of earlier epochs that one epoch holds, the newest of them: its document is to fit into an entry. */
export const maxEarlierEpochs = 256
/** Devices whose newest entry an epoch names, revoked ones too. */
export const maxArchiveHeads = 128

/** A command, an answer, or what stands in a mailbox: what the broker carries at once. */
export const maxFrameBytes = 262_144
export const maxFrameHeaderBytes = 65_536
export const maxFrameParts = 1_024
/** One-time key packages of one device that the server keeps. */
export const maxKeyPackagesHeld = 100

/** Files of one offer. A folder of 5,000 fits; the list of them is one small file of its own. */
export const maxListedFiles = 20_000
export const maxListBytes = 8_388_608
/** Of a path in such a list. */
export const maxListedPathBytes = 1_024
export const maxListedDepth = 32
/** A signed presence. SPEC §11 allows an envelope 4,000. */
export const maxPresenceBytes = 4_000

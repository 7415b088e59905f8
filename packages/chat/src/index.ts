/** Everything that apps may call. Each name is listed by hand. */
export {
  type ArchiveEpochDocument,
  decodeArchiveDocument,
  encodeArchiveDocument,
} from "./archive/archive-document.ts"
export {
  type ArchivePlace,
  type OpenedEntry,
  openArchiveEntry,
  type SealedEntry,
  sealArchiveEntry,
} from "./archive/archive-entry.ts"
export {
  type ArchiveEpoch,
  archiveKeyPairOfWords,
  createArchiveEpoch,
  isRenewalDue,
  type MadeEpoch,
  type NewEpoch,
  type Opener,
  openArchiveEpoch,
  publicArchiveKey,
  signArchiveKey,
  wordsRecipient,
} from "./archive/archive-keys.ts"
export { type Chains, type DeviceStanding, headOf, type NamedHead, standingAt, standingNow } from "./chains.ts"
export type {
  AppliedCommit,
  CipherStore,
  CommitOutcome,
  CommitRequest,
  GroupCipher,
  GroupDevice,
  MessageOutcome,
  OpenedMessage,
  PreparedCommit,
  StoredGroup,
} from "./cipher/group-cipher.ts"
export type { CipherPorts } from "./cipher/mls-group.ts"
export {
  createConversation,
  type ExternalJoin,
  type Joined,
  joinByItself,
  joinConversation,
  loadConversation,
} from "./cipher/mls-join.ts"
export {
  type ConversationMember,
  type ConversationPolicy,
  directPolicy,
  type Role,
  roleOf,
  type StateBody,
  type StateChange,
} from "./conversation/state-body.ts"
export {
  type CredentialRequest,
  type DeviceCredential,
  decodeCredential,
  encodeCredential,
  signDeviceCredential,
  timeFaultOfCredential,
} from "./credential/device-credential.ts"
export {
  createDeviceKeys,
  type DeviceKeys,
  type DevicePublicKeys,
  decodeDeviceKeys,
  deviceHpkeKeys,
  deviceSigner,
  encodeDeviceKeys,
  publicDeviceKeys,
} from "./credential/device-keys.ts"
export {
  createKeyPackage,
  decodeOwnKeyPackage,
  encodeOwnKeyPackage,
  type KeyPackageRequest,
  type OwnKeyPackage,
  type VerifiedKeyPackage,
  verifyKeyPackage,
} from "./credential/key-package.ts"
export { type Alarm, type AlarmKind, type AlarmState, isAcceptable, isStop } from "./engine/alarm.ts"
export type {
  Alarms,
  ArchiveState,
  ConnectionState,
  Contact,
  Contacts,
  Conversation,
  ConversationDevice,
  Delivered,
  DeliveryState,
  Draft,
  Engine,
  EngineSettings,
  Groups,
  PageOptions,
  Reaction,
  Shelf,
  ShownMessage,
} from "./engine/engine.ts"
export type { EngineEvent } from "./engine/event.ts"
export { openEngine } from "./engine/open-engine.ts"
export type { Account, ChainPort, ClockPort, EnginePorts, HttpAnswer, HttpPort } from "./engine/ports.ts"
export type { BrowsingEvent } from "./files/browsing.ts"
export { Files } from "./files/files.ts"
export { decodeFileList, encodeFileList } from "./files/list.ts"
export type {
  FileDisk,
  FileMover,
  Imported,
  ImportedFile,
  MoverAddress,
  MoverEvent,
  PathKind,
} from "./files/mover.ts"
export { freeName, safeName, safePaths } from "./files/names.ts"
export { declineOffer, hasOpenTransfers, offerState, transferIdOf } from "./files/offers.ts"
export { type Presence, type PresenceContext, readPresence, signPresence } from "./files/presence.ts"
export type { SharingResult } from "./files/share-look.ts"
export { type Audience, isIn, listShares, type OwnRow, type ShareGroup, type ShareRow } from "./files/share-rows.ts"
export type { SharedWish } from "./files/shared-fetch.ts"
export type { Offering } from "./files/sharing.ts"
export { keptLists, pickFiles, type TheirList, unitedFiles } from "./files/their-lists.ts"
export type {
  FilePorts,
  Served,
  TransferListener,
  TransferNote,
  TransferState,
  TransferView,
} from "./files/transfer.ts"
export * as chatLimits from "./limits.ts"
export { createMemoryStore } from "./store/memory.ts"
export { createRowSeal, type RowSeal } from "./store/seal.ts"
export type { Change, EngineStore, RangeOptions, Row } from "./store/store.ts"
export type { MailboxItem, StartTransport, Transport, TransportEvents } from "./transport/transport.ts"
export {
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRefusal,
  encodeRequest,
  isOperation,
  type WithParts,
} from "./wire/command-codec.ts"
export {
  type CommandAnswers,
  type CommandRequests,
  maxInvitationsAtOnce,
  maxReadAtOnce,
  type Operation,
} from "./wire/commands.ts"
export type { Content, ContentType, ContentTypes, FileState, UnknownContent } from "./wire/content.ts"
export {
  type Delivery,
  type DeliveryKind,
  decodeDelivery,
  decodeLive,
  encodeDelivery,
  encodeLive,
  type Live,
} from "./wire/delivery.ts"
export { decodeMessage, encodeMessage, type Message, type Place, readResent, textOf } from "./wire/message.ts"
export {
  type Arrival,
  firstSequence,
  gapOf,
  type Placed,
  placeMessage,
  type Sequence,
  sequenceFrom,
} from "./wire/sequence.ts"

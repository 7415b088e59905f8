/** Everything that other packages may call. Each name is listed by hand. */
import { backend } from "#backend"

export { canonicalize } from "./canonical.ts"
export {
  type BrokerDevice,
  commandSubjectOf,
  deviceIdOf,
  inboxPrefixOf,
  isBrokerName,
  liveSubjectOf,
  mailboxReaderOf,
  mailboxShardOf,
  mailboxShards,
  userIdOf,
} from "./chat/broker-names.ts"
export {
  type ConnectExpectations,
  type ConnectRequest,
  type ConnectVerdict,
  createConnectToken,
  type ProvenConnection,
  verifyConnectToken,
} from "./chat/connect-token.ts"
export type { ClaimPayload } from "./claim.ts"
export { type Code, codes } from "./codes.ts"
export { type Digest, digestOf, isDigest, sha256 } from "./digest.ts"
export { decodeBase64Url, encodeBase64Url } from "./encoding/base64url.ts"
export {
  decodeProof,
  type EncodeOptions,
  encodeProof,
  findProofs,
  type Proof,
  type ProofCandidate,
  type ProofForm,
  type ProofSearch,
} from "./encoding/proof.ts"
export { decodeReference, encodeReference, type Reference } from "./encoding/reference.ts"
export {
  type ChainHead,
  type Claim,
  decodeEnvelope,
  type Envelope,
  type EnvelopeSignature,
  envelopeDigest,
  formatEnvelope,
  type Payloads,
  type SigchainEvent,
} from "./envelope/envelope.ts"
export { isKind, type Kind, kinds } from "./envelope/kinds.ts"
export { signEnvelope } from "./envelope/sign.ts"
export { assertSignature, forgetVerifiedSignatures, signatureCheckCount } from "./envelope/verify.ts"
export { KezError, type KezErrorOptions } from "./error.ts"
export {
  decodeFilePage,
  decodeFileRoot,
  type FilePage,
  type FilePagePlace,
  type FileRoot,
  type FileSection,
  type RootPromise,
  type SharedFile,
} from "./files/documents.ts"
export {
  anchorOf,
  type FileManifest,
  type JudgedManifest,
  judgeManifest,
  type ManifestMark,
  type ReceivedManifest,
} from "./files/manifest.ts"
export { formatHex, isHex, tryParseHex } from "./hex.ts"
export {
  formatIdentity,
  formatKeyIdentity,
  type Identity,
  isDomain,
  isHandle,
  isHost,
  type KeyIdentity,
  parseCanonicalIdentity,
  parseIdentity,
  parseKeyIdentity,
  publicKeyBytes,
  type System,
} from "./identity.ts"
export { type Json, type JsonObject, parseJson } from "./json.ts"
export { parseForeignJson } from "./json-value.ts"
export * as limits from "./limits.ts"
export {
  type Appended,
  type AppendOptions,
  appendEvent,
  assertAppendable,
  type Operation,
  type Outline,
} from "./sigchain/append.ts"
export { commitmentTo } from "./sigchain/commitment.ts"
export {
  type ChainReading,
  encodeChain,
  formatChain,
  parseChain,
  parseChainLine,
  readChain,
} from "./sigchain/document.ts"
export { type EventPayload, type Op, type Operations, ops } from "./sigchain/event.ts"
export type { Rank, Split } from "./sigchain/fork.ts"
export { type HeadMeaning, isCurrentKey, judgeHead, signHead } from "./sigchain/head.ts"
export { assertContinues, type ChainPosition } from "./sigchain/link.ts"
export { vouchForEvent } from "./sigchain/pop.ts"
export { lastPlaceOf } from "./sigchain/recovery.ts"
export {
  branchOf,
  faultOfEvent,
  listChains,
  type ReplayOptions,
  replayChain,
} from "./sigchain/replay.ts"
export type { ChainReplay, ChainState, Device, Lifted } from "./sigchain/result.ts"
export { hasRoomFor } from "./sigchain/room.ts"
export type { SharedFiles, SubjectEntry } from "./sigchain/state.ts"
export type { Refusal } from "./sigchain/walk.ts"
export { type ClaimRequest, signClaim } from "./sign-claim.ts"
export { createSigner, keyOfSecret, type Signer } from "./signer.ts"
export { verifyEd25519 } from "./suite/ed25519.ts"
export { verifySchnorr } from "./suite/schnorr.ts"
export { type KeySystem, suites } from "./suite/suites.ts"
export { decodeText, utf8Length } from "./text.ts"
export { formatTime, parseClaimTime, parseTime } from "./time.ts"
export type { Candidate, ChainSource, Publication, SeenAccount, VerifyInput } from "./verify/input.ts"
export type { ChainMark, Evidence, Flag, Status, Verdict } from "./verify/verdict.ts"
export { verifyClaim } from "./verify/verify.ts"

/** Loads what a browser can only load asynchronously; await it once, before decoding. On Node it does nothing. */
export function prepareBackend(): Promise<void> {
  return backend.prepare()
}

/** Which implementation serves each primitive on this machine. */
export function backendNames(): typeof backend.names {
  return backend.names
}

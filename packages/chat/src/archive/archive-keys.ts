/**
 * Archive keys of an account: one for each epoch, random, sealed to every active device and to the key that the 24 words give. An epoch
 * also holds the keys of the epochs before it under its own, so that whoever opens the newest reads everything, and a device that was
 * revoked before it was made opens nothing of it. SPEC §2.3, `archive_key` and `archive_epoch`.
 */
import {
  assertSignature,
  type ChainReplay,
  canonicalize,
  type Digest,
  digestOf,
  type Envelope,
  envelopeDigest,
  formatHex,
  formatTime,
  KezError,
  type Signer,
  signEnvelope,
  tryParseHex,
} from "@kez/core"
import { backend } from "#chat-backend"
import { encodeText } from "../bytes.ts"
import { headOf, standingAt, standingNow } from "../chains.ts"
import { hkdfExpand, hkdfExtract } from "../cipher/hkdf.ts"
import { deriveHpkeKeyPair, type HpkeKeyPair, openHpke, sealHpke } from "../cipher/hpke.ts"
import type { DeviceCredential } from "../credential/device-credential.ts"
import { maxArchiveHeads, maxEarlierEpochs } from "../limits.ts"
import { openUnder, sealUnder } from "./archive-box.ts"
import { type ArchiveEpochDocument, type ArchiveHead, assertDocument, type SealedKey } from "./archive-document.ts"

export const archiveKeyBytes = 32
/** The name of the words among the recipients. */
export const wordsRecipient = "words"
const none = new Uint8Array()

/** An epoch with its key: what a device that opened it holds. */
export interface ArchiveEpoch {
  /** Digest of its statement: entries name it. */
  readonly id: Digest
  readonly epoch: number
  readonly key: Uint8Array
}

/** The private half of the archive key: from the 32 bytes of the primary, which the words stand for. */
export function archiveKeyPairOfWords(secret: Uint8Array): Promise<HpkeKeyPair> {
  // Its own derivation: the same bytes are the seed of the primary.
  return deriveHpkeKeyPair(hkdfExpand(hkdfExtract(none, secret), encodeText("kez/archive/v1"), archiveKeyBytes))
}

/** The statement by which the primary names the archive's public key. `epoch` rises when the words change. */
export async function signArchiveKey(
  secret: Uint8Array,
  { chain, epoch, now }: { readonly chain: Digest; readonly epoch: number; readonly now: number },
  primary: Signer,
): Promise<Envelope<"archive_key">> {
  const { publicKey } = await archiveKeyPairOfWords(secret)
  const payload = {
    type: "kez.chat.archive_key",
    version: 1,
    chain,
    epoch,
    public_key: formatHex(publicKey),
    created_at: formatTime(now),
  } as const
  return signEnvelope("archive_key", payload, primary)
}

/** Throws `chat.archive` unless the primary in force signed it: a server could name a key of its own. */
export function publicArchiveKey(envelope: Envelope<"archive_key">, replay: ChainReplay): Uint8Array {
  const { chain, public_key } = envelope.payload
  assertSignature(envelope)
  if (chain !== replay.chain || envelope.signature.key !== replay.state.primary) {
    throw archiveFault(
      "its public key is not signed by the primary in force",
      "Sign it again with your words: kez account archive.",
    )
  }
  return tryParseHex(public_key, 32) ?? none
}

export interface NewEpoch {
  readonly replay: ChainReplay
  /** Credentials of devices of the account; those that are not current now are left out. */
  readonly devices: readonly DeviceCredential[]
  readonly words: Envelope<"archive_key">
  /** Every epoch that this device can open. The newest of them are held by the new one. */
  readonly earlier: readonly ArchiveEpoch[]
  /** Of each device: the newest entry that this one has read. */
  readonly heads?: readonly ArchiveHead[]
  readonly now: number
}

export interface MadeEpoch {
  readonly document: ArchiveEpochDocument
  readonly opened: ArchiveEpoch
}

/** A new epoch, for all devices that are current now and for the words. `signer` is the device's own key. */
export async function createArchiveEpoch(request: NewEpoch, signer: Signer): Promise<MadeEpoch> {
  const { replay, devices, words, earlier, heads = [], now } = request
  const key = backend.randomBytes(archiveKeyBytes)
  // A device that was revoked since may have named the last number that there is. Entries name an epoch by its id.
  const epoch = Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, ...earlier.map((one) => one.epoch + 1)))
  const recipients = devices
    .filter(({ chain, device }) => chain === replay.chain && standingNow(replay, device) === "current")
    .map(({ device, hpkeKey }) => ({ to: device, publicKey: hpkeKey }))
  const all = [...recipients, { to: wordsRecipient, publicKey: publicArchiveKey(words, replay) }]
  const sealed = await Promise.all(
    all.map(({ to, publicKey }) => sealTo(publicKey, key, { chain: replay.chain, epoch, to })),
  )
  const before = newestEpochs(earlier).map((one) => ({
    id: one.id,
    epoch: one.epoch,
    box: formatHex(sealUnder(key, one.key, contextOf(replay.chain, epoch, one.id))),
  }))
  const keys = { sealed, before, heads: heads.slice(-maxArchiveHeads) }
  const payload = {
    type: "kez.chat.archive_epoch",
    version: 1,
    chain: replay.chain,
    epoch,
    head: headOf(replay).digest,
    keys: digestOf(canonicalize(keys)),
    created_at: formatTime(now),
  } as const
  const envelope = await signEnvelope("archive_epoch", payload, signer)
  return { document: { envelope, keys }, opened: { id: envelopeDigest(envelope), epoch, key } }
}

/** Those that a new epoch holds. */
export function newestEpochs(epochs: readonly ArchiveEpoch[]): readonly ArchiveEpoch[] {
  return epochs.toSorted((a, b) => a.epoch - b.epoch).slice(-maxEarlierEpochs)
}

/** Whoever opens an epoch: a device with its own key, or the words. */
export interface Opener {
  readonly to: string
  readonly secretKey: Uint8Array
}

/**
 * The epochs that a document opens: itself and those before it. Throws `chat.archive` when no current or former device of the account
 * signed it (at the head that it names), or when it holds nothing for this opener.
 */
export async function openArchiveEpoch(
  received: ArchiveEpochDocument,
  opener: Opener,
  replay: ChainReplay,
): Promise<readonly ArchiveEpoch[]> {
  const { envelope, keys } = assertDocument(received)
  assertArchiveAuthor(received, replay)
  const { epoch, chain } = envelope.payload
  const mine = keys.sealed.find(({ to }) => to === opener.to)
  if (mine === undefined)
    throw archiveFault("its key is not sealed to this device", "Another device, or your words, makes a new one for it.")
  const key = await openSealed(opener.secretKey, mine, { chain, epoch })
  const before = keys.before.map(({ id, epoch: number, box }) => ({
    id,
    epoch: number,
    key: openUnder(key, tryParseHex(box, box.length / 2) ?? none, contextOf(chain, epoch, id)),
  }))
  return [...before, { id: envelopeDigest(envelope), epoch, key }]
}

/**
 * Whether a new epoch is due: since `document` a device was revoked or added, or the primary changed, or its maker is not current. Nothing is
 * written under an epoch that is due: a revoked device could have made it. `canSeal`: whether the credential of a device is known; one that was
 * added and did not say what is sealed to it is no reason.
 */
export function isRenewalDue(
  { envelope, keys }: ArchiveEpochDocument,
  replay: ChainReplay,
  words: Envelope<"archive_key">,
  canSeal: (device: string) => boolean = () => true,
): boolean {
  const sealedTo = keys.sealed.map(({ to }) => to).filter((to) => to !== wordsRecipient)
  const listed = replay.state.devices.filter(({ suspended }) => !suspended).map(({ key }) => key)
  const current = listed.filter((device) => sealedTo.includes(device) || canSeal(device))
  const sameDevices = current.length === sealedTo.length && current.every((device) => sealedTo.includes(device))
  const isByCurrent = current.includes(envelope.signature.key)
  const madeSince = replay.path.slice(replay.digests.indexOf(envelope.payload.head) + 1)
  const changed = madeSince.some(({ payload }) => payload.op === "rotate" || payload.op === "revoke_device")
  return !sameDevices || !isByCurrent || changed || words.signature.key !== replay.state.primary
}

/** Throws `chat.archive` when no current or former device of the account signed it, at the head that it names. */
export function assertArchiveAuthor({ envelope }: ArchiveEpochDocument, replay: ChainReplay): void {
  const { payload, signature } = envelope
  const isKnown = payload.chain === replay.chain && replay.knows(payload.head)
  if (isKnown && standingAt(replay, payload.head, signature.key) === "current") return
  throw archiveFault(
    "it is not signed by a device of this account",
    "The server gave something else. Fetch your sigchain and ask again.",
  )
}

interface SealContext {
  readonly chain: Digest
  readonly epoch: number
}

async function sealTo(
  publicKey: Uint8Array,
  key: Uint8Array,
  { to, ...context }: SealContext & { to: string },
): Promise<SealedKey> {
  const { enc, ciphertext } = await sealHpke(publicKey, key, sealContext(context, to))
  return { to, enc: formatHex(enc), key: formatHex(ciphertext) }
}

async function openSealed(
  secretKey: Uint8Array,
  { to, enc, key }: SealedKey,
  context: SealContext,
): Promise<Uint8Array> {
  const sealed = { enc: tryParseHex(enc, 32) ?? none, ciphertext: tryParseHex(key, key.length / 2) ?? none }
  const opened = await openHpke(secretKey, sealed, sealContext(context, to))
  if (opened?.length === archiveKeyBytes) return opened
  throw archiveFault("its key does not open", "Another device, or your words, makes a new one.")
}

function sealContext({ chain, epoch }: SealContext, to: string) {
  return { info: encodeText("kez/archive-epoch/v1"), additionalData: encodeText(canonicalize({ chain, epoch, to })) }
}

function contextOf(chain: Digest, epoch: number, id: Digest): Uint8Array {
  return encodeText(canonicalize({ type: "kez/archive-before/v1", chain, epoch, id }))
}

function archiveFault(found: string, hint: string): KezError {
  return new KezError("chat.archive", `Cannot use the archive: ${found}`, { hint })
}

/**
 * An application message in its MLS frame: RFC 9420 §6.3, for the one ciphersuite that is used here. The library does the same with a chain of closures for
 * each field and a promise for each derived key, and takes the sender data apart twice: that was a third of what a message takes on its way.
 * Keys, trees and commits stay the library's; tests hold both against each other, each opening what the other sealed.
 */
import { verifyEd25519 } from "@kez/core"
import type { GroupState, PrivateMessage, SecretTree } from "ts-mls"
import { encodeGroupContext } from "ts-mls/groupContext.js"
import { ratchetToGeneration } from "ts-mls/secretTree.js"
import { leafToNodeIndex, toLeafIndex } from "ts-mls/treemath.js"
import { backend } from "#chat-backend"
import { encodeText, joinBytes, uintBytes } from "../bytes.ts"
import { hashBytes, hkdfExpand } from "./hkdf.ts"
import { aeadKeyBytes, aeadNonceBytes } from "./hpke.ts"
import { noLeaf } from "./mls-config.ts"
import { NotOpened, suite } from "./suite.ts"

type GroupContext = GroupState["groupContext"]
type Generation = SecretTree[number]["application"]

const mls10 = uintBytes(1, 2)
const privateMessage = uintBytes(2, 2)
const application = Uint8Array.of(1)
const memberSender = Uint8Array.of(1)
const guardBytes = 4
const senderDataBytes = 12
/** Content and signature are filled up to a multiple of this: a header and a signature alone have more, so that one length for short ones would hide none. */
const paddingStepBytes = 256
const signLabel = vector(encodeText("MLS 1.0 FramedContentTBS"))
const labels = { key: labelOf("key"), nonce: labelOf("nonce"), secret: labelOf("secret") } as const

/** What of an epoch a message is sealed or opened with. */
export interface MessageEpoch {
  readonly groupContext: GroupContext
  readonly secretTree: SecretTree
  readonly senderDataSecret: Uint8Array
}

export interface SenderData {
  readonly leaf: number
  readonly generation: number
  readonly guard: Uint8Array
}

interface Sealing {
  readonly leaf: number
  readonly signKey: Uint8Array
  readonly content: Uint8Array
  readonly authenticatedData: Uint8Array
}

/** The whole MLS message, and the tree in which its generation is used up. */
export async function sealApplication(
  { groupContext, secretTree, senderDataSecret }: MessageEpoch,
  { leaf, signKey, content, authenticatedData }: Sealing,
): Promise<{ readonly bytes: Uint8Array; readonly tree: SecretTree }> {
  const { groupId, epoch } = groupContext
  const before = generationOf(secretTree, leaf)
  const guard = backend.randomBytes(guardBytes)
  const place = placeOf(groupId, epoch)
  const data = vector(authenticatedData)
  const signature = await backend.signEd25519(signKey, signedBytes({ groupContext, leaf, data, content }))
  const plain = joinBytes(vector(content), vector(signature))
  const padded = new Uint8Array(Math.ceil(plain.length / paddingStepBytes) * paddingStepBytes)
  padded.set(plain)
  const box = { ...keyOf(before, guard), additionalData: joinBytes(place, data) }
  const ciphertext = await backend.sealAesGcm(box, padded)
  const sender = joinBytes(uintBytes(leaf, 4), uintBytes(before.generation, 4), guard)
  const sealedSender = await backend.sealAesGcm(senderBoxOf(senderDataSecret, ciphertext, place), sender)
  return {
    bytes: joinBytes(mls10, privateMessage, place, data, vector(sealedSender), vector(ciphertext)),
    tree: treeAfter(secretTree, leaf, before),
  }
}

/** The frame, in its only spelling; undefined for anything else. */
export function tryReadApplication(bytes: Uint8Array): PrivateMessage | undefined {
  if (uintAt(bytes, 0) !== 0x0001_0002) return undefined
  try {
    const groupId = readVector(bytes, 4)
    const epoch = bytes.subarray(groupId.end, groupId.end + 8)
    const type = bytes[groupId.end + 8]
    const authenticatedData = readVector(bytes, groupId.end + 9)
    const encryptedSenderData = readVector(bytes, authenticatedData.end)
    const ciphertext = readVector(bytes, encryptedSenderData.end)
    if (type !== application[0] || ciphertext.end !== bytes.length) return undefined
    return {
      ...{
        groupId: groupId.bytes,
        epoch: BigInt(uintOf(epoch.subarray(0, 4))) * 0x1_0000_0000n + BigInt(uintAt(epoch, 4)),
      },
      ...{ contentType: "application", authenticatedData: authenticatedData.bytes },
      ...{ encryptedSenderData: encryptedSenderData.bytes, ciphertext: ciphertext.bytes },
    }
  } catch (fault) {
    if (fault instanceof NotOpened) return undefined
    throw fault
  }
}

/** Who sealed it, by the message itself: not proved before the signature is. Throws `NotOpened`. */
export async function openSenderData(message: PrivateMessage, senderDataSecret: Uint8Array): Promise<SenderData> {
  const { groupId, epoch, ciphertext, encryptedSenderData } = message
  const box = senderBoxOf(senderDataSecret, ciphertext, placeOf(groupId, epoch))
  const opened = await backend.openAesGcm(box, encryptedSenderData)
  if (opened?.length !== senderDataBytes) throw new NotOpened("not sealed to this epoch, or altered")
  return { leaf: uintAt(opened, 0), generation: uintAt(opened, 4), guard: opened.subarray(8) }
}

interface Opening {
  readonly from: SenderData
  /** Of the sender's leaf. */
  readonly publicKey: Uint8Array
}

/** The content, once key and signature agree, and the tree in which its generation is used up. Throws `NotOpened`. */
export async function openApplication(
  { groupContext, secretTree }: Pick<MessageEpoch, "groupContext" | "secretTree">,
  message: PrivateMessage,
  { from: { leaf, generation, guard }, publicKey }: Opening,
): Promise<{ readonly content: Uint8Array; readonly tree: SecretTree }> {
  const { groupId, epoch, authenticatedData, ciphertext } = message
  const { key, nonce, tree } = await keyAt(secretTree, { leaf, generation, guard })
  const data = vector(authenticatedData)
  const box = { key, nonce, additionalData: joinBytes(placeOf(groupId, epoch), data) }
  const padded = await backend.openAesGcm(box, ciphertext)
  if (padded === undefined) throw new NotOpened("not sealed to this key, or altered")
  const content = readVector(padded, 0)
  const signature = readVector(padded, content.end)
  if (padded.subarray(signature.end).some((byte) => byte !== 0)) throw new NotOpened("padding that is not zero")
  const signed = signedBytes({ groupContext, leaf, data, content: content.bytes })
  if (!verifyEd25519(signature.bytes, signed, publicKey)) throw new NotOpened("a signature that is not valid")
  return { content: content.bytes, tree }
}

/** The next one in order is derived here; one that was skipped, or comes after some that were, by the library. */
async function keyAt(tree: SecretTree, { leaf, generation, guard }: SenderData) {
  const before = generationOf(tree, leaf)
  if (before.generation === generation) return { ...keyOf(before, guard), tree: treeAfter(tree, leaf, before) }
  const data = { leafIndex: toLeafIndex(leaf), generation, reuseGuard: guard }
  const { keyRetentionConfig } = noLeaf.config
  const made = await ratchetToGeneration(tree, data as never, "application", keyRetentionConfig, suite)
  return { key: made.key, nonce: made.nonce, tree: made.newTree }
}

function generationOf(tree: SecretTree, leaf: number): Generation {
  const found = tree[leafToNodeIndex(toLeafIndex(leaf))]?.application
  if (found === undefined) throw new NotOpened("no such leaf")
  return found
}

/** RFC 9420 §9.1, and the guard of §6.3.1. */
function keyOf({ secret, generation }: Generation, guard: Uint8Array): { key: Uint8Array; nonce: Uint8Array } {
  const context = uintBytes(generation, 4)
  const nonce = expand(secret, labels.nonce, { context, length: aeadNonceBytes })
  for (let i = 0; i < guardBytes; i++) nonce[i] = (nonce[i] ?? 0) ^ (guard[i] ?? 0)
  return { key: expand(secret, labels.key, { context, length: aeadKeyBytes }), nonce }
}

function treeAfter(tree: SecretTree, leaf: number, { secret, generation, unusedGenerations }: Generation): SecretTree {
  const next = expand(secret, labels.secret, { context: uintBytes(generation, 4), length: hashBytes })
  const index = leafToNodeIndex(toLeafIndex(leaf))
  const after = { secret: next, generation: generation + 1, unusedGenerations }
  return tree.map((node, i) => (i === index ? { ...node, application: after } : node))
}

/** RFC 9420 §6.3.2 */
function senderBoxOf(senderDataSecret: Uint8Array, ciphertext: Uint8Array, place: Uint8Array) {
  const context = ciphertext.subarray(0, hashBytes)
  return {
    key: expand(senderDataSecret, labels.key, { context, length: aeadKeyBytes }),
    nonce: expand(senderDataSecret, labels.nonce, { context, length: aeadNonceBytes }),
    additionalData: place,
  }
}

/** What stands before the authenticated data, in the message and in what its ciphertexts are bound to. */
function placeOf(groupId: Uint8Array, epoch: bigint): Uint8Array {
  return joinBytes(vector(groupId), uintBytes(Number(epoch), 8), application)
}

interface Signed {
  readonly groupContext: GroupContext
  readonly leaf: number
  /** With its length. */
  readonly data: Uint8Array
  readonly content: Uint8Array
}

/** SignContent over FramedContentTBS. RFC 9420 §5.1.2, §6.1 */
function signedBytes({ groupContext, leaf, data, content }: Signed): Uint8Array {
  const { groupId, epoch } = groupContext
  const framed = joinBytes(
    ...[mls10, privateMessage, vector(groupId), uintBytes(Number(epoch), 8), memberSender, uintBytes(leaf, 4)],
    ...[data, application, vector(content), contextBytes(groupContext)],
  )
  return joinBytes(signLabel, vector(framed))
}

const contexts = new WeakMap<GroupContext, Uint8Array>()

/** One value for as long as the epoch lasts. */
function contextBytes(context: GroupContext): Uint8Array {
  const known = contexts.get(context) ?? encodeGroupContext(context)
  contexts.set(context, known)
  return known
}

/** ExpandWithLabel. RFC 9420 §8 */
function expand(
  secret: Uint8Array,
  label: Uint8Array,
  { context, length }: { readonly context: Uint8Array; readonly length: number },
): Uint8Array {
  return hkdfExpand(secret, joinBytes(uintBytes(length, 2), label, vector(context)), length)
}

function labelOf(label: string): Uint8Array {
  return vector(encodeText(`MLS 1.0 ${label}`))
}

/** Bytes with their length before them, in 1, 2 or 4 bytes. RFC 9420 §2.1.2 */
function vector(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  if (length < 0x40) return joinBytes(Uint8Array.of(length), bytes)
  if (length < 0x4000) return joinBytes(uintBytes(0x4000 + length, 2), bytes)
  return joinBytes(uintBytes(0x8000_0000 + length, 4), bytes)
}

/** In the only spelling. Throws `NotOpened`. */
function readVector(bytes: Uint8Array, at: number): { readonly bytes: Uint8Array; readonly end: number } {
  const size = 1 << ((bytes[at] ?? 0xff) >> 6)
  const [length, begin] = [uintOf(bytes.subarray(at, at + size)) % 2 ** (8 * size - 2), at + size]
  const isShort = size === 1 || length >= (size === 2 ? 0x40 : 0x4000)
  if (size > 4 || !isShort || begin + length > bytes.length) throw new NotOpened("a part that is longer than all")
  return { bytes: bytes.slice(begin, begin + length), end: begin + length }
}

function uintAt(bytes: Uint8Array, at: number): number {
  return uintOf(bytes.subarray(at, at + 4))
}

function uintOf(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0)
}

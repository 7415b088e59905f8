/** HPKE in base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM. RFC 9180 §4.1, §5.1, §6. */
import { KezError } from "@kez/core"
import { backend } from "#chat-backend"
import { encodeText, joinBytes, uintBytes } from "../bytes.ts"
import { hashBytes, hkdfExpand, hkdfExtract } from "./hkdf.ts"

export const hpkeKeyBytes = 32
export const aeadKeyBytes = 16
export const aeadNonceBytes = 12

const none = new Uint8Array()
const version = encodeText("HPKE-v1")
const kemId = uintBytes(0x0020, 2)
const kemSuite = joinBytes(encodeText("KEM"), kemId)
const hpkeSuite = joinBytes(encodeText("HPKE"), kemId, uintBytes(1, 2), uintBytes(1, 2))

export interface HpkeKeyPair {
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
}

export interface Sealed {
  /** The sender's one-off public key, 32 bytes. */
  readonly enc: Uint8Array
  readonly ciphertext: Uint8Array
}

export interface HpkeContext {
  readonly info: Uint8Array
  readonly additionalData: Uint8Array
}

export async function generateHpkeKeyPair(): Promise<HpkeKeyPair> {
  const secretKey = backend.randomBytes(hpkeKeyBytes)
  return { secretKey, publicKey: await backend.x25519PublicKey(secretKey) }
}

/** RFC 9180 §7.1.3. */
export async function deriveHpkeKeyPair(secret: Uint8Array): Promise<HpkeKeyPair> {
  const key = labeledExtract(kemSuite, none, "dkp_prk", secret)
  const secretKey = labeledExpand(kemSuite, key, "sk", { info: none, length: hpkeKeyBytes })
  return { secretKey, publicKey: await backend.x25519PublicKey(secretKey) }
}

/** Throws `key.weak` for a public key that gives everybody the same secret. */
export async function sealHpke(
  publicKey: Uint8Array,
  plaintext: Uint8Array,
  { info, additionalData }: HpkeContext,
): Promise<Sealed> {
  const { enc, shared } = await encapsulate(publicKey)
  const { key, nonce } = keySchedule(shared, info)
  return { enc, ciphertext: await backend.sealAesGcm({ key, nonce, additionalData }, plaintext) }
}

/** Undefined when it was not sealed to this key, or was altered. */
export async function openHpke(
  secretKey: Uint8Array,
  { enc, ciphertext }: Sealed,
  { info, additionalData }: HpkeContext,
): Promise<Uint8Array | undefined> {
  const shared = await decapsulate(secretKey, enc)
  if (shared === undefined) return undefined
  const { key, nonce } = keySchedule(shared, info)
  return backend.openAesGcm({ key, nonce, additionalData }, ciphertext)
}

export interface ExportRequest {
  readonly info: Uint8Array
  readonly context: Uint8Array
  readonly length: number
}

/** A secret that the holder of `publicKey` can derive from `enc`. RFC 9180 §5.3. */
export async function exportToHpke(
  publicKey: Uint8Array,
  request: ExportRequest,
): Promise<{ readonly enc: Uint8Array; readonly secret: Uint8Array }> {
  const { enc, shared } = await encapsulate(publicKey)
  return { enc, secret: exported(shared, request) }
}

export async function exportFromHpke(
  secretKey: Uint8Array,
  enc: Uint8Array,
  request: ExportRequest,
): Promise<Uint8Array | undefined> {
  const shared = await decapsulate(secretKey, enc)
  return shared === undefined ? undefined : exported(shared, request)
}

function exported(shared: Uint8Array, { info, context, length }: ExportRequest): Uint8Array {
  const { exporter } = keySchedule(shared, info)
  return labeledExpand(hpkeSuite, exporter, "sec", { info: context, length })
}

async function encapsulate(publicKey: Uint8Array): Promise<{ enc: Uint8Array; shared: Uint8Array }> {
  const { secretKey, publicKey: enc } = await generateHpkeKeyPair()
  const dh = publicKey.length === hpkeKeyBytes ? await backend.x25519(secretKey, publicKey) : undefined
  if (dh === undefined) throw new KezError("key.weak", "Cannot encrypt to the key: it is not a sound X25519 key")
  return { enc, shared: sharedSecret(dh, joinBytes(enc, publicKey)) }
}

async function decapsulate(secretKey: Uint8Array, enc: Uint8Array): Promise<Uint8Array | undefined> {
  if (enc.length !== hpkeKeyBytes) return undefined
  const dh = await backend.x25519(secretKey, enc)
  if (dh === undefined) return undefined
  return sharedSecret(dh, joinBytes(enc, await backend.x25519PublicKey(secretKey)))
}

function sharedSecret(dh: Uint8Array, context: Uint8Array): Uint8Array {
  const key = labeledExtract(kemSuite, none, "eae_prk", dh)
  return labeledExpand(kemSuite, key, "shared_secret", { info: context, length: hashBytes })
}

function keySchedule(shared: Uint8Array, info: Uint8Array) {
  const idHash = labeledExtract(hpkeSuite, none, "psk_id_hash", none)
  const context = joinBytes(Uint8Array.of(0), idHash, labeledExtract(hpkeSuite, none, "info_hash", info))
  const secret = labeledExtract(hpkeSuite, shared, "secret", none)
  return {
    key: labeledExpand(hpkeSuite, secret, "key", { info: context, length: aeadKeyBytes }),
    nonce: labeledExpand(hpkeSuite, secret, "base_nonce", { info: context, length: aeadNonceBytes }),
    exporter: labeledExpand(hpkeSuite, secret, "exp", { info: context, length: hashBytes }),
  }
}

function labeledExtract(suite: Uint8Array, salt: Uint8Array, label: string, secret: Uint8Array): Uint8Array {
  return hkdfExtract(salt, joinBytes(version, suite, encodeText(label), secret))
}

function labeledExpand(
  suite: Uint8Array,
  key: Uint8Array,
  label: string,
  { info, length }: { readonly info: Uint8Array; readonly length: number },
): Uint8Array {
  return hkdfExpand(key, joinBytes(uintBytes(length, 2), version, suite, encodeText(label), info), length)
}

/** The backend for Node: OpenSSL through node:crypto, about three times faster than WebCrypto for the small inputs of MLS. */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto"
import type { CipherBackend } from "./backend.ts"

const tagBytes = 16
/** ASN.1 before the 32 bytes of a key (RFC 8410 §7 and §4). */
const prefixes = {
  x25519Secret: Buffer.from("302e020100300506032b656e04220420", "hex"),
  x25519Public: Buffer.from("302a300506032b656e032100", "hex"),
  ed25519Secret: Buffer.from("302e020100300506032b657004220420", "hex"),
} as const

/** Key objects of secrets in use; they go when the bytes go. */
const signingKeys = new WeakMap<Uint8Array, KeyObject>()
/** The same for AES-256: the key of a store, which seals each row. Those of messages are AES-128, and used once. */
const rowKeys = new WeakMap<Uint8Array, KeyObject>()

export const backend: CipherBackend = {
  names: { aead: "node:crypto", x25519: "node:crypto", ed25519: "node:crypto" },
  randomBytes: (length) => new Uint8Array(randomBytes(length)),
  // As key objects: node:crypto takes three times as long to find out that bytes are none.
  sealAesGcm({ key, nonce, additionalData }, plaintext) {
    const cipher = createCipheriv(aesGcm(key), aesKey(key), nonce, { authTagLength: tagBytes })
    cipher.setAAD(additionalData)
    const body = cipher.update(plaintext)
    return plain(Buffer.concat([body, cipher.final(), cipher.getAuthTag()]))
  },
  openAesGcm({ key, nonce, additionalData }, ciphertext) {
    if (ciphertext.length < tagBytes) return undefined
    const end = ciphertext.length - tagBytes
    try {
      const decipher = createDecipheriv(aesGcm(key), aesKey(key), nonce, { authTagLength: tagBytes })
      decipher.setAAD(additionalData)
      decipher.setAuthTag(ciphertext.subarray(end))
      return plain(Buffer.concat([decipher.update(ciphertext.subarray(0, end)), decipher.final()]))
    } catch {
      return undefined
    }
  },
  x25519PublicKey: (secretKey) =>
    plain(createPublicKey(x25519SecretKey(secretKey)).export({ format: "der", type: "spki" }).subarray(-32)),
  x25519(secretKey, publicKey) {
    try {
      const key = Buffer.concat([prefixes.x25519Public, publicKey])
      const peer = createPublicKey({ key, format: "der", type: "spki" })
      return plain(diffieHellman({ privateKey: x25519SecretKey(secretKey), publicKey: peer }))
    } catch {
      return undefined // OpenSSL refuses an all-zero result
    }
  },
  signEd25519(seed, message) {
    let key = signingKeys.get(seed)
    if (key === undefined) {
      key = pkcs8(prefixes.ed25519Secret, seed)
      signingKeys.set(seed, key)
    }
    return plain(sign(null, message, key))
  },
}

/** A Buffer's `slice` shares its memory; what others slice and change must be a plain array. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer)
}

function aesGcm(key: Uint8Array): "aes-128-gcm" | "aes-256-gcm" {
  return key.length === 16 ? "aes-128-gcm" : "aes-256-gcm"
}

function aesKey(key: Uint8Array): KeyObject {
  if (key.length === 16) return createSecretKey(key)
  const known = rowKeys.get(key)
  if (known !== undefined) return known
  const made = createSecretKey(key)
  rowKeys.set(key, made)
  return made
}

function x25519SecretKey(secretKey: Uint8Array): KeyObject {
  return pkcs8(prefixes.x25519Secret, secretKey)
}

function pkcs8(prefix: Buffer, secretKey: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([prefix, secretKey]), format: "der", type: "pkcs8" })
}

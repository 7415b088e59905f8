/** The backend for browsers: WebCrypto. */
import type { AesGcmBox, CipherBackend } from "./backend.ts"

/** ASN.1 before the 32 bytes of a key (RFC 8410 §7). */
const x25519Prefix = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20]
const ed25519Prefix = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]
const basePoint = new Uint8Array(32)
basePoint[0] = 9

export const backend: CipherBackend = {
  names: { aead: "WebCrypto", x25519: "WebCrypto", ed25519: "WebCrypto" },
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  async sealAesGcm(box, plaintext) {
    const key = await crypto.subtle.importKey("raw", exact(box.key), "AES-GCM", false, ["encrypt"])
    return new Uint8Array(await crypto.subtle.encrypt(parametersOf(box), key, exact(plaintext)))
  },
  async openAesGcm(box, ciphertext) {
    try {
      const key = await crypto.subtle.importKey("raw", exact(box.key), "AES-GCM", false, ["decrypt"])
      return new Uint8Array(await crypto.subtle.decrypt(parametersOf(box), key, exact(ciphertext)))
    } catch {
      return undefined
    }
  },
  async x25519PublicKey(secretKey) {
    return new Uint8Array(await deriveX25519(secretKey, basePoint))
  },
  async x25519(secretKey, publicKey) {
    try {
      const shared = new Uint8Array(await deriveX25519(secretKey, publicKey))
      return shared.some((byte) => byte !== 0) ? shared : undefined
    } catch {
      return undefined
    }
  },
  async signEd25519(seed, message) {
    const key = await crypto.subtle.importKey("pkcs8", pkcs8(ed25519Prefix, seed), "Ed25519", false, ["sign"])
    return new Uint8Array(await crypto.subtle.sign("Ed25519", key, exact(message)))
  },
}

async function deriveX25519(secretKey: Uint8Array, publicKey: Uint8Array): Promise<ArrayBuffer> {
  const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8(x25519Prefix, secretKey), "X25519", false, [
    "deriveBits",
  ])
  const peer = await crypto.subtle.importKey("raw", exact(publicKey), "X25519", false, [])
  return crypto.subtle.deriveBits({ name: "X25519", public: peer }, privateKey, 256)
}

function parametersOf({ nonce, additionalData }: AesGcmBox) {
  return { name: "AES-GCM", iv: exact(nonce), additionalData: exact(additionalData), tagLength: 128 }
}

function pkcs8(prefix: readonly number[], secretKey: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(prefix.length + secretKey.length)
  bytes.set(prefix)
  bytes.set(secretKey, prefix.length)
  return bytes
}

/** WebCrypto takes no view of a shared buffer. */
function exact(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}

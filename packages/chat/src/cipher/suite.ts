/**
 * The one MLS ciphersuite of KEZ, MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519 (RFC 9420 §17.1), over our own backend. Ed25519 is
 * verified as everywhere in KEZ (SPEC [SIG-1]); the library's own verification would accept more.
 */
import { sha256, suites, verifyEd25519 } from "@kez/core"
import type { CiphersuiteImpl, PrivateKey, PublicKey } from "ts-mls"
import { backend } from "#chat-backend"
import { equalBytes } from "../bytes.ts"
import { hashBytes, hkdfExpand, hkdfExtract, hmacSha256 } from "./hkdf.ts"
import {
  aeadKeyBytes,
  aeadNonceBytes,
  deriveHpkeKeyPair,
  exportFromHpke,
  exportToHpke,
  generateHpkeKeyPair,
  type HpkeKeyPair,
  hpkeKeyBytes,
  openHpke,
  sealHpke,
} from "./hpke.ts"

export const suiteName = "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519"
const none = new Uint8Array()

/** What does not open: the guards turn it into a typed refusal. */
export class NotOpened extends Error {}

function opened(plaintext: Uint8Array | undefined): Uint8Array {
  if (plaintext === undefined) throw new NotOpened("not sealed to this key, or altered")
  return plaintext
}

// The library passes keys of HPKE through without looking into them; here they are plain bytes.
const toPublicKey = (bytes: Uint8Array): PublicKey => bytes as unknown as PublicKey
const toPrivateKey = (bytes: Uint8Array): PrivateKey => bytes as unknown as PrivateKey
const bytesOf = (key: PublicKey | PrivateKey): Uint8Array => key as unknown as Uint8Array

function toLibrary({ publicKey, secretKey }: HpkeKeyPair): { privateKey: PrivateKey; publicKey: PublicKey } {
  return { privateKey: toPrivateKey(secretKey), publicKey: toPublicKey(publicKey) }
}

function keyBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== hpkeKeyBytes) throw new NotOpened(`a key of ${bytes.length} bytes`)
  return bytes
}

export const suite: CiphersuiteImpl = {
  name: suiteName,
  hash: {
    digest: async (data) => new Uint8Array(sha256(data)),
    mac: async (key, data) => hmacSha256(key, data),
    verifyMac: async (key, mac, data) => equalBytes(hmacSha256(key, data), mac),
  },
  kdf: {
    size: hashBytes,
    extract: async (salt, secret) => hkdfExtract(salt, secret),
    expand: async (key, info, length) => hkdfExpand(key, info, length),
  },
  rng: { randomBytes: backend.randomBytes },
  signature: {
    sign: async (seed, message) => backend.signEd25519(seed, message),
    verify: async (publicKey, message, signature) => verifyEd25519(signature, message, publicKey),
    keygen: async () => {
      const signKey = backend.randomBytes(32)
      return { signKey, publicKey: suites.ed25519.publicKey(signKey) }
    },
  },
  hpke: {
    keyLength: aeadKeyBytes,
    nonceLength: aeadNonceBytes,
    async seal(publicKey, plaintext, info, additionalData = none) {
      const { enc, ciphertext } = await sealHpke(bytesOf(publicKey), plaintext, { info, additionalData })
      return { enc, ct: ciphertext }
    },
    async open(privateKey, enc, ciphertext, info, additionalData = none) {
      return opened(await openHpke(bytesOf(privateKey), { enc, ciphertext }, { info, additionalData }))
    },
    exportSecret: (publicKey, context, length, info) => exportToHpke(bytesOf(publicKey), { context, length, info }),
    async importSecret(privateKey, context, enc, length, info) {
      return opened(await exportFromHpke(bytesOf(privateKey), enc, { context, length, info }))
    },
    importPrivateKey: async (bytes) => toPrivateKey(keyBytes(bytes)),
    importPublicKey: async (bytes) => toPublicKey(keyBytes(bytes)),
    exportPublicKey: async (key) => bytesOf(key),
    exportPrivateKey: async (key) => bytesOf(key),
    encryptAead: async (key, nonce, additionalData = none, plaintext) =>
      backend.sealAesGcm({ key, nonce, additionalData }, plaintext),
    decryptAead: async (key, nonce, additionalData = none, ciphertext) =>
      opened(await backend.openAesGcm({ key, nonce, additionalData }, ciphertext)),
    deriveKeyPair: async (secret) => toLibrary(await deriveHpkeKeyPair(secret)),
    generateKeyPair: async () => toLibrary(await generateHpkeKeyPair()),
  },
}

/** NaCl's box (X25519, XSalsa20-Poly1305) in the envelope of NATS' xkeys: `xkv1`, 24 bytes nonce, sealed bytes. */
import { diffieHellman, randomBytes } from "node:crypto"
import { KezError } from "@kez/core"
import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js"
import { maxCalloutBytes, maxSharedKeys } from "../limits.ts"
import { type Nkey, publicKeyObject } from "../nkey.ts"

const version = Buffer.from("xkv1")
const nonceBytes = 24
const overheadBytes = version.length + nonceBytes + 16
/** "expand 32-byte k", the constant of Salsa20. */
const sigma = toWords(Buffer.from("expand 32-byte k"))

export interface Boxes {
  /** Seals bytes for the holder of a public `X…` key. */
  seal(bytes: Uint8Array, to: string): Uint8Array
  /** Opens what that holder sealed for us. Throws `key.unlock`: nothing says which part was wrong. */
  open(sealed: Uint8Array, from: string): Uint8Array
}

/** Boxes between one key of ours and others. Shared keys are kept: a server has one key for its whole run, and X25519 is the dear part. */
export function createBoxes(own: Nkey): Boxes {
  const shared = new Map<string, Uint8Array>()
  const sharedWith = (other: string): Uint8Array => {
    const known = shared.get(other)
    if (known !== undefined) return known
    const key = deriveShared(own, other)
    // The oldest goes: who can make up keys must not fill our memory.
    if (shared.size >= maxSharedKeys) for (const oldest of [...shared.keys()].slice(0, 1)) shared.delete(oldest)
    shared.set(other, key)
    return key
  }
  return {
    seal(bytes, to) {
      const nonce = randomBytes(nonceBytes)
      return Buffer.concat([version, nonce, xsalsa20poly1305(sharedWith(to), nonce).encrypt(bytes)])
    },
    open(sealed, from) {
      if (sealed.length < overheadBytes || sealed.length > maxCalloutBytes || !version.equals(sealed.subarray(0, 4)))
        throw refused()
      const nonce = sealed.subarray(4, 4 + nonceBytes)
      try {
        return xsalsa20poly1305(sharedWith(from), nonce).decrypt(sealed.subarray(4 + nonceBytes))
      } catch {
        throw refused()
      }
    },
  }
}

/** HSalsa20 of the X25519 secret, as NaCl's crypto_box_beforenm. OpenSSL refuses points that give zero. */
function deriveShared(own: Nkey, other: string): Uint8Array {
  const secret = diffieHellman({ privateKey: own.secret, publicKey: publicKeyObject(other, "curve") })
  const words = new Uint32Array(8)
  hsalsa(sigma, toWords(secret), new Uint32Array(4), words)
  const key = Buffer.alloc(32)
  words.forEach((word, i) => {
    key.writeUInt32LE(word, 4 * i)
  })
  return key
}

function toWords(bytes: Buffer): Uint32Array {
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(4 * i))
}

function refused(): KezError {
  return new KezError("key.unlock", "Cannot open the box: it is damaged, or sealed for another key")
}

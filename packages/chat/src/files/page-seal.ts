/** Pages of a list of shared files as they are given away: XChaCha20-Poly1305 under the key of their section, a random nonce in front. */
import { type Digest, KezError, limits } from "@kez/core"
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js"
import { backend } from "#chat-backend"
import { encodeText, joinBytes } from "../bytes.ts"

const nonceBytes = 24
const tagBytes = 16
/** Of a page as it is given away. */
export const maxSealedPageBytes = limits.maxFilePageBytes + nonceBytes + tagBytes

export function createPageKey(): Uint8Array {
  return backend.randomBytes(32)
}

/** `chain`: whose list it is. */
export function sealPage(key: Uint8Array, page: Uint8Array, chain: Digest): Uint8Array {
  const nonce = backend.randomBytes(nonceBytes)
  return joinBytes(nonce, xchacha20poly1305(key, nonce, contextOf(chain)).encrypt(page))
}

/** Throws `limit.size`, `file.manifest`. */
export function openPage(key: Uint8Array, sealed: Uint8Array, chain: Digest): Uint8Array {
  if (sealed.length > maxSealedPageBytes)
    throw new KezError("limit.size", `Cannot open the page: expected at most ${maxSealedPageBytes} bytes`)
  try {
    const nonce = sealed.subarray(0, nonceBytes)
    return xchacha20poly1305(key, nonce, contextOf(chain)).decrypt(sealed.subarray(nonceBytes))
  } catch {
    throw new KezError("file.manifest", "Cannot open a page of the list: it is not under the key that came for it", {
      hint: "Ask for the list again.",
    })
  }
}

function contextOf(chain: Digest): Uint8Array {
  return encodeText(`kez.files.page ${chain}`)
}

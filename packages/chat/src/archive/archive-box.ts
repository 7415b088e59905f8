/** XChaCha20-Poly1305 with a random nonce in front: 24 bytes of it are enough for as many devices and entries as there are. */
import { KezError } from "@kez/core"
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js"
import { backend } from "#chat-backend"
import { joinBytes } from "../bytes.ts"

const nonceBytes = 24

export function sealUnder(key: Uint8Array, plaintext: Uint8Array, context: Uint8Array): Uint8Array {
  const nonce = backend.randomBytes(nonceBytes)
  return joinBytes(nonce, xchacha20poly1305(key, nonce, context).encrypt(plaintext))
}

/** Throws `chat.archive`. */
export function openUnder(key: Uint8Array, sealed: Uint8Array, context: Uint8Array): Uint8Array {
  try {
    return xchacha20poly1305(key, sealed.subarray(0, nonceBytes), context).decrypt(sealed.subarray(nonceBytes))
  } catch {
    throw new KezError("chat.archive", "Cannot open the archive entry: it was altered, or is under another key", {
      hint: "Fetch it again. If it stays so, another device of yours may still have what was in it.",
    })
  }
}

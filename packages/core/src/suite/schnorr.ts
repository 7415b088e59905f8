/** BIP-340 Schnorr signatures over secp256k1. SPEC [SIG-3]. */
import { backend } from "#backend"

/**
 * Whether `signature` (64 bytes) of `digest` is valid for the x-only `publicKey` (32 bytes), exactly as BIP-340 verifies.
 * KEZ itself only signs 32-byte digests; other lengths go to a backend that can take them. Never throws.
 */
export function verifySchnorr(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean {
  if (!(signature instanceof Uint8Array) || !(digest instanceof Uint8Array) || !(publicKey instanceof Uint8Array))
    return false
  if (signature.length !== 64 || publicKey.length !== 32) return false
  return backend.verifySchnorr(signature, digest, publicKey)
}

/** The table of signature suites: one row for each system of keys. SPEC [ENV-2]. */
import { backend } from "#backend"
import type { Code } from "../codes.ts"
import { sha256 } from "../digest.ts"
import { faultOfEd25519Key, verifyEd25519 } from "./ed25519.ts"
import { verifySchnorr } from "./schnorr.ts"

export type KeySystem = "ed25519" | "nostr"

export interface Suite {
  readonly alg: string
  /** Why the public key bytes can sign nothing, or undefined. */
  faultOfKey(publicKey: Uint8Array): Code | undefined
  /** Whether the signature is right over the signed bytes, JCS(payload). Never throws. */
  verify(signature: Uint8Array, signedBytes: Uint8Array, publicKey: Uint8Array): boolean
  /** Deterministic signature over the signed bytes, 64 bytes. */
  sign(signedBytes: Uint8Array, secret: Uint8Array): Uint8Array
  /** Public key bytes, 32, of a 32-byte secret. Throws on a secret out of range. */
  publicKey(secret: Uint8Array): Uint8Array
}

export const suites: Readonly<Record<KeySystem, Suite>> = {
  ed25519: {
    // SHA-512 is Ed25519's own hash: the bytes themselves are signed. (RFC 8032 §5.1.6)
    alg: "ed25519-sha512-jcs",
    faultOfKey: faultOfEd25519Key,
    verify: verifyEd25519,
    sign: backend.signEd25519,
    publicKey: backend.ed25519PublicKey,
  },
  nostr: {
    alg: "nostr-secp256k1-schnorr-sha256-jcs",
    faultOfKey: () => undefined,
    verify: (signature, signedBytes, publicKey) => verifySchnorr(signature, sha256(signedBytes), publicKey),
    sign: (signedBytes, secret) => backend.signSchnorr(sha256(signedBytes), secret),
    publicKey: backend.schnorrPublicKey,
  },
}

/** Signers: whatever can sign KEZ statements, in memory or elsewhere (an agent, a browser key, hardware). */
import { KezError } from "./error.ts"
import { formatKeyIdentity } from "./identity.ts"
import { type KeySystem, suites } from "./suite/suites.ts"

export interface Signer {
  /** The key identity, as text. */
  readonly key: string
  /**
   * Signs the signed bytes, JCS of a payload, by the suite of the key: `ed25519` over the bytes themselves,
   * `nostr` over their SHA-256 with zero auxiliary randomness. Returns 64 bytes. SPEC [ENV-2]
   */
  sign(bytes: Uint8Array): Promise<Uint8Array>
}

/** A signer that holds its 32-byte secret in memory. Throws `key.encoding` when the secret is out of range. [MNEM-2] */
export function createSigner(system: KeySystem, secret: Uint8Array): Signer {
  const key = keyOfSecret(system, secret)
  return { key, sign: (bytes) => Promise.resolve(suites[system].sign(bytes, secret)) }
}

/** The key identity, as text, of a 32-byte secret. */
export function keyOfSecret(system: KeySystem, secret: Uint8Array): string {
  if (secret.length !== 32) throw secretFault()
  try {
    return formatKeyIdentity(system, suites[system].publicKey(secret))
  } catch {
    throw secretFault() // without the cause: it could name the value
  }
}

function secretFault(): KezError {
  return new KezError("key.encoding", "Cannot use the secret key: expected 32 bytes in the range of its curve")
}

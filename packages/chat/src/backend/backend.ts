/** What chat takes from the platform's cryptography: one seam, as in core. Ed25519 is verified by core, strictly. */

/** Native code answers at once, WebCrypto later: both are awaited. */
export type Later<T> = T | Promise<T>

export interface CipherBackend {
  /** For `kez doctor` and benchmarks. */
  readonly names: { readonly aead: string; readonly x25519: string; readonly ed25519: string }
  randomBytes(length: number): Uint8Array
  /** AES-128-GCM or AES-256-GCM by the length of the key, the 16-byte tag behind the ciphertext. (RFC 5116) */
  sealAesGcm(box: AesGcmBox, plaintext: Uint8Array): Later<Uint8Array>
  /** Undefined when key, nonce, additional data or bytes are not those that were sealed. */
  openAesGcm(box: AesGcmBox, ciphertext: Uint8Array): Later<Uint8Array | undefined>
  x25519PublicKey(secretKey: Uint8Array): Later<Uint8Array>
  /** The shared secret, or undefined where it is all zero or the point is not one. (RFC 7748 §6.1) */
  x25519(secretKey: Uint8Array, publicKey: Uint8Array): Later<Uint8Array | undefined>
  signEd25519(seed: Uint8Array, message: Uint8Array): Later<Uint8Array>
}

export interface AesGcmBox {
  readonly key: Uint8Array
  /** 12 bytes. */
  readonly nonce: Uint8Array
  readonly additionalData: Uint8Array
}

/** What core takes from the platform: the same answers everywhere, at different speeds. */

export interface Backend {
  /** For `kez doctor` and benchmarks: which implementation serves each primitive. */
  readonly names: { readonly ed25519: string; readonly schnorr: string; readonly sha256: string; readonly zstd: string }
  /**
   * Loads what can only be loaded asynchronously: the zstd decoder in WebAssembly. A browser needs it; on Node it is
   * optional and makes decompression several times faster, for servers. It is the same libzstd that node:zlib has.
   */
  prepare(): Promise<void>
  sha256(bytes: Uint8Array): Uint8Array
  /** UTF-8 bytes of a well-formed text. */
  encodeUtf8(text: string): Uint8Array
  /** Number of UTF-8 bytes of a text; a lone surrogate counts three. */
  utf8Length(text: string): number
  /** The bytes of a base64url text that is the encoding of what it decodes to; undefined leaves the decision to core. */
  decodeBase64Url?(text: string): Uint8Array | undefined
  /** Hex SHA-256 of the UTF-8 bytes of `text`. */
  sha256TextHex(text: string): string
  /**
   * The verification equation of Ed25519, cofactorless, R compared byte for byte. Called only after the byte checks of
   * SPEC [SIG-1], which close every difference between implementations. Never throws.
   */
  verifyEd25519(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean
  /** BIP-340 verification of a 32-byte message. Never throws. */
  verifySchnorr(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean
  /** Deterministic signature (RFC 8032 §5.1.6) and public key of a 32-byte seed. */
  signEd25519(message: Uint8Array, seed: Uint8Array): Uint8Array
  ed25519PublicKey(seed: Uint8Array): Uint8Array
  /** BIP-340 with 32 zero bytes of auxiliary randomness. Throws on a secret key out of range. */
  signSchnorr(digest: Uint8Array, secretKey: Uint8Array): Uint8Array
  schnorrPublicKey(secretKey: Uint8Array): Uint8Array
  /**
   * Decompresses one frame whose headers are checked already (SPEC §4.2) into at most `maxBytes` bytes.
   * Undefined when it is malformed, empty or longer: libzstd does not let the three be told apart everywhere.
   */
  decompressZstd(frame: Uint8Array, maxBytes: number): Uint8Array | undefined
  /** One frame with content size, no checksum, no dictionary, window at most 1 MiB. */
  compressZstd(bytes: Uint8Array): Uint8Array
}

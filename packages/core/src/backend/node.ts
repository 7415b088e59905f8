/** The backend for Node: libsodium and libsecp256k1 where they load, else OpenSSL and noble. Same verdicts, other speeds. */
import { createPrivateKey, createPublicKey, hash, sign, verify } from "node:crypto"
import { createRequire } from "node:module"
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import type { Backend } from "./backend.ts"

type Sodium = typeof import("sodium-native")
type Secp256k1 = typeof import("tiny-secp256k1")
type Portable = typeof import("./portable.ts")

const require = createRequire(import.meta.url)
const zeros32 = new Uint8Array(32)
/** ASN.1 of an Ed25519 private key in PKCS #8, before its 32-byte seed (RFC 8410 §7). */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex")

// Native modules load at their first use: `kez --version` needs none of them.
const sodium = once((): Sodium | undefined => tryRequire("sodium-native"))
const secp256k1 = once((): Secp256k1 | undefined => tryRequire("tiny-secp256k1"))
const portable = once((): Backend => (require("./portable.ts") as Portable).backend)

/** Loading libsodium takes as long as this many verifications by OpenSSL save. */
const sodiumPaysFrom = 64
let verifications = 0
/** Set by `prepare`. */
let wasmDecompress: Backend["decompressZstd"] | undefined

export const backend: Backend = {
  get names() {
    return {
      ed25519: sodium() === undefined ? "node:crypto" : "sodium-native",
      schnorr: secp256k1() === undefined ? "@noble/curves" : "tiny-secp256k1",
      sha256: "node:crypto",
      zstd: wasmDecompress === undefined ? "node:zlib" : "zstddec",
    }
  },
  async prepare() {
    const wasm = await import("./wasm-zstd.ts")
    await wasm.prepareWasmZstd()
    wasmDecompress = wasm.decompressWithWasm
  },
  encodeUtf8: (text) => Buffer.from(text, "utf8"),
  decodeBase64Url(text) {
    const bytes = Buffer.from(text, "base64url")
    // Buffer overlooks what is not in the alphabet; what it writes again has one spelling only.
    return bytes.toString("base64url") === text ? bytes : undefined
  },
  utf8Length: (text) => Buffer.byteLength(text, "utf8"),
  sha256: (bytes) => hash("sha256", bytes, "buffer"),
  sha256TextHex: (text) => hash("sha256", text, "hex"),
  verifyEd25519(signature, message, publicKey) {
    verifications++
    const bySodium = verifications > sodiumPaysFrom ? verifyBySodium() : undefined
    return (bySodium ?? verifyByOpenSsl)(signature, message, publicKey)
  },
  verifySchnorr(signature, digest, publicKey) {
    const lib = digest.length === 32 ? secp256k1() : undefined // it takes no other length
    if (lib === undefined) return portable().verifySchnorr(signature, digest, publicKey)
    try {
      return lib.verifySchnorr(digest, publicKey, signature)
    } catch {
      return false // it throws on keys that are not on the curve
    }
  },
  signEd25519: (message, seed) => sign(null, message, privateKey(seed)),
  ed25519PublicKey: (seed) => createPublicKey(privateKey(seed)).export({ format: "der", type: "spki" }).subarray(-32),
  signSchnorr(digest, secretKey) {
    const lib = secp256k1()
    return lib === undefined ? portable().signSchnorr(digest, secretKey) : lib.signSchnorr(digest, secretKey, zeros32)
  },
  schnorrPublicKey(secretKey) {
    const lib = secp256k1()
    if (lib === undefined) return portable().schnorrPublicKey(secretKey)
    return lib.xOnlyPointFromScalar(secretKey)
  },
  decompressZstd(frame, maxBytes) {
    if (wasmDecompress !== undefined) return wasmDecompress(frame, maxBytes)
    try {
      const content = zstdDecompressSync(frame, { maxOutputLength: maxBytes })
      return content.length === 0 ? undefined : content
    } catch {
      return undefined
    }
  },
  compressZstd: (bytes) =>
    zstdCompressSync(bytes, {
      pledgedSrcSize: bytes.length,
      params: { [constants.ZSTD_c_windowLog]: 20, [constants.ZSTD_c_checksumFlag]: 0 },
    }),
}

type VerifyEd25519 = Backend["verifyEd25519"]

/** OpenSSL's verification; exported so that tests can hold it against libsodium's. */
export const verifyByOpenSsl: VerifyEd25519 = (signature, message, publicKey) => {
  try {
    const key = createPublicKey({
      key: { kty: "OKP", crv: "Ed25519", x: view(publicKey).toString("base64url") },
      format: "jwk",
    })
    return verify(null, message, key, signature)
  } catch {
    return false
  }
}

/** libsodium's verification, where it loads. */
export const verifyBySodium = once((): VerifyEd25519 | undefined => {
  const lib = sodium()
  if (lib === undefined) return undefined
  return (signature, message, publicKey) => {
    try {
      return lib.crypto_sign_verify_detached(signature, message, publicKey)
    } catch {
      return false
    }
  }
})

function privateKey(seed: Uint8Array): ReturnType<typeof createPrivateKey> {
  return createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: "der", type: "pkcs8" })
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function tryRequire<T>(name: string): T | undefined {
  try {
    return require(name)
  } catch {
    return undefined // an optional dependency without a build for this platform
  }
}

function once<T>(load: () => T): () => T {
  let loaded: { readonly value: T } | undefined
  return () => {
    loaded ??= { value: load() }
    return loaded.value
  }
}

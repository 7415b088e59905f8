/** The backend for browsers, and the reference that the native one is tested against. JavaScript and WebAssembly only. */
import { ed25519 } from "@noble/curves/ed25519.js"
import { schnorr } from "@noble/curves/secp256k1.js"
import { sha256, sha512 } from "@noble/hashes/sha2.js"
import { KezError } from "../error.ts"
import { formatHex } from "../hex.ts"
import type { Backend } from "./backend.ts"
import { storeZstd } from "./store-zstd.ts"
import { decompressWithWasm, isWasmZstdReady, prepareWasmZstd } from "./wasm-zstd.ts"

const zeros32 = new Uint8Array(32)
const utf8 = new TextEncoder()

export const backend: Backend = {
  names: { ed25519: "@noble/curves", schnorr: "@noble/curves", sha256: "@noble/hashes", zstd: "zstddec" },
  prepare: prepareWasmZstd,
  encodeUtf8: (text) => utf8.encode(text),
  utf8Length,
  sha256,
  sha256TextHex: (text) => formatHex(sha256(utf8.encode(text))),
  verifyEd25519,
  verifySchnorr(signature, digest, publicKey) {
    try {
      return schnorr.verify(signature, digest, publicKey)
    } catch {
      return false
    }
  },
  signEd25519: (message, seed) => ed25519.sign(message, seed),
  ed25519PublicKey: (seed) => ed25519.getPublicKey(seed),
  signSchnorr: (digest, secretKey) => schnorr.sign(digest, secretKey, zeros32),
  schnorrPublicKey: (secretKey) => schnorr.getPublicKey(secretKey),
  decompressZstd,
  compressZstd: storeZstd,
}

function utf8Length(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    bytes += unit < 0x800 ? 1 : 2
    // The second half of a pair adds nothing: a pair has four bytes for its two units.
    if (unit >= 0xd800 && unit <= 0xdbff && isLow(text.charCodeAt(i + 1))) i++
  }
  return bytes
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}

/** noble's own verify is cofactored in both of its modes, so the equation of RFC 8032 §5.1.7 is evaluated here, byte for byte. */
function verifyEd25519(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  const { Point } = ed25519
  const order = Point.Fn.ORDER
  try {
    const a = Point.fromBytes(publicKey, false)
    const hashed = new Uint8Array(64 + message.length)
    hashed.set(signature.subarray(0, 32), 0)
    hashed.set(publicKey, 32)
    hashed.set(message, 64)
    const k = littleEndian(sha512(hashed)) % order
    const s = littleEndian(signature.subarray(32))
    const sB = s === 0n ? Point.ZERO : Point.BASE.multiplyUnsafe(s)
    const kA = k === 0n ? Point.ZERO : a.multiplyUnsafe(k)
    const r = sB.subtract(kA).toBytes()
    return r.every((byte, i) => byte === signature[i])
  } catch {
    return false
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${formatHex(bytes.toReversed())}`)
}

function decompressZstd(frame: Uint8Array, maxBytes: number): Uint8Array | undefined {
  if (!isWasmZstdReady()) {
    throw new KezError("zstd.not_ready", "Cannot decompress: the decoder is not loaded", {
      hint: "Await prepareBackend() once, before decoding.",
    })
  }
  return decompressWithWasm(frame, maxBytes)
}

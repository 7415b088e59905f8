/** Strict Ed25519: byte checks that close every difference between implementations, then any backend. SPEC [SIG-1]. */
import { backend } from "#backend"
import type { Code } from "../codes.ts"
import { tryParseHex } from "../hex.ts"

/** y of the points of small order, sign bit clear; the last two are the non-canonical spellings of 0 and 1. */
const smallOrder = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map((hex) => tryParseHex(hex, 32) ?? new Uint8Array())

/** The group order L of RFC 8032 §5.1, little-endian. */
const groupOrder =
  tryParseHex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", 32) ?? new Uint8Array()

/**
 * Whether `signature` (64 bytes) of `message` is valid for `publicKey` (32 bytes) by SPEC [SIG-1]. Never throws.
 * (RFC 8032 §5.1.7 without the cofactor, S < L, canonical A and R, neither of small order.)
 */
export function verifyEd25519(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (!(message instanceof Uint8Array) || !hasStrictForm(signature, publicKey)) return false
  return backend.verifyEd25519(signature, message, publicKey)
}

/** All of SPEC [SIG-1] but the equation: what a backend may be asked about. */
export function hasStrictForm(signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (!isBytes(signature, 64) || !isBytes(publicKey, 32) || faultOfEd25519Key(publicKey) !== undefined) return false
  return !isWeakPoint(signature) && isCanonicalPoint(signature) && isBelowOrder(signature)
}

/** Why a 32-byte key can sign nothing, decided by its bytes alone. SPEC [SIG-2] */
export function faultOfEd25519Key(publicKey: Uint8Array): Code | undefined {
  // A key of small order verifies forged signatures of any message in many libraries.
  if (isWeakPoint(publicKey)) return "key.weak"
  return isCanonicalPoint(publicKey) ? undefined : "key.encoding"
}

function isBytes(value: Uint8Array, length: number): boolean {
  return value instanceof Uint8Array && value.length === length
}

/** Whether the first 32 bytes are a point of small order, the sign bit ignored. */
function isWeakPoint(point: Uint8Array): boolean {
  return smallOrder.some((weak) => {
    for (let i = 0; i < 31; i++) if (point[i] !== weak[i]) return false
    return ((point[31] ?? 0) & 0x7f) === weak[31]
  })
}

/** Whether the y of the first 32 bytes is below p = 2^255 - 19, whose little-endian bytes are `ed ff … ff 7f`. */
function isCanonicalPoint(point: Uint8Array): boolean {
  if (((point[31] ?? 0) & 0x7f) !== 0x7f || (point[0] ?? 0) < 0xed) return true
  for (let i = 1; i < 31; i++) if (point[i] !== 0xff) return true
  return false
}

/** Whether S, the second half of the signature, is below L: otherwise S + L would be a second signature. */
function isBelowOrder(signature: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const s = signature[32 + i] ?? 0
    const l = groupOrder[i] ?? 0
    if (s !== l) return s < l
  }
  return false
}

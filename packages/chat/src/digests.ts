/** Digests as the 32 bytes that binary forms carry. */
import { type Digest, formatHex, tryParseHex } from "@kez/core"

export const digestBytes = 32
const prefix = "sha256:"

export function bytesOfDigest(digest: Digest): Uint8Array {
  const bytes = tryParseHex(digest.slice(prefix.length), digestBytes)
  if (bytes === undefined) throw new Error("not a digest")
  return bytes
}

export function digestOfBytes(bytes: Uint8Array): Digest {
  return prefix + formatHex(bytes)
}

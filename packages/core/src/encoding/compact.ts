/** Compact text: `kez:z1:` for one envelope, `kez:zc1:` for a chain document. SPEC §4.1 and [JSONL-2]. */
import { type Claim, decodeEnvelope, type Envelope, formatEnvelope } from "../envelope/envelope.ts"
import { KezError } from "../error.ts"
import { maxChainBytes, maxEnvelopeTextBytes } from "../limits.ts"
import { encodeUtf8, isLongerThan } from "../text.ts"
import { decodeBase64Url, encodeBase64Url } from "./base64url.ts"
import { compressFrame, decompressFrame } from "./zstd.ts"

export const compactPrefix = "kez:z1:"
const compactChainPrefix = "kez:zc1:"

export function encodeCompact(envelope: Envelope): string {
  return compactPrefix + encodeBase64Url(compressFrame(encodeUtf8(formatEnvelope(envelope))))
}

/** The claim of a compact text. [ENC-2] */
export function decodeCompact(text: string): Claim {
  return decodeEnvelope(decompressText(text, compactPrefix, maxEnvelopeTextBytes), "claim")
}

export function encodeCompactChain(jsonl: string): string {
  return compactChainPrefix + encodeBase64Url(compressFrame(encodeUtf8(jsonl)))
}

/** The JSONL bytes of a compact chain. [JSONL-2] */
export function decodeCompactChain(text: string): Uint8Array {
  return decompressText(text, compactChainPrefix, maxChainBytes)
}

function decompressText(text: string, prefix: string, maxBytes: number): Uint8Array {
  if (!text.startsWith(prefix)) {
    throw new KezError("encoding.unsupported", `Cannot decode the text: expected it to begin with ${prefix}`)
  }
  // base64url of an incompressible frame of maxBytes would be longer, but no useful text is.
  const maxChars = Math.ceil((maxBytes * 4) / 3)
  if (isLongerThan(text, maxChars + prefix.length)) {
    throw new KezError(
      "limit.decompressed",
      `Cannot decode the text: expected at most ${maxChars} bytes after ${prefix}`,
    )
  }
  return decompressFrame(decodeBase64Url(text.slice(prefix.length)), maxBytes)
}

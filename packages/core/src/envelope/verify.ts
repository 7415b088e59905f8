/** Signatures of envelopes, each checked at most once in a process. SPEC [DEC-2]. */
import { KezError } from "../error.ts"
import { tryParseHex } from "../hex.ts"
import { parseKey } from "../identity.ts"
import { suites } from "../suite/suites.ts"
import { encodeUtf8 } from "../text.ts"
import { acceptEnvelope, type Envelope, envelopeDigest, signedTextOf } from "./envelope.ts"

/** Digests of whole envelopes (and of proofs of possession) whose signature was right. Negatives are not kept: an attacker could fill it. */
let verified = new Set<string>()
let earlier = new Set<string>()
const maxVerified = 65_536
let checks = 0

/** How many signatures this process has checked: the work that a hostile input can cause. */
export function signatureCheckCount(): number {
  return checks
}

/** Throws `key.weak`, `key.encoding` or `signature.invalid`. A verified envelope is not verified again. */
export function assertSignature(received: Envelope): void {
  const envelope = acceptEnvelope(received, received.kez)
  const { key, sig } = envelope.signature
  assertSignedText(signedTextOf(envelope), { key, sig, cacheKey: envelopeDigest(envelope) })
}

/**
 * The same for any text signed by the suite of `key`. `cacheKey` must be a digest that covers text, key and signature.
 */
export function assertSignedText(
  text: string,
  by: { readonly key: string; readonly sig: string; readonly cacheKey: string },
): void {
  if (isRemembered(by.cacheKey)) return
  const { identity, publicKey } = parseKey(by.key)
  const suite = suites[identity.system]
  const keyFault = suite.faultOfKey(publicKey)
  if (keyFault !== undefined) {
    throw new KezError(keyFault, "Cannot verify the signature: under such a key signatures prove nothing")
  }
  checks++
  const signature = tryParseHex(by.sig, 64)
  if (signature === undefined || !suite.verify(signature, encodeUtf8(text), publicKey)) {
    throw new KezError("signature.invalid", "Cannot accept the signature: it is not by this key over these bytes")
  }
  remember(by.cacheKey)
}

/**
 * Takes a signature for right without checking it: for what a store of one's own wrote after it had checked, and whose bytes are
 * those of then (the store compares the digest). `cacheKey` as for `assertSignedText`.
 */
export function vouchForSignature(cacheKey: string): void {
  remember(cacheKey)
}

/** Forgets every verified signature, so that a benchmark can measure a cold start. */
export function forgetVerifiedSignatures(): void {
  verified = new Set()
  earlier = new Set()
}

/** Two generations: when the young one is full it becomes the old one, and what is used moves up. */
function remember(cacheKey: string): void {
  if (verified.size >= maxVerified / 2) {
    earlier = verified
    verified = new Set()
  }
  verified.add(cacheKey)
}

function isRemembered(cacheKey: string): boolean {
  if (verified.has(cacheKey)) return true
  if (!earlier.has(cacheKey)) return false
  remember(cacheKey)
  return true
}

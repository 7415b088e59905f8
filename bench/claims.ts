/** Decode-to-verdict of distinct compact claims with a cold cache, against the raw verify of the backend in the same rounds. */
import { createRequire } from "node:module"
import {
  canonicalize,
  createSigner,
  decodeProof,
  encodeProof,
  forgetVerifiedSignatures,
  type KeySystem,
  parseKeyIdentity,
  publicKeyBytes,
  sha256,
  signClaim,
  tryParseHex,
  verifyClaim,
} from "@kez/core"
import { compare, perSecond, type Row } from "./measure.ts"

const require = createRequire(import.meta.url)
const start = 1_767_225_600
const keys = 50

interface Signed {
  readonly subject: string
  readonly text: string
  readonly message: Buffer
  readonly signature: Buffer
  readonly publicKey: Buffer
}

export async function claimRows(count: number, rounds: number): Promise<readonly Row[]> {
  const sodium: typeof import("sodium-native") = require("sodium-native")
  const secp256k1: typeof import("tiny-secp256k1") = require("tiny-secp256k1")
  const ed25519 = await signedClaims("ed25519", count)
  const nostr = (await signedClaims("nostr", count)).map((claim) => ({ ...claim, digest: sha256(claim.message) }))
  return [
    row("ed25519 compact claim to verdict", ed25519, rounds, () => {
      for (const { signature, message, publicKey } of ed25519) {
        if (!sodium.crypto_sign_verify_detached(signature, message, publicKey)) throw new Error("raw verify failed")
      }
    }),
    row("nostr compact claim to verdict", nostr, rounds, () => {
      for (const { signature, digest, publicKey } of nostr) {
        if (!secp256k1.verifySchnorr(digest, publicKey, signature)) throw new Error("raw verify failed")
      }
    }),
  ]
}

function row(what: string, claims: readonly Signed[], rounds: number, raw: () => void): Row {
  const { limitMs, productMs, ratio } = compare(rounds, raw, () => {
    forgetVerifiedSignatures()
    for (const { subject, text } of claims) {
      const candidates = [{ text, foundAt: "bench" }]
      const verdict = verifyClaim({ subject, publication: { status: "found", candidates }, chains: [], now: start })
      if (verdict.status !== "valid") throw new Error(`${subject}: ${verdict.reason}`)
    }
  })
  return {
    what: `${what}, ${claims.length.toLocaleString("en")} distinct, cold cache`,
    product: perSecond(claims.length, productMs),
    limit: `${perSecond(claims.length, limitMs)} raw verify`,
    ratio,
    target: ">= 0.65",
    holds: ratio >= 0.65,
  }
}

async function signedClaims(system: KeySystem, count: number): Promise<readonly Signed[]> {
  const signers = Array.from({ length: keys }, (_, i) => createSigner(system, new Uint8Array(32).fill(i + 1)))
  const claims: Signed[] = []
  for (let i = 0; i < count; i++) {
    const signer = signers[i % keys]
    if (signer === undefined) throw new Error("no signer")
    const subject = `dns:host-${i}.example.org`
    const text = encodeProof(
      await signClaim({ subject, createdAt: start, expiresAt: start + 86_400 }, signer),
      "compact",
    )
    const proof = decodeProof(text)
    if (proof.kind !== "claim") throw new Error("not a claim")
    claims.push({
      subject,
      text,
      message: Buffer.from(canonicalize(proof.claim.payload)),
      signature: Buffer.from(tryParseHex(proof.claim.signature.sig, 64) ?? []),
      publicKey: Buffer.from(publicKeyBytes(parseKeyIdentity(signer.key))),
    })
  }
  return claims
}

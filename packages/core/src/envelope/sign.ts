/** Building envelopes: the payload is checked like a received one before a key touches it. SPEC §2. */
import { canonicalize } from "../canonical.ts"
import { KezError } from "../error.ts"
import { formatHex } from "../hex.ts"
import { parseKeyIdentity } from "../identity.ts"
import { parseJson } from "../json.ts"
import type { Signer } from "../signer.ts"
import { suites } from "../suite/suites.ts"
import { encodeUtf8 } from "../text.ts"
import { checkEnvelope, type Envelope, type Payloads } from "./envelope.ts"
import type { Kind } from "./kinds.ts"
import { assertSignature } from "./verify.ts"

/**
 * Signs a payload. What is signed is the text of the payload read once, so that accessors and later changes have no effect.
 * Throws the codes of decoding, or `signature.invalid` when the signer's answer does not verify. [SIG-5]
 */
export async function signEnvelope<K extends Kind>(
  kind: K,
  payload: Payloads[K],
  signer: Signer,
): Promise<Envelope<K>> {
  const text = canonicalize(payload)
  const placeholder = "0".repeat(128)
  checkEnvelope(envelopeValue(kind, text, signer, placeholder), kind)
  const signature = await signer.sign(encodeUtf8(text))
  if (!(signature instanceof Uint8Array) || signature.length !== 64) {
    throw new KezError("signature.encoding", "Cannot use the signer's answer: expected 64 bytes")
  }
  const envelope = checkEnvelope(envelopeValue(kind, text, signer, formatHex(signature)), kind)
  assertSignature(envelope)
  return envelope
}

function envelopeValue(kind: Kind, payloadText: string, { key }: Signer, sig: string) {
  const { alg } = suites[parseKeyIdentity(key).system]
  return { kez: kind, payload: parseJson(payloadText), signature: { alg, key, sig } }
}

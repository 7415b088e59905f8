/** The signed envelope: decoding with a fixed order of checks. SPEC §2 and §3.1. */
import { canonicalize } from "../canonical.ts"
import { type ClaimPayload, claimPayload } from "../claim.ts"
import { type Digest, digestOf } from "../digest.ts"
import { KezError } from "../error.ts"
import { parseKeyIdentity } from "../identity.ts"
import { type Json, scanJson } from "../json.ts"
import { jsonValue } from "../json-value.ts"
import { maxEnvelopeBytes, maxEnvelopeTextBytes } from "../limits.ts"
import { type EventPayload, eventPayload } from "../sigchain/event.ts"
import { type HeadPayload, headPayload } from "../sigchain/head-payload.ts"
import { suites } from "../suite/suites.ts"
import { decodeText, isLongerThan } from "../text.ts"
import { isKind, type Kind, payloadTypes } from "./kinds.ts"
import { type ProvisionalPayloads, provisionalPayloads } from "./provisional.ts"
import { anyString, assertObject, type Check, fault, keyIdentity, record, required, signatureHex } from "./schema.ts"

export interface Payloads extends ProvisionalPayloads {
  claim: ClaimPayload
  sigchain_event: EventPayload
  chain_head: HeadPayload
}

export interface EnvelopeSignature {
  readonly alg: string
  /** Key identity of the signer. */
  readonly key: string
  /** 64 bytes in lower-case hex. */
  readonly sig: string
}

/** The wire form, as a value: `JSON.stringify` of it is one of its texts. */
export interface Envelope<K extends Kind = Kind> {
  readonly kez: K
  readonly payload: Payloads[K]
  readonly signature: EnvelopeSignature
}

export type Claim = Envelope<"claim">
export type SigchainEvent = Envelope<"sigchain_event">
export type ChainHead = Envelope<"chain_head">

const payloadChecks: { readonly [K in Kind]: Check<Payloads[K]> } = {
  claim: claimPayload,
  sigchain_event: eventPayload,
  chain_head: headPayload,
  ...provisionalPayloads,
}

const signatureCheck = record<EnvelopeSignature>(
  { alg: required(anyString), key: required(keyIdentity), sig: required(anyString) },
  ({ alg, key, sig }) => {
    // The algorithm is a function of the key: what the text names is compared, never obeyed.
    const expected = suites[parseKeyIdentity(key).system].alg
    if (alg !== expected) throw fault("signature.alg", "signature.alg", expected)
    signatureHex(sig, "signature.sig")
  },
)

/** What follows from an envelope: computed once, at the border. */
interface Derived {
  /** JCS of the payload: the signed bytes, as text. */
  readonly signedText: string
  /** JCS of the whole envelope. */
  readonly canonical: string
  readonly digest: Digest
}

const derivedOf = new WeakMap<Envelope, Derived>()

/**
 * The envelope of `kind` in a JSON text of at most 64 KiB, its structure checked, its signature not.
 * Throws the code of the first check that fails, SPEC [DEC-1].
 */
export function decodeEnvelope<K extends Kind>(text: string | Uint8Array, kind: K): Envelope<K> {
  const json = decodeText(text, maxEnvelopeTextBytes)
  const canonical = scanJson(json)
  return checkEnvelope(jsonValue(json), kind, canonical ? json : undefined)
}

/**
 * Steps 4 to 10 of SPEC [DEC-1], for a value of the strict parser. `canonical` is the text it was parsed from, where that
 * is known to be in canonical form.
 */
export function checkEnvelope<K extends Kind>(value: Json, kind: K, canonical?: string): Envelope<K> {
  const { kez, payload, signature } = envelopeShape(value, "envelope")
  assertKind(anyString(kez, "kez"), kind)
  assertContext(payload, kind)
  const checked = {
    kez: kind,
    payload: payloadChecks[kind](payload, "payload"),
    signature: signatureCheck(signature, "signature"),
  }
  derivedOf.set(checked, derive(checked, canonical))
  assertSigner(checked)
  // What was checked cannot change under the digest that is kept for it.
  return freeze(checked)
}

function freeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) if (typeof member === "object" && member !== null) freeze(member)
  return Object.freeze(value)
}

/** The digest of a whole envelope. [ENV-7] */
export function envelopeDigest(envelope: Envelope): Digest {
  return derivedFrom(envelope).digest
}

/** JCS of the whole envelope: its line in a chain document. */
export function formatEnvelope(envelope: Envelope): string {
  return derivedFrom(envelope).canonical
}

/** JCS of the payload: what is signed. [ENV-1] */
export function signedTextOf(envelope: Envelope): string {
  return derivedFrom(envelope).signedText
}

/** An envelope that this library decoded or built; another object is decoded strictly first. */
export function acceptEnvelope<K extends Kind>(envelope: Envelope<K>, kind: K): Envelope<K> {
  if (!derivedOf.has(envelope)) return decodeEnvelope(canonicalize(envelope), kind)
  assertKind(envelope.kez, kind)
  return envelope
}

/** Of an object from elsewhere nothing is derived before it is decoded: its members could hold quotes that move the signature. */
function derivedFrom(envelope: Envelope): Derived {
  const derived = derivedOf.get(acceptEnvelope(envelope, envelope.kez))
  if (derived === undefined) throw new Error("unreachable: an accepted envelope has what is derived from it")
  return derived
}

function derive({ kez, payload, signature: { alg, key, sig } }: Envelope, text?: string): Derived {
  // RFC 8785 member order, written out: the members of the envelope are few and their texts need no escapes.
  const before = `{"kez":"${kez}","payload":`
  const after = `,"signature":{"alg":"${alg}","key":"${key}","sig":"${sig}"}}`
  // A text in canonical form holds that of the payload between the two.
  const signedText = text === undefined ? canonicalize(payload) : text.slice(before.length, -after.length)
  const canonical = text ?? before + signedText + after
  if (isLongerThan(canonical, maxEnvelopeBytes)) {
    throw new KezError(
      "limit.size",
      `Cannot accept the envelope: expected at most ${maxEnvelopeBytes} bytes in canonical form`,
    )
  }
  return { signedText, canonical, digest: digestOf(canonical) }
}

interface EnvelopeShape {
  readonly kez: Json
  readonly payload: Json
  readonly signature: Json
}

const anyValue: Check<Json & object> = (value) => value as Json & object // its own check follows, in the order of [DEC-1]
const envelopeShape = record<EnvelopeShape>({
  kez: required(anyValue),
  payload: required(anyValue),
  signature: required(anyValue),
})

function assertKind(kez: string, expected: Kind): void {
  if (!isKind(kez) || kez !== expected) throw fault("envelope.kind", "kez", expected)
}

function assertContext(payload: Json, kind: Kind): void {
  assertObject(payload, "payload")
  const { type, version } = payload
  if (type === undefined) throw fault("schema.missing_member", "payload", "a member type")
  if (anyString(type, "payload.type") !== payloadTypes[kind])
    throw fault("envelope.kind", "payload.type", payloadTypes[kind])
  if (version === undefined) throw fault("schema.missing_member", "payload", "a member version")
  if (version !== 1) throw fault("envelope.version", "payload.version", "1")
}

/** Rules between payload and signature: [CLAIM-2], [CHAIN-4]. */
function assertSigner(envelope: Envelope): void {
  const { payload, signature } = envelope
  if (payload.type === "kez.claim" && signature.key !== payload.primary) {
    throw fault("signature.key", "signature.key", "the primary of the claim")
  }
  if (payload.type === "kez.sigchain.event" && payload.seq === 0 && signature.key !== payload.primary) {
    throw fault("chain.not_authorised", "signature.key", "the primary, which alone signs event 0")
  }
}

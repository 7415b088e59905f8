/** What an agent signs for whoever asks it: what its key says in KEZ, and nothing that only looks like it. SPEC ENV-1, ENV-4, CHAIN-17 */
import {
  canonicalize,
  decodeEnvelope,
  decodeText,
  isDigest,
  type Json,
  KezError,
  limits,
  type Op,
  type Payloads,
  parseClaimTime,
  parseJson,
  parseKeyIdentity,
  parseTime,
  suites,
} from "@kez/core"

/** The other kinds are signed by devices, or for good: they are no business of a key that is left unlocked. */
const signedKinds = {
  "kez.claim": "claim",
  "kez.sigchain.event": "sigchain_event",
  "kez.sigchain.head": "chain_head",
} as const

/**
 * What gives another key a say, or gives it back, lasts longer than the key is unlocked: its owner signs it with the passphrase. A
 * settlement keeps a branch with the keys that it names, and lifts revocations.
 */
const lastingOps: readonly string[] = ["rotate", "set_next", "add_device", "settle"] satisfies readonly Op[]

/**
 * Whether bytes are the canonical payload of a claim, an event or a head that `key` may sign so at `now` (Unix seconds), or its proof
 * of possession.
 */
export function isSignable(bytes: Uint8Array, key: string, now: number): boolean {
  try {
    const text = decodeText(bytes, limits.maxEnvelopeBytes)
    const value = parseJson(text)
    return canonicalize(value) === text && isStatementOf(key, { value, text, now })
  } catch (error) {
    if (error instanceof KezError) return false
    throw error
  }
}

function isStatementOf(
  key: string,
  { value, text, now }: { readonly value: Json; readonly text: string; readonly now: number },
): boolean {
  if (typeof value !== "object" || value === null || !("type" in value)) return false
  if (value["type"] === "kez.pop") return isPop(key, value["event"], text)
  const kind = Object.entries(signedKinds).find(([type]) => type === value["type"])?.[1]
  if (kind === undefined) return false
  // As a reader of the envelope would: only its signature is not there yet.
  const { alg } = suites[parseKeyIdentity(key).system]
  const signature = JSON.stringify({ alg, key, sig: "0".repeat(128) })
  const { payload } = decodeEnvelope(`{"kez":"${kind}","payload":${text},"signature":${signature}}`, kind)
  if ("op" in payload) return !lastingOps.includes(payload.op)
  return madeAt(payload) <= now + limits.clockSkewSeconds
}

/** Who has a stock of heads signed that begin later speaks for the chain when nobody can ask the agent any more. [HEAD-1] */
function madeAt(payload: Payloads["claim" | "chain_head"]): number {
  return "issued_at" in payload ? parseTime(payload.issued_at) : parseClaimTime(payload.created_at)
}

function isPop(key: string, event: Json | undefined, text: string): boolean {
  if (typeof event !== "string" || !isDigest(event)) return false
  return ["device", "primary"].some((role) => canonicalize({ type: "kez.pop", version: 1, role, key, event }) === text)
}

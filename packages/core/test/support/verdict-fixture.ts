/** What the verdicts of the tests are about: a claim, a chain, and what can happen to both. */
import { encodeReference } from "../../src/encoding/reference.ts"
import { envelopeDigest } from "../../src/envelope/envelope.ts"
import { replayChain } from "../../src/sigchain/replay.ts"
import type { VerifyInput } from "../../src/verify/input.ts"
import { add, addDevice, claimOf, eventAfter, headOf, now, revoke, rotate } from "./chains.ts"
import { keyNamed, sealed } from "./keys.ts"
import { markAt, published, question, store } from "./questions.ts"

export const alice = keyNamed("alice")
export const phone = keyNamed("phone")
export const second = keyNamed("second")
export const mallory = keyNamed("mallory")
export const subject = "github:alice"

export const claim = claimOf(subject, alice)
export const proof = envelopeDigest(claim)
export const older = claimOf(subject, alice, { created: now - 200_000 })
export const e0 = add(undefined, subject, alice, { proof, subject_id: "42" })
export const e1 = addDevice(e0, phone, alice)
export const e2 = revoke(e1, "github:other", alice)
export const chain = envelopeDigest(e0)
export const base = [e0, e1, e2]
export const bare = [add(undefined, subject, alice)]
export const empty = [revoke(undefined, "github:other", alice)]
export const gone = revoke(e2, subject, alice)
export const [left, right] = [add(e2, "github:left", alice), add(e2, "github:right", alice)]
export const lost = add(e2, "github:lost", phone)
export const turned = rotate(e2, second, alice)
export const reference = encodeReference({ chain })
export const found = published(claim)
export const numbered = { ...found, accountId: "42" } as typeof found
export const live = store(base, { heads: [headOf(e2, { chain, by: alice })] })
export const tooNew = claimOf(subject, alice, { created: now + 301 })
export const foreign = sealed("claim", { ...claim.payload, subject: "did:plc:abc" }, alice)
export const mark = markAt(replayChain(base), 2)
export const forged = { ...claim, signature: { ...claim.signature, sig: "0".repeat(128) } }

/** What is asked, and the status, reason and flags that it comes to. */
export type Row = readonly [title: string, expected: string, input: VerifyInput]
export const withChain = (chains: VerifyInput["chains"], more: Partial<VerifyInput> = {}) =>
  question(found, { chains, ...more })

export function gone1() {
  return revoke(e1, subject, alice)
}

export function longer() {
  let event = add(undefined, "github:m", mallory)
  return Array.from({ length: 9 }, () => (event = revoke(event, "github:m", mallory))).concat(
    add(undefined, "github:m", mallory),
  )
}

export function hijack() {
  const start = add(undefined, subject, mallory)
  const payload = { new_primary: alice.key, pop: "0".repeat(128) }
  return [start, eventAfter(start, { op: "rotate", payload, by: mallory })]
}

/** The primary did consent, but a stranger to the chain signed the rotation. */
export function misplaced() {
  const start = add(undefined, subject, mallory)
  return [start, rotate(start, alice, phone)]
}

export function forgedStart() {
  const { kez, payload, signature } = revoke(undefined, subject, alice)
  return { kez, payload, signature: { ...signature, sig: mallory.sign("x") } }
}

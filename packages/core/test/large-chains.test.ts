/** Chains with more valid events than a reader unites: by whom they are found, and what is left out. SPEC [CHAIN-18] */
import assert from "node:assert/strict"
import { test } from "node:test"
import { envelopeDigest, type SigchainEvent } from "../src/envelope/envelope.ts"
import type { ChainSource } from "../src/verify/input.ts"
import { verifyClaim } from "../src/verify/verify.ts"
import { addDevice, claimOf, eventAfter, headOf, rotate } from "./support/chains.ts"
import { keyNamed } from "./support/keys.ts"
import { lineOf, published, question, store } from "./support/questions.ts"

const alice = keyNamed("alice")
const phone = keyNamed("phone")
const second = keyNamed("second")
const subject = "github:alice"
const start = addDevice(undefined, phone, alice)
const manifest = `sha256:${"0".repeat(64)}`
const filesBy = (size: number) => eventAfter(start, { op: "set_shared_files", payload: { manifest, size }, by: phone })
/** With event 0 as many as are united. */
const surplus: readonly SigchainEvent[] = Array.from({ length: 19_999 }, (_, size) => filesBy(size))
const own = eventAfter(start, { op: "revoke", payload: { subject: "github:other" }, by: alice })
const turned = rotate(start, second, alice)
const hint = (events: readonly SigchainEvent[], more: Partial<ChainSource> = {}) =>
  store(events, { name: "hint", kind: "hint", ...more })

function lineFor(chains: readonly ChainSource[], by = alice): string {
  return lineOf(verifyClaim(question(published(claimOf(subject, by)), { chains })))
}

test("CHAIN-18 a chain of 20,000 valid events is united, one more is too many", () => {
  assert.equal(lineFor([store([start, ...surplus])]), "fork chain.fork | stale unlisted")
  assert.equal(lineFor([store([start, ...surplus, own])]), "unreachable limit.chain")
})

test("CHAIN-18 sources that only hints name are left out first: they are silent, and their heads are not used", () => {
  assert.equal(lineFor([store([start, own]), hint(surplus)]), "valid | stale unlisted")
  const unexpected = { kind: "other", expected: false } as const
  const heads = [headOf(own, { chain: envelopeDigest(start), by: alice })]
  assert.equal(lineFor([store([start, own], { heads }), hint(surplus, unexpected)]), "valid | unlisted")
  assert.equal(lineFor([store([start, own]), hint(surplus, { ...unexpected, heads })]), "valid | stale unlisted")
})

test("CHAIN-18 event 0 that is lost with them, and keys that only they make primaries", () => {
  assert.equal(lineFor([hint([start, own, ...surplus])]), "unreachable limit.chain")
  const chains = [store([start, own]), hint([turned, ...surplus])]
  assert.equal(lineFor(chains, second), "invalid claim.not_in_chain | stale")
  assert.equal(lineFor([store([start, own, turned, ...surplus])], second), "unreachable limit.chain")
})

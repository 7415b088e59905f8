/** What a verdict holds besides its status: marks, evidence, times; and which of several candidates speaks. SPEC §6. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { encodeReference } from "../src/encoding/reference.ts"
import { replayChain } from "../src/sigchain/replay.ts"
import { verifyClaim } from "../src/verify/verify.ts"
import { claimOf, headOf, now } from "./support/chains.ts"
import { keyNamed } from "./support/keys.ts"
import { lineOf, markAt, published, question, silent, store } from "./support/questions.ts"
import { refuses } from "./support/throws.ts"
import {
  alice,
  base,
  chain,
  claim,
  e2,
  gone,
  left,
  live,
  lost,
  mark,
  numbered,
  proof,
  subject,
} from "./support/verdict-fixture.ts"

test("VER-10 a mark is the end of the winning path, with every primary", () => {
  const verdict = verifyClaim(question(numbered, { chains: [store(base)] }))
  assert.deepEqual(verdict.mark, markAt(replayChain(base), 2))
  assert.deepEqual(verdict.chain, {
    id: chain,
    head: { seq: 2, digest: verdict.mark?.digest ?? "" },
    liveUntil: undefined,
    liveBy: [],
  })
})

test("VER-10 a mark moves on when its event lost, and when the chain is required to be fresh and is not", () => {
  const old = markAt(replayChain([...base, lost]), 3)
  const verdict = verifyClaim(question(numbered, { chains: [store([...base, lost, left])], marks: [old] }))
  assert.equal(lineOf(verdict), "valid | contested stale")
  assert.equal(verdict.mark?.digest, replayChain([...base, left]).head.digest)
  const stale = verifyClaim(question(numbered, { chains: [store(base)], requireFresh: true }))
  assert.equal(stale.reason, "chain.stale")
  assert.deepEqual(stale.mark, mark)
})

test("VER-10 a revoked claim moves the mark on, so that the revocation cannot be hidden later", () => {
  const verdict = verifyClaim(question(numbered, { chains: [store([...base, gone])] }))
  assert.equal(verdict.status, "revoked")
  assert.equal(verdict.mark?.seq, 3)
  const marks = verdict.mark === undefined ? [] : [verdict.mark]
  const later = verifyClaim(question(numbered, { chains: [store(base)], marks }))
  assert.equal(lineOf(later), "unreachable chain.rollback | rollback stale")
  assert.equal(later.mark, undefined)
})

test("VER-11 the latest live head counts", () => {
  const heads = [headOf(e2, { chain, by: alice, lasts: 3_600 }), headOf(e2, { chain, by: alice, lasts: 7_200 })]
  for (const order of [heads, heads.toReversed()]) {
    const { chain: found } = verifyClaim(question(numbered, { chains: [store(base, { heads: order })] }))
    assert.equal(found?.liveUntil, heads[1]?.payload.expires_at)
  }
})

test("VER-1 a verdict names the account, the claim, the time and where each proof was found", () => {
  const verdict = verifyClaim(question(numbered, { subject: "GitHub:Alice", chains: [live, silent] }))
  assert.equal(verdict.subject, subject)
  assert.equal(verdict.primary, alice.key)
  assert.equal(verdict.claim?.digest, proof)
  assert.equal(verdict.checkedAt, now)
  assert.deepEqual(
    verdict.evidence.map(({ kind, source }) => `${kind} ${source}`),
    ["candidate https://a.example/", `chain ${live.name}`, "chain silent", `head ${live.name}`],
  )
  assert.equal(verdict.evidence.find(({ source }) => source === "silent")?.code, "net.timeout")
})

test("VER-12 the time to wait is handed on", () => {
  const verdict = verifyClaim(
    question({ status: "unreachable", code: "net.status", retryAfterSeconds: 90 }, { subject }),
  )
  assert.equal(verdict.retryAfterSeconds, 90)
  assert.equal(lineOf(verdict), "unreachable net.status")
})

test("VER-3 the best candidate speaks: valid, unreachable, expired, revoked, invalid, fork; others are evidence", () => {
  const phone = keyNamed("phone")
  const texts = {
    valid: JSON.stringify(claimOf(subject, keyNamed("nobody"))),
    unreachable: encodeReference({ chain: `sha256:${"1".repeat(64)}` }),
    expired: JSON.stringify(claimOf(subject, keyNamed("nobody"), { expires: now })),
    revoked: JSON.stringify(claim),
    invalid: JSON.stringify(claimOf("github:other", phone)),
  }
  const chains = [store([...base, gone]), { ...silent, expected: false }]
  const order = Object.entries(texts)
  for (let from = 0; from < order.length; from++) {
    const left = order.slice(from)
    const unsettled = left[0]?.[0] === "unreachable"
    for (const arranged of [left, left.toReversed()]) {
      const publication = published(...arranged.map(([, text]) => text))
      const marks = unsettled ? [{ ...mark, chain: `sha256:${"1".repeat(64)}`, primaries: [] }] : []
      const verdict = verifyClaim(question(publication, { subject, chains, marks }))
      assert.equal(verdict.status, left[0]?.[0], lineOf(verdict))
      assert.equal(verdict.evidence.filter(({ kind }) => kind === "candidate").length, left.length)
    }
  }
})

test("VER-3 the first of equals speaks", () => {
  const [a, b] = [keyNamed("a"), keyNamed("b")].map((key) => claimOf(subject, key))
  if (a === undefined || b === undefined) throw new Error("no claim")
  assert.equal(verifyClaim(question(published(a, b))).primary, a.payload.primary)
  assert.equal(verifyClaim(question(published(b, a))).primary, b.payload.primary)
  assert.equal(verifyClaim(question(published(b, a), { primary: a.payload.primary })).primary, a.payload.primary)
})

test("verifyClaim() throws only on what the asker typed", () => {
  refuses(() => verifyClaim(question(published(claim), { subject: "localhost" })), "identity.syntax")
  assert.equal(verifyClaim(question(published("\ud800"))).reason, "text.utf8")
  assert.equal(verifyClaim(question(published("x".repeat(1_048_577)))).reason, "limit.size")
  assert.equal(verifyClaim(question(published("\ufeff{}"))).reason, "text.bom")
})

/** vectors/verdicts.json: everything that was fetched, and the verdict. SPEC §6. */
import { type Claim, encodeReference, envelopeDigest, formatEnvelope, signClaim } from "@kez/core"
import { ChainBuilder } from "./chain-builder.ts"
import { alice, mallory, nextKey, phone, start } from "./keys.ts"
import type { VectorCase, VectorFile } from "./vector-file.ts"
import { type Answer, caseOf, now, type Source, subject } from "./verdict-case.ts"
import { faults, marks } from "./verdict-marks.ts"
import { heads, sources } from "./verdict-sources.ts"

export async function verdicts(): Promise<VectorFile> {
  const claim = await signClaim({ subject, createdAt: start }, alice)
  const cases = [
    ...(await proofs(claim)),
    ...(await listings(claim)),
    ...(await sources(claim)),
    ...(await heads(claim)),
    ...(await faults(claim)),
    ...(await marks(claim)),
  ]
  return { spec: "§6", about: "The status, the reason and the flags (sorted) of a verdict on dns:example.org.", cases }
}

async function proofs(claim: Claim): Promise<readonly VectorCase[]> {
  const text = formatEnvelope(claim)
  const expiring = formatEnvelope(await signClaim({ subject, createdAt: start, expiresAt: now }, alice))
  const future = formatEnvelope(await signClaim({ subject, createdAt: now + 301 }, alice))
  const skewed = formatEnvelope(await signClaim({ subject, createdAt: now + 300 }, alice))
  const others = formatEnvelope(await signClaim({ subject: "dns:example.com", createdAt: start }, alice))
  const theirs = formatEnvelope(await signClaim({ subject, createdAt: start }, mallory))
  const damaged = text.replace("dns:example.org", "dns:example.orf")
  return [
    caseOf("valid", "a published claim of a primary without a chain", { found: [text] }, ["valid", null, "no_chain"]),
    caseOf("unpublished", "a claim from a file", { found: [text], status: "unchecked" }, [
      "valid",
      null,
      "no_chain",
      "unpublished",
    ]),
    caseOf("absent", "the place answered, and lists nothing", { status: "absent" }, ["invalid", "proof.not_found"]),
    caseOf("unreachable", "the place did not answer", { status: "unreachable", code: "net.timeout" }, [
      "unreachable",
      "net.timeout",
    ]),
    caseOf("refused", "the place answered more than is looked at", { status: "refused", code: "limit.candidates" }, [
      "invalid",
      "limit.candidates",
    ]),
    caseOf("no-proof-in-text", "the place holds text without a proof", { found: ["hello"] }, [
      "invalid",
      "proof.not_found",
    ]),
    caseOf("expired", "now is the time of its expiry", { found: [expiring] }, ["expired", "claim.expired", "no_chain"]),
    caseOf("not-yet-expired", "one second before", { found: [expiring], now: now - 1 }, ["valid", null, "no_chain"]),
    caseOf("future", "made more than 300 s after now", { found: [future] }, ["invalid", "time.future", "no_chain"]),
    caseOf("skew", "made 300 s after now", { found: [skewed] }, ["valid", null, "no_chain"]),
    caseOf("damaged", "one character changed", { found: [damaged] }, ["invalid", "signature.invalid"]),
    caseOf("subject", "signed for another domain", { found: [others] }, ["invalid", "proof.subject_mismatch"]),
    caseOf("primary", "by another primary than expected", { found: [text], primary: mallory.key }, [
      "invalid",
      "proof.primary_mismatch",
    ]),
    caseOf("one-good", "one candidate is damaged, one is right", { found: [damaged, text] }, [
      "valid",
      null,
      "no_chain",
    ]),
    caseOf(
      "expected-among-two",
      "two primaries claim it, one is expected",
      { found: [theirs, text], primary: alice.key },
      ["valid", null, "no_chain"],
    ),
    caseOf("chain-required", "a chain is required, and none is known", { found: [text], requireChain: true }, [
      "unreachable",
      "chain.required",
    ]),
  ]
}

async function listings(claim: Claim): Promise<readonly VectorCase[]> {
  const text = formatEnvelope(claim)
  const proof = envelopeDigest(claim)
  const renewed = formatEnvelope(await signClaim({ subject, createdAt: start + 60 }, alice))
  const c = new ChainBuilder(alice.key)
  await c.addDevice("0", undefined, phone, alice)
  await c.add("add", "0", { signer: phone, op: "add", payload: { subject, subject_id: "id-1", proof } })
  await c.add("bare", "0", { signer: phone, op: "add", payload: { subject } })
  await c.add("revoke", "add", { signer: phone, op: "revoke", payload: { subject } })
  await c.add("again", "revoke", {
    signer: phone,
    op: "add",
    payload: { subject, proof: envelopeDigest(await signClaim({ subject, createdAt: start + 60 }, alice)) },
  })
  await c.add("again-bare", "revoke", { signer: phone, op: "add", payload: { subject } })
  await c.add("again-id", "revoke", { signer: phone, op: "add", payload: { subject, subject_id: "id-1" } })
  await c.rotate("rotate", "add", nextKey, alice)
  const ofNext = formatEnvelope(await signClaim({ subject, createdAt: start }, nextKey))
  await c.rotate("rotate-bare", "bare", nextKey, alice)
  const chain = (...names: string[]): readonly Source[] => [{ events: c.pick(...names) }]
  const reference = encodeReference({ chain: c.digest("0") })
  return [
    caseOf("listed", "the chain names this claim", { found: [text], chains: chain("0", "add") }, [
      "valid",
      null,
      "stale",
    ]),
    caseOf(
      "listed-bare",
      "the chain names the subject without a claim",
      { found: [text], chains: chain("0", "bare") },
      ["valid", null, "stale"],
    ),
    caseOf("unlisted", "the chain does not name the subject", { found: [text], chains: chain("0") }, [
      "valid",
      null,
      "stale",
      "unlisted",
    ]),
    caseOf("unlisted-renewed", "the chain names an older claim", { found: [renewed], chains: chain("0", "add") }, [
      "valid",
      null,
      "stale",
      "unlisted",
    ]),
    caseOf(
      "account",
      "the account's number is the one in the chain",
      { found: [text], accountId: "id-1", chains: chain("0", "add") },
      ["valid", null, "stale"],
    ),
    caseOf(
      "account-changed",
      "another account has the name now",
      { found: [text], accountId: "id-2", chains: chain("0", "add") },
      ["invalid", "account.changed", "stale"],
    ),
    caseOf(
      "unpinned",
      "the chain has no number to compare with",
      { found: [text], accountId: "id-1", chains: chain("0", "bare") },
      ["valid", null, "stale", "unpinned"],
    ),
    ...seenBefore({ text, reference }, chain),
    caseOf("revoked", "the chain revokes the subject", { found: [text], chains: chain("0", "add", "revoke") }, [
      "revoked",
      "claim.revoked",
      "stale",
    ]),
    caseOf(
      "revoked-and-absent",
      "revoked and taken down is revoked",
      { status: "absent", primary: alice.key, chains: chain("0", "add", "revoke") },
      ["revoked", "claim.revoked", "stale"],
    ),
    caseOf(
      "revoked-and-unreachable",
      "a revocation needs no publication",
      { status: "unreachable", code: "net.dns", primary: alice.key, chains: chain("0", "add", "revoke") },
      ["revoked", "claim.revoked", "stale"],
    ),
    caseOf(
      "re-added",
      "added again with this claim",
      { found: [renewed], chains: chain("0", "add", "revoke", "again") },
      ["valid", null, "stale"],
    ),
    caseOf(
      "re-added-old",
      "the old claim stays revoked",
      { found: [text], chains: chain("0", "add", "revoke", "again") },
      ["revoked", "claim.revoked", "stale"],
    ),
    caseOf(
      "re-added-bare",
      "added again without naming a claim: the old claim stays revoked",
      { found: [text], chains: chain("0", "add", "revoke", "again-bare") },
      ["revoked", "claim.revoked", "stale"],
    ),
    caseOf(
      "re-added-account",
      "and the number that was added again is compared, whichever claim it names",
      { found: [text], accountId: "id-2", chains: chain("0", "add", "revoke", "again-id") },
      ["invalid", "account.changed", "stale"],
    ),
    caseOf(
      "re-added-unpinned",
      "or missed, where there is none",
      { found: [text], accountId: "id-1", chains: chain("0", "add", "revoke", "again-bare") },
      ["revoked", "claim.revoked", "stale", "unpinned"],
    ),
    caseOf(
      "primary-rotated",
      "the primary that is expected was rotated to the one that claims",
      { found: [ofNext], primary: alice.key, chains: chain("0", "add", "rotate") },
      ["valid", null, "stale", "unlisted"],
    ),
    caseOf(
      "rotated-listed",
      "a claim of the old primary that the chain names",
      { found: [text], chains: chain("0", "add", "rotate") },
      ["valid", null, "stale"],
    ),
    caseOf(
      "rotated-other",
      "a stolen old key cannot mint old claims",
      { found: [renewed], chains: chain("0", "add", "rotate") },
      ["invalid", "claim.not_in_chain", "stale"],
    ),
    caseOf(
      "rotated-bare",
      "nor claims that the chain does not name by digest",
      { found: [text], chains: chain("0", "bare", "rotate-bare") },
      ["invalid", "claim.not_in_chain", "stale"],
    ),
    caseOf(
      "rotated-bare-unpinned",
      "nor is there a number to compare",
      { found: [text], accountId: "id-1", chains: chain("0", "bare", "rotate-bare") },
      ["invalid", "claim.not_in_chain", "stale", "unpinned"],
    ),
    caseOf(
      "reference",
      "a reference to a chain that adds the subject",
      { found: [reference], chains: chain("0", "add") },
      ["valid", null, "stale"],
    ),
    caseOf("reference-not-added", "a reference to a chain that does not", { found: [reference], chains: chain("0") }, [
      "invalid",
      "claim.not_in_chain",
      "stale",
    ]),
    caseOf("reference-no-chain", "no chain, no proof", { found: [reference] }, ["invalid", "claim.not_in_chain"]),
    caseOf(
      "reference-revoked",
      "a reference to a chain that revokes the subject",
      { found: [reference], chains: chain("0", "add", "revoke") },
      ["revoked", "claim.revoked", "stale"],
    ),
    caseOf(
      "reference-silent",
      "the store that has the chain does not answer",
      { found: [reference], chains: [{ outcome: "failed", code: "net.timeout" }] },
      ["unreachable", "chain.unreachable"],
    ),
  ]
}

/** What the reader remembers of the account, where the chain names no number, or another one. [VER-9] */
function seenBefore(
  { text, reference }: { readonly text: string; readonly reference: string },
  chain: (...names: string[]) => readonly Source[],
): readonly VectorCase[] {
  const seen = { accountId: "id-1", primary: alice.key }
  const taken: Answer = ["invalid", "account.changed", "no_chain"]
  return [
    caseOf("seen-same", "the number is the one seen before", { found: [text], accountId: "id-1", seen }, [
      "valid",
      null,
      "no_chain",
    ]),
    caseOf("seen-other", "another number than before, no chain", { found: [text], accountId: "id-2", seen }, taken),
    caseOf(
      "seen-unpinned",
      "another number than before, and a chain without one",
      { found: [text], accountId: "id-2", seen, chains: chain("0", "bare") },
      ["invalid", "account.changed", "stale", "unpinned"],
    ),
    caseOf(
      "seen-moved",
      "another number than before, and the chain of the same identity names it",
      { found: [text], accountId: "id-1", seen: { ...seen, accountId: "id-0" }, chains: chain("0", "add") },
      ["valid", null, "stale"],
    ),
    caseOf(
      "seen-of-another",
      "the chain names the number now, but another identity was seen before",
      {
        found: [text],
        accountId: "id-1",
        seen: { accountId: "id-0", primary: mallory.key },
        chains: chain("0", "add"),
      },
      ["invalid", "account.changed", "stale"],
    ),
    caseOf(
      "seen-reference",
      "another number than before, and a reference to a chain without one",
      { found: [reference], accountId: "id-2", seen, chains: chain("0", "bare") },
      ["invalid", "account.changed", "stale", "unpinned"],
    ),
    caseOf(
      "seen-revoked",
      "the chain named the number now, and has revoked it since",
      { found: [text], accountId: "id-1", seen: { ...seen, accountId: "id-0" }, chains: chain("0", "add", "revoke") },
      ["invalid", "account.changed", "stale"],
    ),
    caseOf("seen-no-number", "the place gives no number", { found: [text], seen }, ["valid", null, "no_chain"]),
  ]
}

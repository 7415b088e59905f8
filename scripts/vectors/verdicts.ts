/** vectors/verdicts.json: everything that was fetched, and the verdict. SPEC §6. */
import {
  type ChainHead,
  type Claim,
  commitmentTo,
  encodeReference,
  envelopeDigest,
  formatEnvelope,
  formatTime,
  replayChain,
  type SigchainEvent,
  signClaim,
  signHead,
} from "@kez/core"
import { ChainBuilder } from "./chain-builder.ts"
import { alice, mallory, nextKey, phone, start } from "./keys.ts"
import type { VectorCase, VectorFile } from "./vector-file.ts"

const now = start + 86_400
const subject = "dns:example.org"

interface Source {
  readonly kind?: "local" | "store" | "hint" | "other"
  readonly expected?: boolean
  readonly outcome?: "found" | "absent" | "failed"
  readonly events?: readonly SigchainEvent[]
  readonly heads?: readonly ChainHead[]
  readonly code?: string
}

interface Question {
  readonly found?: readonly string[]
  readonly status?: "unchecked" | "absent" | "refused" | "unreachable"
  readonly code?: string
  readonly accountId?: string
  readonly primary?: string
  readonly chains?: readonly Source[]
  readonly marks?: readonly unknown[]
  readonly now?: number
  readonly requireChain?: boolean
  readonly requireFresh?: boolean
}

type Answer = readonly [status: string, reason: string | null, ...flags: readonly string[]]

function caseOf(id: string, why: string, question: Question, answer: Answer): VectorCase {
  const { found = [], status = "found", code, accountId, chains = [], now: at = now, ...rest } = question
  const candidates = found.map((text, i) => ({ text, foundAt: `place ${i}` }))
  const publication = {
    status,
    ...(status === "found" || status === "unchecked" ? { candidates } : {}),
    ...(code === undefined ? {} : { code }),
    ...(accountId === undefined ? {} : { accountId }),
  }
  const sources = chains.map(
    ({ kind = "store", expected = true, outcome = "found", events, heads, code: fault }, i) => ({
      name: `source ${i}`,
      kind,
      expected,
      outcome,
      ...(events === undefined ? {} : { events: events.map(formatEnvelope) }),
      ...(heads === undefined ? {} : { heads: heads.map(formatEnvelope) }),
      ...(fault === undefined ? {} : { code: fault }),
    }),
  )
  const [verdict, reason, ...flags] = answer
  return {
    id,
    why,
    input: { subject, publication, chains: sources, now: at, ...rest },
    expect: { status: verdict, reason, flags: [...flags].sort() },
  }
}

export async function verdicts(): Promise<VectorFile> {
  const claim = await signClaim({ subject, createdAt: start }, alice)
  const cases = [
    ...(await proofs(claim)),
    ...(await listings(claim)),
    ...(await sources(claim)),
    ...(await heads(claim)),
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
  await c.rotate("rotate", "add", nextKey, alice)
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

async function sources(claim: Claim): Promise<readonly VectorCase[]> {
  const text = formatEnvelope(claim)
  const c = new ChainBuilder(alice.key)
  await c.addDevice("0", undefined, phone, alice)
  await c.add("1", "0", { signer: phone, op: "add", payload: { subject } })
  await c.add("2", "1", { signer: phone, op: "revoke", payload: { subject } })
  await c.add("1b", "0", { signer: alice, op: "set_next", payload: { next: commitmentTo(nextKey.key) } })
  await c.add("1c", "0", { signer: alice, op: "add", payload: { subject } })
  await c.add("forged", "1", { signer: mallory, op: "add", payload: { subject } })
  const other = new ChainBuilder(alice.key)
  await other.add("0", undefined, { signer: alice, op: "add", payload: { subject } })
  const mark = { chain: c.digest("0"), seq: 2, digest: c.digest("2"), primaries: [alice.key] }
  const failed: Source = { outcome: "failed", code: "net.timeout" }
  const serves = (...names: string[]): Source => ({ events: c.pick(...names) })
  return [
    caseOf("store-silent", "an expected store did not answer", { found: [text], chains: [failed] }, [
      "unreachable",
      "chain.unreachable",
    ]),
    caseOf(
      "other-silent",
      "a source that is not expected did not answer",
      { found: [text], chains: [{ ...failed, kind: "other", expected: false }] },
      ["valid", null, "no_chain"],
    ),
    caseOf(
      "store-absent",
      "every store answers that it has none",
      { found: [text], chains: [{ outcome: "absent" }, { outcome: "absent" }] },
      ["valid", null, "no_chain"],
    ),
    caseOf(
      "hint-absent",
      "a 404 of a hinted URL is no answer",
      { found: [text], chains: [{ kind: "hint", outcome: "absent" }] },
      ["unreachable", "chain.unreachable"],
    ),
    caseOf(
      "one-silent",
      "one source has the chain, another is silent",
      { found: [text], chains: [serves("0", "1"), failed] },
      ["valid", null, "stale"],
    ),
    caseOf(
      "fresh-required",
      "and freshness is required",
      { found: [text], requireFresh: true, chains: [serves("0", "1"), failed] },
      ["unreachable", "chain.stale", "stale"],
    ),
    caseOf(
      "united",
      "the revocation is known to one source only",
      { found: [text], chains: [serves("0", "1"), serves("0", "1", "2")] },
      ["revoked", "claim.revoked", "stale"],
    ),
    caseOf(
      "refused-document",
      "the only source serves a document that is refused",
      { found: [text], chains: [{ ...serves("0"), code: "event.op" }] },
      ["invalid", "event.op", "stale", "unlisted"],
    ),
    caseOf(
      "refused-nothing",
      "refused before its first event",
      { found: [text], chains: [{ outcome: "found", code: "chain.jsonl" }] },
      ["invalid", "chain.jsonl"],
    ),
    caseOf(
      "refused-unexpected",
      "what is not expected is evidence: many a web server answers every path with a page",
      { found: [text], chains: [{ outcome: "found", code: "chain.jsonl", expected: false }] },
      ["valid", null, "no_chain"],
    ),
    caseOf(
      "refused-but-confirmed",
      "another source has the chain without fault",
      {
        found: [text],
        chains: [
          { ...serves("0"), code: "event.op" },
          { ...serves("0", "1"), kind: "local", expected: false },
        ],
      },
      ["valid", null, "stale"],
    ),
    caseOf(
      "forged-event",
      "the only source adds an event by a stranger",
      { found: [text], chains: [serves("0", "1", "forged")] },
      ["invalid", "chain.not_authorised", "stale"],
    ),
    caseOf(
      "rollback-held",
      "a source serves less than what is held",
      {
        found: [text],
        marks: [mark],
        chains: [{ ...serves("0", "1", "2"), kind: "local", expected: false }, serves("0", "1")],
      },
      ["revoked", "claim.revoked", "rollback", "stale"],
    ),
    caseOf("rollback-mark", "only the mark is held", { found: [text], marks: [mark], chains: [serves("0", "1")] }, [
      "unreachable",
      "chain.rollback",
      "rollback",
      "stale",
    ]),
    caseOf(
      "mark-no-chain",
      "a mark is held, and every store says it has no chain",
      { found: [text], marks: [mark], chains: [{ outcome: "absent" }] },
      ["unreachable", "chain.rollback"],
    ),
    caseOf(
      "mark-contradicted",
      "another event stands where the mark is",
      { found: [text], marks: [{ ...mark, seq: 1, digest: `sha256:${"00".repeat(32)}` }], chains: [serves("0", "1")] },
      ["fork", "chain.fork", "stale"],
    ),
    caseOf(
      "fork",
      "two events of the primary after one",
      { found: [text], chains: [serves("0", "1b"), serves("0", "1c")] },
      ["fork", "chain.fork", "stale", "unlisted"],
    ),
    caseOf(
      "contested",
      "a device against the primary",
      { found: [text], chains: [serves("0", "1"), serves("0", "1c")] },
      ["valid", null, "contested", "stale"],
    ),
    caseOf(
      "two-chains",
      "two chains of one primary",
      { found: [text], chains: [serves("0", "1"), { events: other.pick("0") }] },
      ["fork", "chain.fork"],
    ),
    caseOf(
      "two-chains-pinned",
      "one of them is held since long",
      {
        found: [text],
        marks: [{ ...mark, seq: 0, digest: c.digest("0") }],
        chains: [serves("0", "1"), { events: other.pick("0") }],
      },
      ["valid", null, "stale"],
    ),
  ]
}

async function heads(claim: Claim): Promise<readonly VectorCase[]> {
  const text = formatEnvelope(claim)
  const c = new ChainBuilder(alice.key)
  await c.addDevice("0", undefined, phone, alice)
  await c.add("1", "0", { signer: phone, op: "add", payload: { subject } })
  await c.add("2", "1", { signer: alice, op: "revoke_device", payload: { keys: [phone.key] } })
  await c.add("2b", "1", { signer: phone, op: "add", payload: { subject, subject_id: "x" } })
  const short = replayChain(c.pick("0", "1"))
  const long = replayChain(c.pick("0", "1", "2"))
  const at = { now: start, lifetimeSeconds: 7 * 86_400 }
  const byAlice = await signHead(short, at, alice)
  const beyond = await signHead(long, at, alice)
  const byRevoked = await signHead(long, at, phone)
  const conflict = await signHead(replayChain(c.pick("0", "1", "2b")), at, alice)
  const served = (names: readonly string[], head: ChainHead): readonly Source[] => [
    { events: c.pick(...names), heads: [head] },
  ]
  return [
    caseOf(
      "head-live",
      `a head until ${formatTime(start + at.lifetimeSeconds)}`,
      { found: [text], chains: served(["0", "1"], byAlice) },
      ["valid", null],
    ),
    caseOf(
      "head-expired",
      "after that",
      { found: [text], now: start + at.lifetimeSeconds, chains: served(["0", "1"], byAlice) },
      ["valid", null, "stale"],
    ),
    caseOf(
      "head-future",
      "a head from the future says nothing",
      { found: [text], now: start - 301, chains: served(["0", "1"], byAlice) },
      ["invalid", "time.future", "stale"],
    ),
    caseOf(
      "head-beyond",
      "the head names an event that is not served",
      { found: [text], chains: served(["0", "1"], beyond) },
      ["unreachable", "chain.withheld", "stale"],
    ),
    caseOf(
      "head-revoked",
      "a revoked device cannot vouch for the chain",
      { found: [text], chains: served(["0", "1", "2"], byRevoked) },
      ["valid", null, "stale"],
    ),
    caseOf("head-old", "a head of an earlier event", { found: [text], chains: served(["0", "1", "2"], byAlice) }, [
      "valid",
      null,
      "stale",
    ]),
    caseOf(
      "head-conflict",
      "the head names another event at the end",
      { found: [text], chains: served(["0", "1", "2"], conflict) },
      ["fork", "chain.fork", "stale"],
    ),
  ]
}

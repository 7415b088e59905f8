/** Sources of chains and signed heads: part of vectors/verdicts.json. SPEC §5.8 and §6. */
import { type ChainHead, type Claim, commitmentTo, formatEnvelope, formatTime, replayChain, signHead } from "@kez/core"
import { ChainBuilder } from "./chain-builder.ts"
import { alice, mallory, nextKey, phone, start } from "./keys.ts"
import type { VectorCase } from "./vector-file.ts"
import { caseOf, type Source, subject } from "./verdict-case.ts"

export async function sources(claim: Claim): Promise<readonly VectorCase[]> {
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

export async function heads(claim: Claim): Promise<readonly VectorCase[]> {
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

/** Which chain is meant, what a reader holds of it, and what faults come to: part of vectors/verdicts.json. SPEC §5.5 and §6. */
import {
  type Claim,
  encodeReference,
  envelopeDigest,
  formatEnvelope,
  replayChain,
  type SigchainEvent,
  signClaim,
  signHead,
} from "@kez/core"
import { ChainBuilder } from "./chain-builder.ts"
import { alice, mallory, nextKey, start } from "./keys.ts"
import type { VectorCase } from "./vector-file.ts"
import { caseOf, type Source, subject } from "./verdict-case.ts"
import { chainOfAlice, order, unknown } from "./verdict-order.ts"

const silent: Source = { outcome: "failed", code: "net.timeout" }
/** Faults of sources, where a chain was found and where none was. [VER-2] [VER-7] */
export async function faults(claim: Claim): Promise<readonly VectorCase[]> {
  const text = formatEnvelope(claim)
  const c = await chainOfAlice()
  const serves = (...names: string[]): Source => ({ events: c.pick(...names) })
  const other: Source = { kind: "other", expected: false }
  const live = [await signHead(replayChain(c.pick("0", "1")), { now: start, lifetimeSeconds: 7 * 86_400 }, alice)]
  const [first, second] = [await refusedAfter(c, "gap"), await refusedAfter(c, "stranger")].toSorted((a, b) =>
    envelopeDigest(a) < envelopeDigest(b) ? -1 : 1,
  ) as [SigchainEvent, SigchainEvent]
  const code = first.payload.seq === 2 ? "chain.gap" : "chain.not_authorised"
  const start0 = new ChainBuilder(alice.key)
  const bad = await start0.add("0", undefined, {
    signer: alice,
    op: "add_device",
    payload: { key: alice.key },
    newKey: alice,
  })
  const theirs = new ChainBuilder(mallory.key)
  const foreign = await theirs.add("0", undefined, {
    signer: mallory,
    op: "add_device",
    payload: { key: mallory.key },
    newKey: mallory,
  })
  const reference = encodeReference({ chain: envelopeDigest(bad) })
  return [
    caseOf(
      "refused-confirmed-by-faulty",
      "who serves a fault of its own confirms nothing, expected or not",
      {
        found: [text],
        chains: [
          { ...serves("0"), code: "event.op" },
          { ...serves("0", "1", "forged"), ...other },
        ],
      },
      ["invalid", "event.op", "stale"],
    ),
    caseOf(
      "forged-confirmed",
      "an expected source with a fault is no full answer, also where another confirms the chain and a head is live",
      { found: [text], chains: [serves("0", "1", "forged"), { ...serves("0", "1"), ...other, heads: live }] },
      ["valid", null, "stale"],
    ),
    caseOf(
      "refused-first",
      "of several refused events the first from event 0 on, siblings by digest",
      { found: [text], chains: [{ events: [second, first, ...c.pick("forged", "1", "0")] }] },
      ["invalid", code, "stale"],
    ),
    caseOf(
      "refused-document-first",
      "the document's code comes before those of its events",
      { found: [text], chains: [{ ...serves("0", "1", "forged"), code: "chain.jsonl" }] },
      ["invalid", "chain.jsonl", "stale"],
    ),
    caseOf(
      "start-refused",
      "the only source serves an event 0 of this primary that is not valid",
      { found: [text], chains: [{ events: [bad] }] },
      ["invalid", "chain.key_in_use"],
    ),
    caseOf(
      "start-refused-reference",
      "or the event 0 that a reference names",
      { found: [reference], chains: [{ events: [bad] }] },
      ["invalid", "chain.key_in_use"],
    ),
    caseOf("start-refused-silent", "silence comes first", { found: [text], chains: [{ events: [bad] }, silent] }, [
      "unreachable",
      "chain.unreachable",
    ]),
    caseOf(
      "start-refused-unexpected",
      "of a source that nobody was told to expect it is evidence",
      { found: [text], chains: [{ events: [bad], ...other }] },
      ["valid", null, "no_chain"],
    ),
    caseOf(
      "start-refused-of-another",
      "an event 0 of another primary begins nothing that is looked for",
      { found: [text], chains: [{ events: [foreign] }] },
      ["valid", null, "no_chain"],
    ),
    caseOf(
      "start-refused-beside",
      "nor does it count where the chain is found",
      { found: [text], chains: [{ events: [bad, ...c.pick("0", "1")] }] },
      ["valid", null, "stale"],
    ),
  ]
}

/** An event after event 0 that is not valid there. */
function refusedAfter(c: ChainBuilder, fault: "gap" | "stranger"): Promise<SigchainEvent> {
  return fault === "gap"
    ? c.add("gap", "0", { signer: alice, seq: 2, op: "add", payload: { subject } })
    : c.add("stranger", "0", { signer: mallory, op: "add", payload: { subject } })
}

/** High-water marks: by whom a chain is found, and what is older than one; then what comes first. [VER-10] [CHAIN-19] */
export async function marks(claim: Claim): Promise<readonly VectorCase[]> {
  const text = formatEnvelope(claim)
  const ofNext = formatEnvelope(await signClaim({ subject, createdAt: start }, nextKey))
  const c = await chainOfAlice()
  const second = new ChainBuilder(alice.key)
  await second.add("0", undefined, { signer: alice, op: "add", payload: { subject } })
  const mark = { chain: c.digest("0"), seq: 2, digest: unknown, primaries: [alice.key] }
  const markOf = (name: string) => ({ ...mark, seq: c.get(name).payload.seq, digest: c.digest(name) })
  const other = { chain: second.digest("0"), seq: 0, digest: second.digest("0"), primaries: [alice.key] }
  const serves = (...names: string[]): Source => ({ events: c.pick(...names) })
  const reference = encodeReference({ chain: c.digest("0") })
  const local = (...names: string[]): Source => ({ ...serves(...names), kind: "local", expected: false })
  return [
    caseOf(
      "mark-names-primary",
      "a primary that only the mark names finds the chain: what was not served may list its claim",
      { found: [ofNext], marks: [{ ...mark, primaries: [alice.key, nextKey.key] }], chains: [serves("0", "1")] },
      ["unreachable", "chain.rollback", "rollback", "stale"],
    ),
    caseOf(
      "mark-of-reference",
      "nor is a reference refused for what was not served",
      { found: [reference], marks: [mark], chains: [serves("0")] },
      ["unreachable", "chain.rollback", "rollback", "stale"],
    ),
    caseOf(
      "mark-old-primary",
      "a claim by an earlier primary that nothing served lists is not refused, and proves nothing",
      { found: [text], marks: [{ ...mark, seq: 3 }], chains: [serves("0", "rotate0")] },
      ["unreachable", "chain.rollback", "rollback", "stale"],
    ),
    caseOf(
      "mark-old-primary-whole",
      "it is refused where nothing is missing",
      { found: [text], marks: [markOf("rotate0")], chains: [serves("0", "rotate0")] },
      ["invalid", "claim.not_in_chain", "stale"],
    ),
    caseOf(
      "mark-old-primary-contradicted",
      "a second history is a fork whatever it lists",
      { found: [text], marks: [{ ...mark, seq: 1 }], chains: [serves("0", "rotate0")] },
      ["fork", "chain.fork", "stale"],
    ),
    caseOf(
      "mark-revoked",
      "a revocation that was served stands, whatever is missing",
      { found: [ofNext], marks: [{ ...mark, primaries: [alice.key, nextKey.key] }], chains: [serves("0", "gone")] },
      ["revoked", "claim.revoked", "rollback", "stale"],
    ),
    caseOf(
      "mark-other-account",
      "and so does another number than the one that is listed",
      {
        found: [ofNext],
        accountId: "id-2",
        marks: [{ ...mark, seq: 3, primaries: [alice.key, nextKey.key] }],
        chains: [serves("0", "x", "x2")],
      },
      ["invalid", "account.changed", "rollback", "stale"],
    ),
    caseOf(
      "mark-names-primary-not-served",
      "and where nothing of it was served, no chain is found",
      {
        found: [ofNext],
        marks: [{ ...mark, primaries: [alice.key, nextKey.key] }],
        chains: [{ outcome: "absent" }],
      },
      ["unreachable", "chain.rollback"],
    ),
    caseOf(
      "mark-after-rotation",
      "the mark of the chain counts, whichever primary it was looked up by",
      { found: [ofNext], marks: [{ ...mark, seq: 3 }], chains: [serves("0", "1", "rotate")] },
      ["unreachable", "chain.rollback", "rollback", "stale"],
    ),
    caseOf(
      "mark-contradicted-after-rotation",
      "also where it contradicts what was served",
      { found: [ofNext], marks: [mark], chains: [serves("0", "1", "rotate")] },
      ["fork", "chain.fork", "stale"],
    ),
    caseOf(
      "mark-undecided",
      "a source serves less than the marked event, which is on a branch of a split that nothing decides",
      { found: [text], marks: [markOf("x")], chains: [local("0", "x", "y"), serves("0")] },
      ["fork", "chain.fork", "rollback", "stale", "unlisted"],
    ),
    caseOf(
      "mark-undecided-below",
      "or below such a branch",
      { found: [text], marks: [markOf("2")], chains: [local("0", "1", "2", "x"), serves("0")] },
      ["fork", "chain.fork", "rollback", "stale", "unlisted"],
    ),
    caseOf(
      "mark-lost-before-fork",
      "also where another split after it is undecided",
      { found: [text], marks: [markOf("1")], chains: [local("0", "1", "x", "x1", "x2"), serves("0")] },
      ["fork", "chain.fork", "contested", "stale"],
    ),
    caseOf(
      "mark-lost",
      "the marked event has lost: who serves the beginning of the branch that won serves nothing older",
      { found: [text], marks: [markOf("1")], chains: [local("0", "1", "x", "x1"), serves("0")] },
      ["valid", null, "contested", "stale"],
    ),
    caseOf(
      "mark-local",
      "the reader's own store is what is held, and no source that serves less",
      { found: [text], marks: [markOf("2")], chains: [local("0"), serves("0", "1", "2")] },
      ["valid", null, "stale"],
    ),
    caseOf(
      "mark-part",
      "nor is a source that serves some events without event 0",
      { found: [text], marks: [markOf("2")], chains: [serves("1"), serves("0", "1", "2")] },
      ["valid", null, "stale"],
    ),
    caseOf(
      "marks-of-both",
      "marks of two chains of one primary",
      { found: [text], marks: [mark, other], chains: [serves("0", "1")] },
      ["fork", "chain.fork"],
    ),
    caseOf(
      "marks-of-both-not-served",
      "of which neither was served",
      { found: [text], marks: [mark, other], chains: [{ outcome: "absent" }] },
      ["unreachable", "chain.rollback"],
    ),
    caseOf(
      "mark-of-other",
      "the marked chain is not served, another of the same primary is",
      { found: [text], marks: [other], chains: [serves("0", "1")] },
      ["fork", "chain.fork"],
    ),
    ...(await order(claim)),
  ]
}

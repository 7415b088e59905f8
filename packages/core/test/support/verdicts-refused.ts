/** Verdicts that are invalid or unreachable. SPEC §6. */
import { add, claimOf, headOf, now, revokeDevice, settle } from "./chains.ts"
import { absent, published, question, silent, store } from "./questions.ts"
import {
  alice,
  base,
  chain,
  e0,
  e2,
  foreign,
  forged,
  forgedStart,
  found,
  hijack,
  left,
  live,
  mallory,
  mark,
  misplaced,
  numbered,
  older,
  phone,
  type Row,
  reference,
  second,
  subject,
  tooNew,
  turned,
  withChain,
} from "./verdict-fixture.ts"

export const refused: readonly Row[] = [
  // invalid
  ["a signature that does not verify", "invalid signature.invalid", question(published(JSON.stringify(forged)))],
  ["a text that does not decode", "invalid json.syntax", question(published("{"))],
  ["P4 another subject", "invalid proof.subject_mismatch", question(found, { subject: "github:mallory" })],
  ["a subject of an unsupported system", "invalid proof.subject_mismatch", question(published(foreign), { subject })],
  ["P5 another primary", "invalid proof.primary_mismatch", question(found, { primary: mallory.key })],
  [
    "P5 a reference to a chain of another primary",
    "invalid proof.primary_mismatch | stale",
    question(published(reference), { subject, primary: mallory.key, chains: [store(base)] }),
  ],
  [
    "P3 another account has the name",
    "invalid account.changed | stale",
    question({ ...found, accountId: "43" } as typeof found, { chains: [store(base)] }),
  ],
  [
    "P3 and publishes an old claim that the chain no longer lists",
    "invalid account.changed | stale unlisted",
    question({ ...published(older), accountId: "43" } as typeof found, { chains: [store(base)] }),
  ],
  [
    "an old primary's claim that the chain does not name",
    "invalid claim.not_in_chain | stale",
    question(published(older), { chains: [store([...base, turned])] }),
  ],
  [
    "a primary of one side of a fork, whose other side is settled by the key that this one rotated away",
    "fork chain.fork | stale",
    question(published(claimOf(subject, second)), {
      chains: [store([...base, turned, left, settle(left, [turned], alice)])],
    }),
  ],
  [
    "a reference to a chain without the subject",
    "invalid claim.not_in_chain | stale",
    question(published(reference), { subject: "github:none", chains: [store(base)] }),
  ],
  [
    "a reference to a chain that nobody has",
    "invalid claim.not_in_chain",
    question(published(reference), { subject, chains: [absent] }),
  ],
  ["from the future", "invalid time.future | no_chain", question(published(tooNew))],
  ["the only document is refused", "invalid event.op | stale", withChain([store([e0], { code: "event.op" })])],
  [
    "the only document is refused before its first event",
    "invalid chain.jsonl",
    withChain([store([], { code: "chain.jsonl" })]),
  ],
  [
    "the same, from a source that is not expected",
    "valid | no_chain",
    withChain([store([], { code: "chain.jsonl", expected: false })]),
  ],
  [
    "the only source adds an event by a stranger",
    "invalid chain.not_authorised | stale",
    withChain([store([...base, add(e2, "github:x", mallory)])]),
  ],
  ["refused there, whole elsewhere", "valid | stale", withChain([store([e0], { code: "event.op" }), store(base)])],
  ["nine proofs in one text", "invalid limit.candidates", question(published(`${reference}\n`.repeat(9)))],
  [
    "the place refuses",
    "invalid limit.candidates",
    question({ status: "refused", code: "limit.candidates" }, { subject }),
  ],
  ["no proof there", "invalid proof.not_found", question({ status: "absent" }, { subject })],
  ["no proof in the text", "invalid proof.not_found", question(published("nothing"), { subject })],
  ["no text", "invalid proof.not_found", question(published(), { subject })],
  // unreachable
  [
    "the place is silent",
    "unreachable net.timeout",
    question({ status: "unreachable", code: "net.timeout" }, { subject }),
  ],
  ["no chain, and an expected source is silent", "unreachable chain.unreachable", withChain([silent, absent])],
  ["a hinted URL says 404", "unreachable chain.unreachable", withChain([{ ...absent, kind: "hint" }])],
  [
    "a reference, and an expected source is silent",
    "unreachable chain.unreachable",
    question(published(reference), { subject, chains: [silent] }),
  ],
  [
    "C10 a head names more than was served",
    "unreachable chain.withheld | stale",
    withChain([store(base, { heads: [headOf(left, { chain, by: alice })] })]),
  ],
  [
    "C10 the head has expired",
    "valid | stale",
    withChain([store(base, { heads: [headOf(e2, { chain, by: alice, issued: now - 90_000 })] })]),
  ],
  [
    "C10 a head by a revoked device",
    "valid | stale",
    withChain([store([...base, revokeDevice(e2, [phone], alice)], { heads: [headOf(left, { chain, by: phone })] })]),
  ],
  [
    "C8 only the mark is held",
    "unreachable chain.rollback | rollback stale",
    withChain([store(base.slice(0, 2))], { marks: [mark] }),
  ],
  ["C8 no store has the chain of the mark", "unreachable chain.rollback", withChain([absent], { marks: [mark] })],
  [
    "C8 the same, for a reference",
    "unreachable chain.rollback",
    question(published(reference), { subject, chains: [absent], marks: [mark] }),
  ],
  [
    "C8 the marked event is served without the one before it",
    "unreachable chain.rollback | rollback stale",
    withChain([store([e0, e2])], { marks: [mark] }),
  ],
  ["a chain is required", "unreachable chain.required", withChain([absent], { requireChain: true })],
  [
    "freshness is required, and there is no chain",
    "unreachable chain.required",
    withChain([absent], { requireFresh: true }),
  ],
  [
    "C10 freshness is required, and no head is live",
    "unreachable chain.stale | stale",
    withChain([store(base)], { requireFresh: true }),
  ],
  [
    "freshness is required, and there is a live head",
    "valid",
    question(numbered, { chains: [live], requireFresh: true }),
  ],
  ["an unsupported system, in a file", "unreachable identity.unsupported | no_chain", question(published(foreign))],
  // what nobody signed has no effect
  [
    "chains of others",
    "valid | no_chain",
    withChain([store([add(undefined, subject, mallory), add(undefined, subject, phone)])]),
  ],
  [
    "a chain that claims to rotate to the primary, without its consent",
    "valid | no_chain",
    withChain([store([...hijack()])]),
  ],
  ["a chain to which a stranger adds such a rotation", "valid | no_chain", withChain([store(misplaced())])],
  ["an event 0 that the primary did not sign", "invalid signature.invalid", withChain([store([forgedStart()])])],
]

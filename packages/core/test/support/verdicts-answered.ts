/** Verdicts that are valid, revoked, expired or fork, and every flag. SPEC §6. */
import { replayChain } from "../../src/sigchain/replay.ts"
import { add, claimOf, headOf, now, revoke, settle } from "./chains.ts"
import { absent, markAt, published, question, silent, store } from "./questions.ts"
import {
  alice,
  bare,
  base,
  chain,
  claim,
  e0,
  e1,
  e2,
  empty,
  found,
  gone,
  gone1,
  left,
  live,
  longer,
  lost,
  mark,
  numbered,
  older,
  phone,
  proof,
  type Row,
  reference,
  right,
  second,
  subject,
  turned,
  withChain,
} from "./verdict-fixture.ts"

export const answered: readonly Row[] = [
  // valid and its flags
  ["a live chain lists the claim", "valid", question(numbered, { chains: [live] })],
  ["nobody has a chain", "valid | no_chain", withChain([absent])],
  ["no source was asked", "valid | no_chain", question(found)],
  [
    "the place was not looked at",
    "valid | no_chain unpublished",
    question({ status: "unchecked", candidates: [{ text: JSON.stringify(claim), foundAt: "file" }] }),
  ],
  ["the end has no live head", "valid | stale", withChain([store(base)])],
  ["an expected source is silent", "valid | stale", withChain([live, silent])],
  [
    "a source that is not expected is silent",
    "valid",
    question(numbered, { chains: [live, { ...silent, expected: false }] }),
  ],
  ["a fork that the rules decide", "valid | contested stale", withChain([store([...base, lost, left])])],
  ["the chain does not list the subject", "valid | stale unlisted", withChain([store(empty)])],
  ["the chain lists another claim", "valid | stale unlisted", question(published(older), { chains: [store(base)] })],
  ["the chain lists the subject without claim", "valid | stale", withChain([store(bare)])],
  ["no number in the chain", "valid | stale unpinned", question(numbered, { chains: [store(bare)] })],
  [
    "C8 a source serves less than what is held",
    "valid | rollback stale",
    withChain([store(base.slice(0, 2)), store(base, { kind: "local" })], { marks: [mark] }),
  ],
  [
    "C8 the same, with a longer chain of somebody else beside it",
    "valid | rollback stale",
    withChain([store([e0, e1, ...longer()]), store(base, { kind: "local" })], { marks: [mark] }),
  ],
  ["P11 one of two proofs is garbage", "valid | no_chain", question(published("kez:z1:AAAA", claim))],
  [
    "a reference to a chain that adds the subject",
    "valid | stale",
    question(published(reference), { subject, chains: [store(base)] }),
  ],
  ["an old primary's claim that the chain names", "valid | stale", withChain([store([...base, turned])])],
  ["expired, but 1 s before", "valid | no_chain", question(published(claimOf(subject, alice, { expires: now + 1 })))],
  [
    "created at the edge of the skew",
    "valid | no_chain",
    question(published(claimOf(subject, alice, { created: now + 300 }))),
  ],
  // revoked, expired
  ["P10 revoked", "revoked claim.revoked | stale", withChain([store([...base, gone])])],
  [
    "P10 revoked and taken down",
    "revoked claim.revoked | stale",
    question({ status: "absent" }, { subject, primary: alice.key, chains: [store([...base, gone])] }),
  ],
  [
    "revoked and the place is silent",
    "revoked claim.revoked | stale",
    question(
      { status: "unreachable", code: "net.timeout" },
      { subject, primary: alice.key, chains: [store([...base, gone])] },
    ),
  ],
  [
    "revoked on a losing branch",
    "revoked claim.revoked | contested stale",
    withChain([store([...base, revoke(e2, subject, phone), left])]),
  ],
  [
    "revoked, then added with another claim",
    "revoked claim.revoked | stale",
    question(published(older), { chains: [store([...base, gone, add(gone, subject, alice, { proof })])] }),
  ],
  [
    "revoked, then added with this claim",
    "valid | stale",
    withChain([store([...base, gone, add(gone, subject, alice, { proof })])]),
  ],
  [
    "revoked, and a reference",
    "revoked claim.revoked | stale",
    question(published(reference), { subject, chains: [store([...base, gone])] }),
  ],
  ["P10 expired", "expired claim.expired | no_chain", question(published(claimOf(subject, alice, { expires: now })))],
  [
    "P10 revoked and expired",
    "revoked claim.revoked | stale",
    question(published(claimOf(subject, alice, { expires: now })), { chains: [store([...base, gone])] }),
  ],
  // fork
  ["C7 an undecided split", "fork chain.fork | stale", withChain([store([...base, left, right])])],
  [
    "C7 a settled one",
    "valid | contested stale",
    withChain([store([...base, left, right, settle(left, [right], alice)])]),
  ],
  ["two chains of one primary", "fork chain.fork", withChain([store([...base, ...bare])])],
  ["two chains, one of which is held", "valid | stale", withChain([store([...base, ...bare])], { marks: [mark] })],
  [
    "another chain than the one that is held, which nobody serves",
    "fork chain.fork",
    withChain([store(bare)], { marks: [mark] }),
  ],
  ["two chains are held", "fork chain.fork", withChain([store(base)], { marks: [mark, markAt(replayChain(bare), 0)] })],
  [
    "C9 another event stands at the mark",
    "fork chain.fork | stale",
    withChain([store([e0, e1, gone1()])], { marks: [mark] }),
  ],
  [
    "C9 a head names another event",
    "fork chain.fork | stale",
    withChain([store([e0, e1, gone1()], { heads: [headOf(e2, { chain, by: alice })] })]),
  ],
  [
    "fork and revoked",
    "fork chain.fork | stale",
    withChain([store([...base, revoke(e2, subject, phone), left, right])]),
  ],
  [
    "two chains, one by a rotation on a losing branch",
    "fork chain.fork",
    question(published(claimOf(subject, second)), {
      chains: [store([...base, turned, left, revoke(undefined, subject, second)])],
    }),
  ],
  [
    "a primary of one side of an undecided split",
    "fork chain.fork | stale",
    question(published(claimOf(subject, second)), { chains: [store([...base, turned, left])] }),
  ],
]

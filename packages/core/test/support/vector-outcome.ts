/** Whether an outcome is what a case of vectors/ expects: the same check for this library and for every other. */
import assert from "node:assert/strict"
import type { JudgeCase, Outcome } from "./judge.ts"

/** A case of a file of vectors/. */
export interface VectorCase extends JudgeCase {
  readonly id: string
  readonly why: string
  readonly code?: string
  readonly expect?: unknown
}

interface ReplayState {
  readonly status: string
  readonly contested: boolean
  readonly head: { readonly seq: number; readonly digest: string }
  readonly primary: string
  readonly next: string | null
  readonly devices: readonly { readonly key: string; readonly suspended: boolean }[]
  readonly subjects: Readonly<Record<string, string>>
  readonly refused: Readonly<Record<string, string>>
  readonly ranks: Readonly<Record<string, string>>
}

/** What the line protocol leaves out of a case: what it is called, and what should come out. */
const answers = new Set(["id", "why", "expect", "code", "strict", "claim", "ed25519", "host", "hints"])

export function questionOf(c: VectorCase): JudgeCase {
  return Object.fromEntries(Object.entries(c).filter(([name]) => !answers.has(name)))
}

/** Throws an assertion error unless the outcome is the one that the case expects. */
export function assertOutcome(suite: string, c: VectorCase, outcome: Outcome): void {
  const check = checks[suite]
  if (check !== undefined) check(c, outcome)
  else if (c.code !== undefined) assert.deepEqual(outcome, { code: c.code })
  else assert.deepEqual(outcome, { ok: c.expect })
}

const checks: Readonly<Record<string, (c: VectorCase, outcome: Outcome) => void>> = {
  json: assertAccepted,
  envelopes: assertAccepted,
  times: ({ strict, claim }, outcome) =>
    assert.deepEqual(outcome, { strict: answerOf(strict), claim: answerOf(claim) }),
  "sigchain-link": ({ expect }, outcome) =>
    assert.deepEqual(outcome, expect === "ok" ? { ok: "ok" } : { code: expect }),
  encodings: assertEncoding,
  "sigchain-replay": assertReplay,
  "sigchain-forks": (c, outcome) => assertForks(c.expect as ReplayState & ForkLists, outcome),
  verdicts: ({ expect }, outcome) => assert.deepEqual(outcome, expect),
  mnemonics: ({ expect, ed25519, code }, outcome) => {
    if (code !== undefined) assert.deepEqual(outcome, { code })
    const { secret, ed25519: key } = (outcome["ok"] ?? {}) as { secret?: string; ed25519?: string }
    assert.equal(secret, expect)
    if (ed25519 !== undefined) assert.equal(key, ed25519)
  },
}

/** Whatever came out of it, it was accepted. */
function assertAccepted({ code }: VectorCase, outcome: Outcome): void {
  if (code === undefined) assert.ok("ok" in outcome, JSON.stringify(outcome))
  else assert.deepEqual(outcome, { code })
}

function answerOf(expected: unknown): Outcome {
  return typeof expected === "string" ? { code: expected } : { ok: expected }
}

interface ProofOutcome {
  readonly claim?: string
  readonly reference?: string
  readonly host?: string | null
}

function assertEncoding({ code, expect, host, hints }: VectorCase, outcome: Outcome): void {
  const { ok, ...refused } = outcome["proof"] as { readonly ok?: ProofOutcome; readonly code?: string }
  if (code !== undefined) assert.deepEqual(refused, { code })
  if (expect !== undefined) assert.equal(ok?.claim ?? ok?.reference, expect)
  if (host !== undefined) assert.equal(ok?.host, host)
  if (hints !== undefined) assert.deepEqual(outcome["hints"], hints)
}

/** With a code the last event is refused with it; null stands for no chain at all. */
function assertReplay({ expect, code }: VectorCase, outcome: Outcome): void {
  if (expect === null) {
    assert.deepEqual(outcome, { code: "chain.genesis" })
    return
  }
  const { head, primary, next, devices, subjects, refused } = outcome["ok"] as ReplayState
  assert.deepEqual({ head: head.seq, primary, next, devices: devices.map(({ key }) => key), subjects }, expect)
  assert.deepEqual(Object.values(refused), code === undefined ? [] : [code])
}

interface ForkLists {
  readonly suspended: readonly string[]
  readonly revoked: readonly string[]
}

function assertForks(expected: ReplayState & ForkLists, outcome: Outcome): void {
  const { status, contested, head, devices, subjects, ranks } = outcome["ok"] as ReplayState
  const revoked = Object.keys(subjects).filter((subject) => subjects[subject] === "revoked")
  assert.deepEqual(
    {
      status: status === "valid" ? "ok" : status,
      contested,
      head: head.digest,
      devices: devices.map(({ key }) => key),
      suspended: devices.filter(({ suspended }) => suspended).map(({ key }) => key),
      revoked: revoked.toSorted(),
      ranks: Object.fromEntries(Object.keys(expected.ranks).map((digest) => [digest, ranks[digest] ?? "none"])),
    },
    { ...expected, revoked: expected.revoked.toSorted() },
  )
}

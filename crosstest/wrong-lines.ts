/**
 * `wrong-lines.ts RULE`: a process that answers lines with one rule of SPEC changed. The differential run is tested with it: it has to
 * find each of these, and shrink it.
 */
import { type JudgeCase, judges, type Outcome } from "../packages/core/test/support/judge.ts"
import { answerLines, type Judges } from "./answer.ts"

type Judge = (c: JudgeCase) => Outcome

/** What each rule makes of a suite's right judge. */
const wrong: Readonly<Record<string, Readonly<Record<string, (right: Judge) => Judge>>>> = {
  // TIME-1 with a leap second.
  "time-1": {
    times: (right) => (c) => {
      const text = String(c["text"])
      if (!/^2026-\d\d-\d\dT23:59:60Z$/.test(text)) return right(c)
      return { ...right(c), strict: right({ text })["claim"] }
    },
  },
  // ID-3 by the language's own lower case.
  "id-3": { identities: (right) => (c) => right({ text: String(c["text"]).replaceAll("\u212a", "k") }) },
  // SIG-2 without its first line.
  "sig-2": { envelopes: (right) => (c) => renamed(right(c), "key.weak", "key.encoding") },
  // FORK-7 forgotten.
  "fork-7": { "sigchain-forks": (right) => (c) => unsuspended(right(c)) },
  // CHAIN-11 in the other order: a difference in a code only.
  "chain-11": { "sigchain-replay": (right) => (c) => renamed(right(c), "chain.key_reuse", "chain.key_in_use") },
  // ENC-2 without the order of two checks.
  "enc-2": { encodings: (right) => (c) => renamed(right(c), "zstd.trailing", "zstd.frame") },
  // VER-11 forgotten.
  "ver-11": {
    verdicts: (right) => (c) => {
      const outcome = right(c)
      const flags = outcome["flags"]
      return Array.isArray(flags) ? { ...outcome, flags: flags.filter((flag) => flag !== "stale") } : outcome
    },
  },
  // A defect instead of a refusal.
  crash: {
    json: (right) => (c) => {
      if (String(c["text"]).includes("\\ud83d")) throw new RangeError("index out of range")
      return right(c)
    },
  },
  // A defect that ends the process.
  exit: {
    identities: (right) => (c) => (String(c["text"]).startsWith("nostr:NPUB") ? process.exit(134) : right(c)),
  },
}

function renamed(outcome: Outcome, from: string, to: string): Outcome {
  return JSON.parse(JSON.stringify(outcome).replaceAll(`"${from}"`, `"${to}"`))
}

function unsuspended(outcome: Outcome): Outcome {
  return JSON.parse(JSON.stringify(outcome).replaceAll('"suspended":true', '"suspended":false'))
}

export const rules: readonly string[] = Object.keys(wrong)

const rule = process.argv[2]
if (rule !== undefined && rule in wrong) answerLines(changed(rule))

function changed(name: string): Judges {
  const changes = Object.entries(wrong[name] ?? {}).map(([suite, change]) => {
    const right = judges[suite]
    if (right === undefined) throw new Error(`no suite ${suite}`)
    return [suite, change(right)] as const
  })
  return { ...judges, ...Object.fromEntries(changes) }
}

/** All suites with their weights: the case of a number under a seed. */
import type { Question } from "../peer.ts"
import { type Dice, diceFor, weighted } from "./dice.ts"
import { documentCase } from "./suites/documents.ts"
import { encodingCase } from "./suites/encodings.ts"
import { envelopeCase } from "./suites/envelopes.ts"
import { replayCase } from "./suites/replays.ts"
import { ed25519Case, schnorrCase } from "./suites/signatures.ts"
import { canonicalCase, identityCase, jsonCase, linkCase, timeCase, wordsCase } from "./suites/values.ts"
import { verdictCase } from "./suites/verdicts.ts"

interface Suite {
  readonly suite: string
  readonly make: (dice: Dice) => Question["case"]
}

const weights: readonly (readonly [number, Suite])[] = [
  [90, { suite: "identities", make: identityCase }],
  [110, { suite: "json", make: jsonCase }],
  [60, { suite: "canonical-json", make: canonicalCase }],
  [80, { suite: "times", make: timeCase }],
  [40, { suite: "ed25519", make: ed25519Case }],
  [12, { suite: "schnorr", make: schnorrCase }],
  [180, { suite: "envelopes", make: envelopeCase }],
  [140, { suite: "encodings", make: encodingCase }],
  [80, { suite: "chain-documents", make: documentCase }],
  [5, { suite: "sigchain-link", make: linkCase }],
  [50, { suite: "sigchain-replay", make: replayCase }],
  [60, { suite: "sigchain-forks", make: replayCase }],
  [80, { suite: "verdicts", make: verdictCase }],
  [15, { suite: "mnemonics", make: wordsCase }],
]

const suiteOf = weighted(weights)

export function caseOf(seed: number, number: number): Question {
  const dice = diceFor(seed, number)
  const { suite, make } = suiteOf(dice)
  return { suite, case: asked(make(dice)) }
}

/** In the lists of a case texts stand as texts only. */
function asked(made: Question["case"]): Question["case"] {
  const { events } = made
  return Array.isArray(events) ? { ...made, events: events.map((text) => String(text).toWellFormed()) } : made
}

export const suiteNames: readonly string[] = weights.map(([, { suite }]) => suite)

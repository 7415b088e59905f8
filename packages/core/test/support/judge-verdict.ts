/** Judge of `verdicts`: everything that was fetched, and the time, to one verdict. crosstest/PROTOCOL.md. */
import {
  type ChainHead,
  decodeEnvelope,
  KezError,
  type SigchainEvent,
  type VerifyInput,
  verifyClaim,
} from "../../src/index.ts"
import type { JudgeCase, Outcome } from "./judge.ts"

/** The input of a verdict with its envelopes as texts. */
interface TextInput extends Omit<VerifyInput, "chains"> {
  readonly chains: readonly (Omit<VerifyInput["chains"][number], "events" | "heads"> & {
    readonly events?: readonly string[]
    readonly heads?: readonly string[]
  })[]
}

/** The place of an event or a head that is refused before anything is judged. */
type Place = readonly [source: number, list: "events" | "heads", place: number]

export function verdictOutcome({ input }: JudgeCase): Outcome {
  // The line protocol fixes the form of the input; what is hostile in it are the texts.
  const { chains, ...rest } = input as TextInput
  let place: Place | undefined
  try {
    const decoded = chains.map(({ events = [], heads = [], ...source }, i) => ({
      ...source,
      events: events.map((text, at): SigchainEvent => {
        place = [i, "events", at]
        return decodeEnvelope(text, "sigchain_event")
      }),
      heads: heads.map((text, at): ChainHead => {
        place = [i, "heads", at]
        return decodeEnvelope(text, "chain_head")
      }),
    }))
    place = undefined
    const { status, reason, flags } = verifyClaim({ ...rest, chains: decoded })
    return { status, reason: reason ?? null, flags: flags.toSorted() }
  } catch (error) {
    if (error instanceof KezError) return { code: error.code, ...(place === undefined ? {} : { at: place }) }
    throw error
  }
}

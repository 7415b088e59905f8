/** Judges of `sigchain-replay` and `sigchain-forks`: a set of events, and all that follows from it. crosstest/PROTOCOL.md. */
import { type ChainReplay, decodeEnvelope, KezError, replayChain, type SigchainEvent } from "../../src/index.ts"
import type { JudgeCase, Outcome } from "./judge.ts"

export function replayOutcome({ events }: JudgeCase): Outcome {
  if (!Array.isArray(events)) throw new Error("expected a list of events")
  const decoded: SigchainEvent[] = []
  for (const [at, text] of events.entries()) {
    try {
      decoded.push(decodeEnvelope(String(text), "sigchain_event"))
    } catch (error) {
      if (error instanceof KezError) return { code: error.code, at }
      throw error
    }
  }
  try {
    return { ok: stateOf(replayChain(decoded)) }
  } catch (error) {
    if (error instanceof KezError) return { code: error.code }
    throw error
  }
}

function stateOf({ status, contested, head, state, splits, refused }: ChainReplay) {
  return {
    status: status === "ok" ? "valid" : "fork",
    contested,
    head: { seq: head.seq, digest: head.digest },
    primary: state.primary,
    next: state.next ?? null,
    devices: state.devices.map(({ key, suspended }) => ({ key, suspended })),
    subjects: Object.fromEntries([...state.subjects.values()].map((entry) => [entry.subject, entry.status])),
    files: state.sharedFiles?.manifest ?? null,
    refused: Object.fromEntries(refused.map(({ digest, code }) => [digest, code])),
    ranks: Object.fromEntries(
      splits.flatMap(({ successors }) => successors.map(({ digest, rank }) => [digest, rank] as const)),
    ),
  }
}

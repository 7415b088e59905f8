/** What a replay says, as plain data: for comparing results that must be equal. */
import type { SigchainEvent } from "../../src/envelope/envelope.ts"
import { envelopeDigest } from "../../src/envelope/envelope.ts"
import { replayChain } from "../../src/sigchain/replay.ts"
import type { ChainReplay } from "../../src/sigchain/result.ts"
import { codeOf } from "./throws.ts"

export function view(replay: ChainReplay) {
  const { chain, status, contested, head, digests, state, splits, refused, everyPrimary } = replay
  // By name: members that are worked out when asked for are not copied.
  const { primary, primaries, next, devices, sharedFiles, subjects } = state
  return {
    ...{ chain, status, contested, head, digests, splits },
    state: { primary, primaries, next, devices, sharedFiles, subjects: [...subjects.values()] },
    refused: [...refused].sort((a, b) => (a.digest < b.digest ? -1 : 1)),
    everyPrimary: [...everyPrimary].sort(),
  }
}

/** The view of a replay, or the code by which it is refused. */
export function viewOf(events: readonly SigchainEvent[], chain?: string) {
  let replay: ChainReplay | undefined
  const code = codeOf(() => {
    replay = replayChain(events, chain === undefined ? {} : { chain })
  })
  return replay === undefined ? { code } : view(replay)
}

/** The code by which an event is refused where it stands; undefined when it is valid. */
export function refusalOf(replay: ChainReplay, event: SigchainEvent): string | undefined {
  return replay.refused.find(({ digest }) => digest === envelopeDigest(event))?.code
}

export function devicesOf({ state }: ChainReplay): readonly string[] {
  return state.devices.map(({ key, suspended }) => (suspended ? `suspended ${key}` : key))
}

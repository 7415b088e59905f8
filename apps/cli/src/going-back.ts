/**
 * The way back of an owner whose committed key somebody has burned, or made a device: whoever holds the primary can revoke it, and so can
 * each device, and CHAIN-14 lets no such key follow. A rotation that stands before that has the rank of recovery, and wins over all that
 * came after. SPEC FORK-1, FORK-2
 */
import { type ChainReplay, commitmentTo, lastPlaceOf, replayChain, type SigchainEvent } from "@kez/core"
import { nameOfKey } from "./chain-refusal.ts"
import type { Context } from "./context.ts"
import type { Repeating } from "./revocations.ts"
import { count } from "./short-text.ts"

/** Events that are named one by one. */
const maxTold = 20

export interface GoingBack {
  /** The chain up to the last event after which the key could follow. */
  readonly onto: ChainReplay
  /** What came after that, and loses. */
  readonly leftBehind: readonly [SigchainEvent, ...SigchainEvent[]]
}

/** Undefined where `key` can follow at the end, or was never committed to; also in an undecided fork, which has to be settled first. */
export function goingBack(chain: ChainReplay, key: string): GoingBack | undefined {
  if (chain.status === "fork" || chain.state.next !== commitmentTo(key)) return undefined
  const place = lastPlaceOf(chain, key)
  if (place === undefined) return undefined
  const [first, ...others] = chain.path.slice(place + 1)
  if (first === undefined) return undefined
  const onto = replayChain(chain.path.slice(0, place + 1), { chain: chain.chain })
  return { onto, leftBehind: [first, ...others] }
}

/** Such as `3 events (2 add, 1 revoke_device)`. */
export function formatLeftBehind({ leftBehind }: GoingBack): string {
  const counts = new Map<string, number>()
  for (const { payload } of leftBehind) counts.set(payload.op, (counts.get(payload.op) ?? 0) + 1)
  const kinds = [...counts].map(([op, number]) => `${number} ${op}`)
  return `${count(leftBehind.length, "event")} (${kinds.join(", ")})`
}

/** Which revocations are signed again after it, and which are not, with who signed them. */
export function formatRepeating(context: Context, { again, leftOut }: Repeating): readonly string[] {
  const list = (events: readonly SigchainEvent[]): string => {
    const told = events.slice(0, maxTold).map(({ payload: { seq, op }, signature }) => {
      return `event ${seq} (${op}, signed by ${nameOfKey(context, signature.key)})`
    })
    return [...told, ...(events.length > maxTold ? [`${events.length - maxTold} more`] : [])].join(", ")
  }
  return [
    ...(again.length === 0 ? [] : [`Signed again: ${list(again)}`]),
    ...(leftOut.length === 0
      ? []
      : [`Not signed again, for their signer is revoked by one that is, or with its device: ${list(leftOut)}`]),
  ]
}

export function whyGoingBack({ onto, leftBehind: [first] }: GoingBack): string {
  const did = first.payload.op === "add_device" ? "made a device of" : "revoked"
  return `event ${first.payload.seq} ${did} the key that you committed to: the rotation follows event ${onto.head.seq} instead`
}

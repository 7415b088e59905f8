/** Cases of sets of events: whole chains, and what a hostile source makes of them. SPEC §5.4 to §5.7. */
import type { JudgeCase } from "../../../packages/core/test/support/judge.ts"
import { append, type Made, randomEvent } from "../chain-maker.ts"
import type { Dice } from "../dice.ts"
import { deviceNumbered, owner } from "../keys.ts"
import { baseChain, chainOfDevices, chainOfSubjects } from "../pools.ts"
import { damagedEnvelope, resigned } from "../seal.ts"
import { memberOf, treeOf, withMember, write } from "../tree.ts"
import { seedsOf } from "../vector-seeds.ts"

export function replayCase(dice: Dice): JudgeCase {
  if (dice.below(500) === 0) return overTheLimit(dice)
  if (dice.chance(10)) return { events: changedSet(dice, seedEvents(dice)) }
  return {
    events: changedSet(
      dice,
      grown(dice).map(({ text }) => text),
    ),
  }
}

/** A chain of the pool with up to three events more: the new ones after its end, or forks grafted onto it. */
export function grown(dice: Dice): readonly Made[] {
  const events = [...baseChain(dice)]
  for (let more = dice.below(4); more > 0; more--) events.push(randomEvent(dice, events))
  return events
}

function seedEvents(dice: Dice): readonly string[] {
  const { events } = dice.pick(seedsOf(dice.pick(["sigchain-replay", "sigchain-forks"])))
  return Array.isArray(events) ? events.map(String) : []
}

/** Dropped, repeated, reordered, crossed among chains, with signatures swapped, with one changed and signed again. */
export function changedSet(dice: Dice, events: readonly string[]): readonly string[] {
  if (events.length === 0) return events
  const at = dice.below(events.length)
  const event = events[at] ?? ""
  switch (dice.below(12)) {
    case 0:
      return events.toSpliced(at, 1)
    case 1:
      return dice.some(events, 80)
    case 2:
      return [...events, event, dice.pick(baseChain(dice)).text]
    case 3:
      return [...events, ...baseChain(dice).map(({ text }) => text)].slice(0, 24)
    case 4:
      return events.with(at, withSignatureOf(event, dice.pick(events)))
    case 5:
      return events.with(at, relinked(dice, event, events))
    case 6:
      return events.with(at, damagedEnvelope(dice, event))
    case 7:
      return [...events, relinked(dice, event, events)]
    default:
      return dice.chance(50) ? events : dice.shuffled(events)
  }
}

function withSignatureOf(event: string, other: string): string {
  const signature = memberOf(treeOf(JSON.parse(other)), "signature")
  return signature === undefined ? event : write(withMember(treeOf(JSON.parse(event)), "signature", signature))
}

/** The event moved after another one, and signed again there. */
function relinked(dice: Dice, event: string, events: readonly string[]): string {
  const { payload } = JSON.parse(event)
  const prev: unknown = JSON.parse(dice.pick(events)).payload?.prev
  if (typeof payload !== "object" || payload === null || typeof prev !== "string") return event
  const seq = Number(payload.seq) + dice.pick([0, 0, 0, 1, -1])
  const tree = withMember(treeOf(JSON.parse(event)), "payload", treeOf({ ...payload, seq, prev }))
  return resigned(tree)
}

/** One device, or one subject, more than there may be: or less. */
function overTheLimit(dice: Dice): JudgeCase {
  const devices = dice.chance(60)
  const chain = devices ? chainOfDevices() : chainOfSubjects()
  const left = chain.slice(0, chain.length - dice.below(3))
  const step = devices
    ? ({ op: "add_device", payload: { key: deviceNumbered(100 + dice.below(9)).key } } as const)
    : ({ op: "add", payload: { subject: `github:t${dice.below(9)}` } } as const)
  return { events: [...left, append(left.at(-1), { ...step, by: owner })].map(({ text }) => text) }
}

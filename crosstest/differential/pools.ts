/** Chains that are made once a run: to make one costs more than to judge it. What a seed decides is what is done to them. */
import { append, type Made, randomChain } from "./chain-maker.ts"
import { type Dice, diceFor } from "./dice.ts"
import { deviceNumbered, owner } from "./keys.ts"

const count = 400
const made = new Map<number, readonly Made[]>()

/** One of the chains, the same under every seed. */
export function baseChain(dice: Dice): readonly Made[] {
  const number = dice.below(count)
  const known = made.get(number)
  if (known !== undefined) return known
  const own = diceFor(0x6b657a, number)
  const chain = randomChain(own, 2 + own.below(own.pick([4, 8, 14])))
  made.set(number, chain)
  return chain
}

let manyDevices: readonly Made[] | undefined
let manySubjects: readonly Made[] | undefined

/** 32 active devices. [CHAIN-11] */
export function chainOfDevices(): readonly Made[] {
  manyDevices ??= grown(33, (i) => ({ op: "add_device", payload: { key: deviceNumbered(i).key } }))
  return manyDevices
}

/** 256 active subjects. [CHAIN-10] */
export function chainOfSubjects(): readonly Made[] {
  manySubjects ??= grown(257, (i) => ({ op: "add", payload: { subject: `github:s${i}` } }))
  return manySubjects
}

function grown(length: number, step: (i: number) => { readonly op: "add" | "add_device"; readonly payload: object }) {
  const events: Made[] = []
  for (let i = 0; i < length; i++) events.push(append(events.at(-1), { ...step(i), by: owner }))
  return events
}

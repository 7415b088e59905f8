/** Chance from a seed: the same seed and number give the same case, whatever came before it. */
import { type Random, randomFrom } from "../../packages/core/test/support/random.ts"

export interface Dice {
  /** A whole number from 0 to before `count`. */
  readonly below: Random
  /** True so often in a hundred. */
  chance(percent: number): boolean
  pick<T>(list: readonly T[]): T
  /** Some of the list, in its order: each with this chance. */
  some<T>(list: readonly T[], percent: number): T[]
  shuffled<T>(list: readonly T[]): T[]
}

/** The dice of case `number` under a seed, both up to 2^32. */
export function diceFor(seed: number, number: number): Dice {
  return diceOf(randomFrom(mixed(mixed(seed) ^ number)))
}

export function diceOf(below: Random): Dice {
  const pick = <T>(list: readonly T[]): T => {
    if (list.length === 0) throw new Error("nothing to pick from")
    return list[below(list.length)] as T // below() stays in the list
  }
  return {
    below,
    pick,
    chance: (percent) => below(100) < percent,
    some: (list, percent) => list.filter(() => below(100) < percent),
    shuffled(list) {
      const rest = [...list]
      return list.flatMap(() => rest.splice(below(rest.length), 1))
    },
  }
}

/** A choice with weights, as a function of the dice: `[[3, a], [1, b]]` takes `a` three times in four. */
export function weighted<T>(choices: readonly (readonly [weight: number, value: T])[]): (dice: Dice) => T {
  const total = choices.reduce((sum, [weight]) => sum + weight, 0)
  return (dice) => {
    let at = dice.below(total)
    for (const [weight, value] of choices) {
      if (at < weight) return value
      at -= weight
    }
    throw new Error("unreachable: the weights add up")
  }
}

/** The finaliser of MurmurHash3, public domain: neighbouring numbers become far ones. */
function mixed(number: number): number {
  let h = (number + 0x9e3779b9) >>> 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** Chance that can be had again: the same seed gives the same choices. How long the machine takes for them is its own affair. */
import { createHash, randomBytes } from "node:crypto"

export interface Random {
  /** A whole number from 0 to below `count`. */
  below(count: number): number
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number
  /** True once in so many times. */
  oneIn(times: number): boolean
  /** Chance of its own, which the order of other choices does not change. */
  fork(name: string | number): Random
}

export function newSeed(): string {
  return randomBytes(6).toString("hex")
}

export function createRandom(seed: string): Random {
  // mulberry32
  let state = createHash("sha256").update(seed).digest().readUInt32LE(0)
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (count: number): number => Math.floor(next() * count)
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    oneIn: (times) => below(times) === 0,
    fork: (name) => createRandom(`${seed}/${name}`),
  }
}

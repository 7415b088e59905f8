/** Every case of vectors/ as a seed, by suite: cases that somebody found worth writing down. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { JudgeCase } from "../../packages/core/test/support/judge.ts"
import { questionOf, type VectorCase } from "../../packages/core/test/support/vector-outcome.ts"
import { ROOT } from "../implementations.ts"

/** Above this a seed is asked once as it is, by its scenario; damaged copies of it would only be slow. */
const maxSeedChars = 60_000

const read = new Map<string, readonly JudgeCase[]>()

/** The files of vectors/: each is a suite of the line protocol. */
export function vectorFiles(): readonly string[] {
  return readdirSync(join(ROOT, "vectors")).toSorted()
}

export function readVectors(suite: string): readonly VectorCase[] {
  return JSON.parse(readFileSync(join(ROOT, "vectors", `${suite}.json`), "utf8")).cases
}

export function seedsOf(suite: string): readonly JudgeCase[] {
  const known = read.get(suite)
  if (known !== undefined) return known
  const seeds = readVectors(suite)
    .map(questionOf)
    .filter((seed) => JSON.stringify(seed).length <= maxSeedChars)
  if (seeds.length === 0) throw new Error(`no vectors of ${suite}`)
  read.set(suite, seeds)
  return seeds
}

/** A member of a seed that is a text. */
export function textOfSeed(seed: JudgeCase, member: string): string {
  const text = seed[member]
  if (typeof text === "string") return text
  const hex = seed["hex"]
  return typeof hex === "string" ? Buffer.from(hex, "hex").toString() : ""
}

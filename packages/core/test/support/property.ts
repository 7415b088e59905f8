/** Runs a property; on failure fast-check prints the seed and the path that repeat it. */
import fc from "fast-check"

export const seed = 20_260_101

/** `runs` cases from the seed, the same in every run. */
export function holds<T extends [unknown, ...unknown[]]>(property: fc.IProperty<T>, runs: number): void {
  fc.assert(property, { seed, numRuns: runs })
}

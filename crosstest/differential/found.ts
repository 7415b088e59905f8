/** Differences as files in the form of vectors/: what is missing is who was right. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Difference } from "./compare.ts"

export interface Place {
  readonly folder: string
  readonly seed: number
  readonly number: number
}

/** Writes the difference, and returns the path of its file. */
export function keep({ question, outcomes }: Difference, { folder, seed, number }: Place): string {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${question.suite}-${seed}-${number}.json`)
  const id = `found-${seed}-${number}`
  const file = {
    suite: question.suite,
    about: "A difference between two implementations. Who is right, SPEC says: then this is a case of vectors/.",
    cases: [{ id, why: "found by the differential run, and shrunk", ...question.case, outcomes }],
  }
  writeFileSync(path, `${JSON.stringify(file, null, 1)}\n`)
  return path
}

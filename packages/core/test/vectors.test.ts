/** Every case of vectors/, run against this implementation. */
import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { test } from "node:test"
import { type JudgeCase, judges } from "./support/judge.ts"
import { assertOutcome, questionOf, type VectorCase } from "./support/vector-outcome.ts"

const folder = join(import.meta.dirname, "..", "..", "..", "vectors")

/** Forms of a case that must all come out the same. */
const forms: Readonly<Record<string, (c: VectorCase) => readonly JudgeCase[]>> = {
  "canonical-json": (c) => [questionOf(c), { value: JSON.parse(String(c.expect)) }],
  "sigchain-forks": (c) => ordersOf(c).map((events) => ({ events })),
}

function ordersOf(c: VectorCase): readonly (readonly unknown[])[] {
  const events: readonly unknown[] = Array.isArray(c["events"]) ? c["events"] : []
  return [events, events.toReversed(), rotated(events, 2), rotated(events.toReversed(), 1)]
}

function rotated<T>(list: readonly T[], by: number): readonly T[] {
  return [...list.slice(by), ...list.slice(0, by)]
}

/** Cases about what places answer: they are run where the channels are. */
const isOfChannels = (file: string): boolean => /^(channel-.*|nostr-chains|streams)\.json$/.test(file)

for (const name of readdirSync(folder)
  .toSorted()
  .filter((file) => !isOfChannels(file))) {
  const suite = basename(name, ".json")
  const judge = judges[suite]
  const { cases }: { readonly cases: readonly VectorCase[] } = JSON.parse(readFileSync(join(folder, name), "utf8"))
  test(`vectors/${name} has a judge, and cases`, () => assert.ok(judge !== undefined && cases.length > 0))
  for (const c of cases) {
    test(`${name} ${c.id}: ${c.why}`, () => {
      for (const form of forms[suite]?.(c) ?? [questionOf(c)]) assertOutcome(suite, c, judge?.(form) ?? {})
    })
  }
}

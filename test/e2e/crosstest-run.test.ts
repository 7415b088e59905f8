/** The cross-test itself: what is missing or lost makes it fail. crosstest/ */
import assert from "node:assert/strict"
import { test } from "node:test"
import { vectorFiles } from "../../crosstest/differential/vector-seeds.ts"
import { allJudges } from "../../crosstest/judges.ts"
import { allScenarios, groupNames } from "../../crosstest/scenarios/all.ts"
import { reachedCodes, unreachedCodes } from "../../crosstest/scenarios/codes.ts"
import { floors, type Status, summary } from "../../crosstest/summary.ts"
import { codes } from "../../packages/core/src/index.ts"
import { parts, runCrosstest } from "../support/crosstest.ts"

const nowhere = { KEZ_PUBLIC_VECTORS: import.meta.filename }

test("every group of scenarios is run by one of the tests, which hold the floors", () => {
  const tested = Object.values(parts).flatMap(({ groups }): readonly string[] => groups)
  assert.deepEqual(tested.toSorted(), groupNames.toSorted())
  const classic = allScenarios.filter(({ group }) => group === "classic")
  assert.equal(classic.length, floors.classic)
  const least = Object.values(parts).reduce((sum, { floor }) => sum + floor, 0)
  assert.ok(least >= floors.classic + floors.others, `${least}`)
})

test("every file of vectors/ has a judge, and every judge a file", () => {
  const suites = Object.keys(allJudges).map((suite) => `${suite}.json`)
  assert.deepEqual(vectorFiles(), suites.toSorted())
})

test("every code of SPEC is reached by a scenario, or one that no command line alone is brought to", () => {
  for (const code of codes) {
    const isReached = reachedCodes.has(code)
    assert.notEqual(
      isReached,
      unreachedCodes.some((pattern) => pattern.test(code)),
      code,
    )
  }
})

test("run.ts with CI=true fails where public vectors are missing, and says so without", async () => {
  const strict = await runCrosstest(["--alone", "public", "times"], { ...nowhere, CI: "true" })
  assert.equal(strict.code, 1)
  assert.match(
    strict.printed,
    /^miss +[0-9]+ +public vectors: BIP-340: \$KEZ_PUBLIC_VECTORS.bip-0340.test-vectors\.csv is not here$/m,
  )
  assert.match(
    strict.printed,
    /\npublic vectors that are not here: 6 [^\n]+ that is a failure\n1 passed, 0 failed, 6 not here\n$/,
  )
  const { code, printed } = await runCrosstest(["--alone", "public", "times"], { ...nowhere, CI: undefined })
  assert.equal(code, 0)
  assert.equal(printed, strict.printed)
})

test("run.ts is no success where no scenario ran", async () => {
  assert.equal((await runCrosstest(["--alone", "public"], { ...nowhere, CI: undefined })).code, 1)
  assert.equal((await runCrosstest(["--alone", "no such scenario"], {})).code, 1)
})

test("summary() holds a whole run to its floors", () => {
  const told = (group: string, status: Status, count: number) =>
    Array.from({ length: count }, () => ({ group, status }))
  const isGood = (classic: number, others: number, isWhole = true) =>
    summary([...told("classic", "ok", classic), ...told("chains", "ok", others)], { isWhole, isCi: false }).isGood
  assert.deepEqual([isGood(19, 60), isGood(18, 100), isGood(19, 59), isGood(0, 1, false)], [true, false, false, true])
  const { lines } = summary(told("classic", "ok", 18), { isWhole: true, isCi: false })
  assert.deepEqual(lines, [
    "too few: 19 classic scenarios and 60 more have to pass, got 18 and 0",
    "18 passed, 0 failed",
  ])
  assert.equal(
    summary([...told("a", "ok", 100), ...told("b", "FAIL", 1)], { isWhole: false, isCi: false }).isGood,
    false,
  )
})

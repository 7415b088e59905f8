/** The cross-test of both implementations: its scenarios about vectors/ and public vectors. crosstest/ */
import { test } from "node:test"
import { publicSetPaths } from "../../crosstest/scenarios/public.ts"
import { runPart } from "../support/crosstest.ts"
import { skipWithoutRust } from "../support/rust.ts"
import { skipWithoutVectors } from "../support/vectors.ts"

test("crosstest: vectors/ and the public vectors that are here", { skip: skipWithoutRust() }, () => runPart("vectors"))

for (const path of publicSetPaths) {
  test(`crosstest: public vectors ${path} are here`, { skip: skipWithoutVectors(path) }, () => {})
}

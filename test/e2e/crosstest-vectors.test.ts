/** The cross-test of both implementations: its scenarios about vectors/ and public vectors. crosstest/ */
import { test } from "node:test"
import { runScenarios } from "../support/crosstest.ts"
import { skipWithoutRust } from "../support/rust.ts"

test("crosstest: vectors/ and public vectors", { skip: skipWithoutRust() }, () => runScenarios(["vectors", "public"]))

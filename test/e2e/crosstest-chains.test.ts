/** The cross-test of both implementations: its scenarios about chains and forks. crosstest/ */
import { test } from "node:test"
import { runPart } from "../support/crosstest.ts"
import { skipWithoutRust } from "../support/rust.ts"

test("crosstest: chains and forks", { skip: skipWithoutRust() }, () => runPart("chains"))

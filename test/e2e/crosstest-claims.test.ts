/** The cross-test of both implementations: its scenarios about claims, words and refusals. crosstest/ */
import { test } from "node:test"
import { runPart } from "../support/crosstest.ts"
import { skipWithoutRust } from "../support/rust.ts"

test("crosstest: claims, words and refusals", { skip: skipWithoutRust() }, () => runPart("claims"))

/** The cross-test of both implementations: its scenarios about codes and exit codes. crosstest/ */
import { test } from "node:test"
import { runPart } from "../support/crosstest.ts"
import { skipWithoutRust } from "../support/rust.ts"

test("crosstest: codes and exit codes", { skip: skipWithoutRust() }, () => runPart("codes"))

/** The cross-test of both implementations: its scenarios about stores and DNS on loopback. crosstest/ */
import { test } from "node:test"
import { runPart } from "../support/crosstest.ts"
import { skipWithoutRust } from "../support/rust.ts"

test("crosstest: stores and DNS on loopback", { skip: skipWithoutRust() }, () => runPart("stores"))

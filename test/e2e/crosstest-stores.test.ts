/** The cross-test of both implementations: its scenarios about stores and DNS on loopback, and about agents. crosstest/ */
import { test } from "node:test"
import { runPart } from "../support/crosstest.ts"
import { skipWithoutRust } from "../support/rust.ts"

test("crosstest: stores and DNS on loopback, agents", { skip: skipWithoutRust() }, () => runPart("stores"))

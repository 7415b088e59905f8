/** The tests of rust/ (vectors, public vectors, properties), each counted as one of this repository. */
import { test } from "node:test"
import { runCargoTests } from "../support/cargo.ts"
import { skipWithoutCargo } from "../support/rust.ts"

test("cargo test", { skip: skipWithoutCargo() }, (t) => runCargoTests(t, "rust"))

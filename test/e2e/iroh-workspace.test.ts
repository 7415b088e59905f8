/** The tests of rust/kez-iroh (real processes, endpoints and a relay on loopback), each counted as one of this repository. */
import { test } from "node:test"
import { runCargoTests } from "../support/cargo.ts"
import { skipWithoutIroh } from "../support/iroh.ts"

// Not with a built program alone: what is tested is built from this tree.
const skip = process.env["KEZ_IROH"] ? "KEZ_IROH names a built program" : skipWithoutIroh()

test("cargo test of kez-iroh", { skip }, (t) => runCargoTests(t, "iroh"))

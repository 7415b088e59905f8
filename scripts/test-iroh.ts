/** kez-iroh, built before the first test that needs it: a first build takes longer than a test file has. Without cargo those tests say so themselves. */
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"

const NEEDS_IT = /\/support\/(?:iroh|files-people|files-engines)\.ts"/
/** Runs cargo's own tests, which are built beside the program. */
const OWN_TESTS = "iroh-workspace.test.ts"

/** Says so where it takes minutes. One that cannot be built fails the tests that need it, with the reason. */
export function buildIrohFor(root: string, files: readonly string[]): void {
  const script = join(root, "scripts", "iroh.sh")
  const needing = files.filter((file) => NEEDS_IT.test(readFileSync(file, "utf8")))
  if (process.env["KEZ_IROH"] || needing.length === 0 || !existsSync(script)) return
  const runs = (...args: readonly string[]): boolean =>
    spawnSync("sh", [script, ...args], { stdio: ["ignore", "ignore", args.length === 0 ? "inherit" : "ignore"] })
      .status === 0
  if (!runs("--able")) return
  if (!runs("--find")) console.log("building kez-iroh for the tests, once: some minutes")
  if (needing.some((file) => basename(file) === OWN_TESTS)) runs("--check")
  if (!runs()) console.log("kez-iroh could not be built: the tests that need it fail")
}

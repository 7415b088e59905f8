/** Runs scenarios of the cross-test as `npm run crosstest` does. */
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { join } from "node:path"

const RUN = join(import.meta.dirname, "..", "..", "crosstest", "run.ts")

/** Throws with all that was printed unless every scenario of these groups passed. */
export async function runScenarios(groups: readonly string[]): Promise<void> {
  const printed = await new Promise<string>((resolve) => {
    execFile(process.execPath, [RUN, ...groups], { maxBuffer: 2 ** 26 }, (_, stdout, stderr) =>
      resolve(stdout + stderr),
    )
  })
  assert.match(printed.trimEnd().split("\n").at(-1) ?? "", /^[1-9][0-9]* passed, 0 failed$/, printed)
}

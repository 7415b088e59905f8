/** Runs scenarios of the cross-test as `npm run crosstest` does. */
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { join } from "node:path"

const RUN = join(import.meta.dirname, "..", "..", "crosstest", "run.ts")

/** What each file test/e2e/crosstest-NAME.test.ts runs, and how many scenarios have to pass there. */
export const parts = {
  claims: { groups: ["classic", "identities", "claims", "refused"], floor: 60 },
  chains: { groups: ["chains", "forks", "going-back"], floor: 38 },
  codes: { groups: ["codes"], floor: 80 },
  stores: { groups: ["stores", "agents"], floor: 25 },
  vectors: { groups: ["vectors", "public"], floor: 22 },
} as const

export interface Ran {
  readonly code: unknown
  readonly printed: string
}

export function runCrosstest(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Promise<Ran> {
  const options = { maxBuffer: 2 ** 26, env: { ...process.env, ...env } }
  return new Promise((resolve) => {
    execFile(process.execPath, [RUN, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, printed: stdout + stderr }),
    )
  })
}

/**
 * Throws with all that was printed unless every scenario of this part passed. Public vectors that are not here are told by skipped
 * tests of the caller: they fail no run of the tests, only one of `npm run crosstest`.
 */
export async function runPart(name: keyof typeof parts): Promise<void> {
  const { groups, floor } = parts[name]
  const { code, printed } = await runCrosstest(groups, { CI: undefined })
  const [, passed] =
    /^([0-9]+) passed, 0 failed(?:, [0-9]+ not here)?$/.exec(printed.trimEnd().split("\n").at(-1) ?? "") ?? []
  assert.ok(code === 0 && Number(passed) >= floor, `expected at least ${floor} passed: ${printed}`)
}

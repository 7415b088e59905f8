/** Tests of a cargo workspace, each counted as one of this repository. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { TestContext } from "node:test"

const root = join(import.meta.dirname, "../..")

interface Outcome {
  readonly name: string
  readonly result: string
  /** Of an ignored one. */
  readonly reason: string | undefined
}

/** Runs `sh scripts/NAME.sh --test`, and shows what cargo said of a test that failed. */
export async function runCargoTests(t: TestContext, script: "rust" | "iroh"): Promise<void> {
  const { outcomes, text, code } = await runCargo(script)
  for (const { name, result, reason } of outcomes) {
    await t.test(name, { skip: result === "ignored" && (reason ?? true) }, () => assert.equal(result, "ok", text))
  }
  assert.ok(outcomes.length > 0, text)
  assert.equal(code, 0, text)
}

/** What cargo ran; `text` is all that it said. */
async function runCargo(script: string): Promise<{
  readonly outcomes: readonly Outcome[]
  readonly text: string
  readonly code: unknown
}> {
  const child = spawn("sh", [join(root, "scripts", `${script}.sh`), "--test"], { stdio: ["ignore", "pipe", "pipe"] })
  const outcomes: Outcome[] = []
  const said: string[] = []
  const ended = new Promise((resolve) => child.once("close", resolve))
  createInterface({ input: child.stderr }).on("line", (line) => said.push(line))
  createInterface({ input: child.stdout }).on("line", (line) => {
    said.push(line)
    const [, name, result, reason] = /^test (.+) \.\.\. (ok|FAILED|ignored)\b(?:, (.+))?/.exec(line) ?? []
    if (name !== undefined && result !== undefined) outcomes.push({ name, result, reason })
  })
  const code = await ended
  return { outcomes, text: said.join("\n"), code }
}

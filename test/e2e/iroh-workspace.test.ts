/** The tests of rust/kez-iroh (real processes, endpoints and a relay on loopback), each counted as one of this repository. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { test } from "node:test"
import { ROOT, skipWithoutIroh } from "../support/iroh.ts"

interface Outcome {
  readonly name: string
  readonly result: string
}

// Not with a built program alone: what is tested is built from this tree.
const skip = process.env["KEZ_IROH"] ? "KEZ_IROH names a built program" : skipWithoutIroh()

test("cargo test of kez-iroh", { skip }, async (t) => {
  const { outcomes, text, code } = await runCargo()
  for (const { name, result } of outcomes) {
    await t.test(name, { skip: result === "ignored" }, () => assert.equal(result, "ok", text))
  }
  assert.ok(outcomes.length > 0, text)
  assert.equal(code, 0, text)
})

/** What cargo ran; `text` is all that it said. */
async function runCargo(): Promise<{
  readonly outcomes: readonly Outcome[]
  readonly text: string
  readonly code: unknown
}> {
  const child = spawn("sh", [join(ROOT, "scripts", "iroh.sh"), "--test"], { stdio: ["ignore", "pipe", "pipe"] })
  const outcomes: Outcome[] = []
  const said: string[] = []
  const ended = new Promise((resolve) => child.once("close", resolve))
  createInterface({ input: child.stderr }).on("line", (line) => said.push(line))
  createInterface({ input: child.stdout }).on("line", (line) => {
    said.push(line)
    const [, name, result] = /^test (.+) \.\.\. (ok|FAILED|ignored)\b/.exec(line) ?? []
    if (name !== undefined && result !== undefined) outcomes.push({ name, result })
  })
  const code = await ended
  return { outcomes, text: said.join("\n"), code }
}

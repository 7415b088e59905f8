/** The build of kez-iroh for tests: cargo waits for another build in its folder for as long as that takes, and no test file may hang with it. */
import assert from "node:assert/strict"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { setTimeout } from "node:timers/promises"
import { buildIroh } from "../support/files-people.ts"

test("buildIroh() ends a cargo that waits longer than the limit, and says what to do", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "kez-cargo-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const pidFile = join(folder, "pid")
  const waits = `#!/bin/sh\n[ "$1" != --version ] || exec echo 'cargo 1.99.0'\necho $$ > '${pidFile}'\nexec sleep 600\n`
  writeFileSync(join(folder, "cargo"), waits, { mode: 0o755 })
  const env = { PATH: `${folder}:${process.env["PATH"]}`, HOME: folder }
  const build = buildIroh({ env, limitMs: 1_500 })
  await assert.rejects(
    build,
    /Cannot build kez-iroh: it took more than 1\.5 s\. .*any other build.*sh scripts\/iroh\.sh/,
  )
  assert.ok(existsSync(pidFile), "cargo was asked")
  const pid = Number(readFileSync(pidFile, "utf8"))
  for (let waited = 0; waited < 2_000 && isThere(pid); waited += 50) await setTimeout(50)
  assert.equal(isThere(pid), false)
})

test("buildIroh() says what the script said where it does not build", async () => {
  await assert.rejects(
    buildIroh({ env: { ...process.env, KEZ_IROH: "/no/program" } }),
    /expected a program at \/no\/program/,
  )
})

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

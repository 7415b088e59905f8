/** Memory of the store does not grow with the number of chains. */
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { promisify } from "node:util"

const run = promisify(execFile)
const script = join(import.meta.dirname, "../../apps/sig-server/test/support/many-chains.ts")
const mebibyte = 1_048_576

test("20,000 chains pass through a store with 96 MiB of heap, which could not hold them all", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "kez-many-"))
  t.after(() => rmSync(folder, { recursive: true }))
  // A process that kept them would die of this bound: each takes about 10 KiB.
  const args = ["--max-old-space-size=96", script, join(folder, "store.db"), "20000"]
  const { stdout } = await run(process.execPath, args, { timeout: 120_000 })
  const { events, rssBytes }: { readonly events: number; readonly rssBytes: number } = JSON.parse(stdout)
  assert.equal(events, 20_000)
  assert.ok(rssBytes < 400 * mebibyte, `${Math.round(rssBytes / mebibyte)} MiB`)
})

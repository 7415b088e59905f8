/** kez-iroh between two network namespaces joined by a cable: killed receiver, killed sender, pulled cable. `npm run cable` is the long form. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { pullCable } from "../iroh/cable.ts"
import { createNetworks, networksMissing } from "../iroh/networks.ts"
import { buildIroh } from "../support/files-people.ts"
import { skipWithoutIroh } from "../support/iroh.ts"

test("a transfer survives killed processes and a pulled cable", {
  skip: skipWithoutIroh() || networksMissing(),
}, async (t) => {
  const { KEZ_IROH: program } = await buildIroh()
  const folder = mkdtempSync(join(tmpdir(), "kez-cable-"))
  const networks = createNetworks()
  t.after(() => {
    networks.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const fileMib = 96
  const report = await pullCable({ program, folder, fileMib, files: 300, cutMs: 3_000, slowRate: 20e6 }, networks)
  t.diagnostic(JSON.stringify(report))
  assert.ok(report.folderEqual && report.fileEqual)
  assert.equal(report.hashedAgain, 0)
  assert.ok(report.keptBytes > 0.25 * fileMib * 1024 * 1024)
  assert.ok(report.sentBytes < 1.5 * fileMib * 1024 * 1024)
  assert.ok(report.peakMemoryMb < 150)
})

/**
 * `npm run cable [-- --short]`: a large file and a folder between two network namespaces joined by veth, while processes are killed and
 * the cable is pulled. 1 GiB, 5,000 files and 30 s; short: 96 MiB, 300 files and 3 s. Needs Linux, root and `ip netns`.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buildIroh } from "../support/files-people.ts"
import { pullCable } from "./cable.ts"
import { createNetworks, networksMissing } from "./networks.ts"

const short = process.argv.includes("--short")
const missing = networksMissing()
if (missing !== false) {
  console.error(`kez: Cannot pull a cable: ${missing}`)
  process.exit(3)
}
const { KEZ_IROH: program } = await buildIroh()
const folder = mkdtempSync(join(tmpdir(), "kez-cable-"))
const networks = createNetworks()
try {
  const size = short
    ? { fileMib: 96, files: 300, cutMs: 3_000, slowRate: 20e6 }
    : { fileMib: 1024, files: 5_000, cutMs: 30_000, slowRate: 60e6 }
  const report = await pullCable({ program, folder, ...size }, networks)
  console.log(JSON.stringify({ ...size, ...report }, undefined, 2))
  process.exitCode = report.folderEqual && report.fileEqual && report.hashedAgain === 0 ? 0 : 1
} finally {
  networks.close()
  rmSync(folder, { recursive: true, force: true })
}

/**
 * `npm run differential [-- --cases N --seed S --first N --folder DIR --against COMMAND...]`: hostile input to both implementations at once.
 * Any difference in an outcome is shrunk, printed with its seed, and kept; then the exit code is 1.
 */
import { join } from "node:path"
import { parseArgs } from "node:util"
import { buildRust, ROOT, rustLines, typescriptLines } from "../implementations.ts"
import { Peer, type PeerCommand } from "../peer.ts"
import { differential } from "./differential.ts"

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "20000" },
    seed: { type: "string" },
    /** The number of the first case: to see one again, `--first N --cases 1`. */
    first: { type: "string", default: "0" },
    folder: { type: "string", default: join(ROOT, "crosstest", "found") },
    /** A command that answers lines, in the place of the second implementation. */
    against: { type: "string" },
    quiet: { type: "boolean", short: "q", default: false },
  },
})
const cases = Number(values.cases)
const first = Number(values.first)
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed)
for (const [name, number, least] of [
  ["--cases", cases, 1],
  ["--first", first, 0],
  ["--seed", seed, 0],
] as const) {
  if (Number.isInteger(number) && number >= least && number < 2 ** 32) continue
  console.error(`kez: Cannot run the differential: expected a whole number from ${least} for ${name}`)
  process.exit(2)
}

const other = secondImplementation()
const peers = [new Peer(typescriptLines), new Peer(other)] as const
const began = performance.now()
console.log(`seed ${seed}, ${cases} cases from ${first}, typescript against ${other.name}`)
const report = await differential(peers, {
  seed,
  first,
  cases,
  folder: values.folder,
  onProgress: (done) => {
    const seconds = (performance.now() - began) / 1_000
    if (!values.quiet) console.error(`kez: ${done} cases, ${Math.round(done / seconds)} a second`)
  },
  onFound: (text) => console.log(text),
})
await Promise.all(peers.map((peer) => peer.close()))
if (!values.quiet) console.log(report.histogram.format())
const seconds = (performance.now() - began) / 1_000
console.log(`seed ${seed}: ${report.cases} cases in ${seconds.toFixed(0)} s, ${report.differences} differences`)
process.exitCode = report.differences === 0 ? 0 : 1

function secondImplementation(): PeerCommand {
  if (values.against !== undefined) {
    const [command = "", ...args] = values.against.split(" ")
    return { name: "other", command, args }
  }
  const rust = buildRust()
  if ("folder" in rust) return rustLines(rust.folder)
  console.error("missing" in rust ? rust.missing : rust.broken)
  process.exit(2)
}

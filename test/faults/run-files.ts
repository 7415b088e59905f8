/** `npm run faults -- --files [--short]`: 5,000 files and 1 GiB by the kez command, both sides killed; and the figures. */
import { availableParallelism, loadavg } from "node:os"
import { natsServer } from "../support/broker.ts"
import { buildIroh } from "../support/files-people.ts"
import { skipWithoutIroh } from "../support/iroh.ts"
import { complaintsOf, type MoveReport, prepareFiles } from "./files.ts"

const usual = { files: 5_000, fileMib: 1_024, rates: { folder: 12e6, file: 60e6 } }
const short = { files: 300, fileMib: 48, rates: { folder: 2e6, file: 12e6 } }

/** Resolves to the exit code. */
export async function runFiles(isShort: boolean): Promise<number> {
  const missing = natsServer === "" ? "missing server: nats-server" : skipWithoutIroh()
  if (missing !== false) {
    console.error(`kez: Cannot move files: ${missing}`)
    return 3
  }
  const cleaners: (() => void | Promise<void>)[] = []
  const t = { after: (clean: () => void | Promise<void>): void => void cleaners.push(clean) }
  try {
    const onStep = (text: string): void => console.error(`kez: ${text}`)
    const scene = await prepareFiles(t, { ...(isShort ? short : usual), env: await buildIroh(), onStep })
    const reports = [await scene.moveFolder(), await scene.moveFile()]
    console.log(`\n${availableParallelism()} cores, Node ${process.version}   load ${loadavg()[0]?.toFixed(1)}`)
    for (const report of reports) console.log(lineOf(report))
    const complaints = reports.flatMap(complaintsOf)
    for (const complaint of complaints) console.error(`kez: ${complaint}`)
    console.log(complaints.length === 0 ? "equal, and nothing started over" : "not as it should be")
    return complaints.length === 0 ? 0 : 1
  } finally {
    for (const clean of cleaners.toReversed()) await clean()
  }
}

function lineOf({
  what,
  bytes,
  killedAt,
  resumedAt,
  fetched,
  readAgain,
  missing,
  storeBytes,
  tookMs,
}: MoveReport): string {
  const read =
    readAgain === undefined
      ? ""
      : `   the second sender read ${mb(readAgain)} where ${mb(missing)} were missing, its store (${mb(storeBytes)}) included`
  return `${what}, ${mb(bytes)}   receiver killed at ${mb(killedAt)}, went on at ${mb(resumedAt)}   fetched in all ${(fetched / bytes).toFixed(3)} of it${read}   ${(tookMs / 1_000).toFixed(1)} s`
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

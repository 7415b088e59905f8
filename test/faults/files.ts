/**
 * `kez send` and `kez receive` of a folder and of a large file, both ended as a power cut would: the receiver at 40 %, the sender at 60 %. The same
 * commands go on. What was fetched, and what the sender read from its disk, is counted: nothing starts over, nothing is hashed again.
 */
import { createHash, randomFillSync } from "node:crypto"
import { createReadStream, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import { writeNoise } from "../../bench/files/noise.ts"
import { type Chatter, startCouple } from "../support/chat-people.ts"
import { folderOf, type RunningKez, startKez } from "../support/files-people.ts"
import type { Cleaner } from "../support/person.ts"

export interface FilesPlan {
  readonly env: { readonly KEZ_IROH: string }
  readonly files: number
  readonly fileMib: number
  /** Bytes a second, so that there is time to end something at 40 %. */
  readonly rates: { readonly folder: number; readonly file: number }
  readonly onStep?: (text: string) => void
}

export interface MoveReport {
  readonly what: string
  readonly bytes: number
  readonly isEqual: boolean
  /** What the receiver had shown when it was killed, and what it went on with. */
  readonly killedAt: number
  readonly resumedAt: number
  /** Bytes that came in all runs of the receiver together. */
  readonly fetched: number
  /** Bytes that the second run of the sender read from its disk, of which `missing` were not there yet when it began; where the system says it. */
  readonly readAgain: number | undefined
  readonly missing: number
  /** Of the sender's store, which is read whole when the process before was killed. It holds files up to 16 KiB, and trees of hashes. */
  readonly storeBytes: number
  /** Messages that offered it. */
  readonly offers: number
  readonly tookMs: number
}

interface Pair {
  readonly t: Cleaner
  readonly plan: FilesPlan
  readonly alice: Chatter
  readonly bob: Chatter
}

export interface FilesScene {
  moveFolder(): Promise<MoveReport>
  moveFile(): Promise<MoveReport>
}

/** Two people over servers of their own, and what one gives to the other. */
export async function prepareFiles(t: Cleaner, plan: FilesPlan): Promise<FilesScene> {
  const { alice, bob } = await startCouple(t)
  const pair = { t, plan, alice, bob }
  const out = folderOf(alice, "out")
  writeFolder(join(out, "many"), plan.files)
  writeNoise(join(out, "large.bin"), plan.fileMib, 3)
  const { files, fileMib, rates } = plan
  return {
    moveFolder: () => move(pair, { name: "many", what: `a folder of ${files} files`, rate: rates.folder }),
    moveFile: () => move(pair, { name: "large.bin", what: `a file of ${fileMib} MiB`, rate: rates.file, waits: true }),
  }
}

/** What is wrong with a report. */
export function complaintsOf(report: MoveReport): readonly string[] {
  const { what, bytes, isEqual, killedAt, resumedAt, fetched, readAgain, missing, storeBytes, offers } = report
  const complaints: string[] = []
  if (!isEqual) complaints.push("it came as something else")
  if (killedAt < 0.3 * bytes) complaints.push(`the receiver was killed at ${killedAt} of ${bytes} bytes`)
  // What was not made to last yet when it was killed comes again: that of a fraction of a second.
  if (resumedAt < 0.6 * killedAt) complaints.push(`the receiver kept ${resumedAt} of ${killedAt} bytes`)
  if (fetched > 1.25 * bytes) complaints.push(`${fetched} bytes were fetched for ${bytes}`)
  if (readAgain !== undefined && readAgain > missing + 0.25 * bytes + storeBytes)
    complaints.push(`the second sender read ${readAgain} bytes where ${missing} were missing`)
  if (offers !== 1) complaints.push(`it was offered ${offers} times`)
  return complaints.map((complaint) => `${what}: ${complaint}`)
}

interface Moved {
  readonly name: string
  readonly what: string
  readonly rate: number
  /** Until the receiver says that the sender is gone, which takes QUIC 15 s. Else the sender is back before that. */
  readonly waits?: boolean
}

async function move({ t, plan, alice, bob }: Pair, { name, what, rate, waits = false }: Moved): Promise<MoveReport> {
  const { env, onStep = () => undefined } = plan
  const began = performance.now()
  const [path, into] = [join(alice.dir, "out", name), folderOf(bob, `in-${name}`)]
  const patienceMs = Math.max(40_000, (plan.fileMib / 10) * 1_000)
  const send = (): RunningKez => startKez(t, alice, { args: ["send", path, "bob"], env, patienceMs })
  const receive = (): RunningKez =>
    startKez(t, bob, { args: ["receive", "--dir", into, "--yes", "--limit-rate", String(rate)], env, patienceMs })

  const sending = send()
  const first = receive()
  const { size: bytes, bytes: killedAt } = (await first.until(has(0.4))).data
  await first.kill()
  onStep(`${what}: receiver killed at ${percent(killedAt, bytes)}`)
  const second = receive()
  const { bytes: resumedAt } = (await second.until(({ data }) => data.note === "resumed")).data
  const { bytes: missingFrom } = (await second.until(has(0.6))).data
  await sending.kill()
  onStep(`${what}: went on at ${percent(resumedAt, bytes)}, sender killed at ${percent(missingFrom, bytes)}`)
  if (waits) await second.until(({ data }) => data.note === "lost" && data.state === "waiting")
  const again = send()
  let readAgain: number | undefined
  const done = await second.until(({ schema, data }) => {
    if (schema === "kez.transfer/1" && data.state === "running") readAgain = bytesReadBy(again) ?? readAgain
    return schema === "kez.receive/1"
  })
  const sent = await again.until(({ schema }) => schema === "kez.send/1")
  const isOver = done.data.transfers[0].state === "done" && sent.data.state === "done"
  const report = {
    ...{ what, bytes, killedAt, resumedAt, readAgain, missing: bytes - missingFrom },
    fetched: killedAt + (bytes - resumedAt),
    storeBytes: sizeOf(alice.home),
    isEqual: isOver && (await digestOf(path)) === (await digestOf(join(into, name))),
    offers: await offersOf(bob, name),
    tookMs: Math.round(performance.now() - began),
  }
  onStep(`${what}: there`)
  return report
}

function has(part: number): (line: { readonly data: { readonly bytes: number; readonly size: number } }) => boolean {
  return ({ data }) => data.bytes >= part * data.size && data.size > 0
}

function percent(bytes: number, all: number): string {
  return `${Math.round((100 * bytes) / all)} %`
}

async function offersOf(bob: Chatter, name: string): Promise<number> {
  const { messages } = await bob.ok("dm", "alice", "--tail", "20")
  return messages.filter(
    (one: { readonly file_offer: { readonly name: string } | null }) => one.file_offer?.name === name,
  ).length
}

/** What kez-iroh under a running command has read from files so far; undefined where the system does not say. */
function bytesReadBy({ child: { pid } }: RunningKez): number | undefined {
  try {
    const [iroh = ""] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")
    return Number(/^rchar: (\d+)/m.exec(readFileSync(`/proc/${iroh}/io`, "utf8"))?.[1])
  } catch {
    return undefined
  }
}

function sizeOf(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return entries.reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

function writeFolder(folder: string, files: number): void {
  for (let at = 0; at < files; at += 1) {
    const inner = join(folder, `part ${at % 50}`)
    mkdirSync(inner, { recursive: true })
    writeFileSync(join(inner, `${at}.bin`), randomFillSync(Buffer.alloc((at * 7_919) % 40_000)))
  }
}

/** Of a file its bytes, of a folder every name and its bytes. */
async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256")
  const entries = readdirSyncOrNone(path)
  if (entries === undefined) await pipeline(createReadStream(path), hash)
  for (const name of entries ?? []) hash.update(`${name}\0`).update(readFileSync(join(path, name)))
  return hash.digest("hex")
}

function readdirSyncOrNone(path: string): readonly string[] | undefined {
  try {
    const entries = readdirSync(path, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
      .sort()
  } catch {
    return undefined
  }
}

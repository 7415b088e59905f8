/** The write-ahead log: damage in it is told from the end that a power cut leaves. */
import assert from "node:assert/strict"
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { after, test } from "node:test"
import { assertWholeLog } from "@kez/server/sqlite-log"
import { openSqlite } from "../src/storage/sqlite.ts"
import { makeChain, now, storeEvents } from "./chain-maker.ts"

const dir = mkdtempSync(join(tmpdir(), "kez-log-"))
after(() => rmSync(dir, { recursive: true, force: true }))
const headerBytes = 32
const frameBytes = 24 + 4_096
let files = 0

/** A database and its log as kill -9 leaves them, with so many events, each in a transaction of its own. */
async function killed(events: number): Promise<{ readonly path: string; readonly log: Buffer }> {
  const live = join(dir, `live${++files}`)
  const storage = openSqlite({ path: live, now: () => now })
  await storeEvents(storage, await makeChain("log", events))
  const path = `${live}-killed`
  copyFileSync(live, path)
  const log = readFileSync(`${live}-wal`)
  await storage.close()
  return { path, log }
}

const isCommit = (log: Buffer, frame: number): boolean => log.readUInt32BE(headerBytes + frame * frameBytes + 4) !== 0
const framesOf = (log: Buffer): number => (log.length - headerBytes) / frameBytes

/** Where the last transaction begins. */
function lastTransaction(log: Buffer): number {
  let frame = framesOf(log) - 1
  while (frame > 0 && !isCommit(log, frame - 1)) frame--
  return frame
}

function flipped(log: Buffer, at: number): Buffer {
  const hurt = Buffer.from(log)
  hurt.writeUInt8(hurt.readUInt8(at) ^ 0x10, at)
  return hurt
}

function isRefused(path: string, log: Buffer): boolean {
  writeFileSync(`${path}-wal`, log)
  try {
    assertWholeLog(path)
    return false
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, "store.corrupt")
    return true
  }
}

test("D-4 assertWholeLog() finds a flipped bit anywhere before the last transaction", async () => {
  const { path, log } = await killed(6)
  assert.ok(!isRefused(path, log))
  const end = headerBytes + lastTransaction(log) * frameBytes
  const places = [
    ...Array.from({ length: headerBytes }, (_, at) => at),
    ...Array.from({ length: Math.floor((end - headerBytes) / 499) }, (_, i) => headerBytes + i * 499),
    // Each field of the headers of frames.
    ...Array.from({ length: lastTransaction(log) }, (_, frame) =>
      [0, 4, 8, 12, 16, 20].map((field) => headerBytes + frame * frameBytes + field),
    ).flat(),
  ]
  const unseen = places.filter((at) => !isRefused(path, flipped(log, at)))
  assert.deepEqual(unseen, [])
})

test("D-4 openSqlite() refuses a damaged log, and leaves both files as they are", async () => {
  const { path, log } = await killed(4)
  const before = readFileSync(path)
  const hurt = flipped(log, headerBytes + frameBytes + 500)
  writeFileSync(`${path}-wal`, hurt)
  assert.throws(() => openSqlite({ path, now: () => now }), { code: "store.corrupt" })
  assert.deepEqual([readFileSync(path), readFileSync(`${path}-wal`)], [before, hurt])
  // This is what it is for: without the check SQLite opens the file, and events are missing.
  const database = new DatabaseSync(path)
  const { events } = database.prepare("SELECT count(*) AS events FROM sqlite_schema").get() ?? {}
  database.close()
  assert.equal(events, 0)
})

test("D-2 assertWholeLog() accepts every end that a power cut leaves", async () => {
  const { path, log } = await killed(5)
  const [first, count] = [lastTransaction(log), framesOf(log)]
  // Cut anywhere.
  for (let size = 0; size < log.length; size += 1_511)
    assert.ok(!isRefused(path, log.subarray(0, size)), `cut at ${size}`)
  // Any of the frames of the last transaction did not get to the disk.
  for (let frame = first; frame < count; frame++) {
    const torn = Buffer.from(log)
    torn.fill(0, headerBytes + frame * frameBytes, headerBytes + (frame + 1) * frameBytes)
    assert.ok(!isRefused(path, torn), `frame ${frame} is missing`)
    torn.fill(0, headerBytes + first * frameBytes, headerBytes + (frame + 1) * frameBytes)
    assert.ok(!isRefused(path, torn), `frames up to ${frame} are missing`)
  }
})

test("D-2 assertWholeLog() accepts what an earlier end left behind a later one", async () => {
  const { path, log } = await killed(5)
  const first = lastTransaction(log)
  const torn = Buffer.from(log)
  torn.fill(0, headerBytes + first * frameBytes, headerBytes + (first + 1) * frameBytes)
  writeFileSync(`${path}-wal`, torn)
  // Opened after the power cut, written a little, and killed: the rest of the torn transaction stands behind that.
  const database = new DatabaseSync(path)
  database.exec("PRAGMA wal_autocheckpoint = 0; INSERT INTO marks VALUES ('a', 'b')")
  const left = readFileSync(`${path}-wal`)
  database.close()
  assert.equal(left.length, log.length)
  assert.ok(!isRefused(path, left))
})

test("assertWholeLog() accepts a log that begins anew over an older one", async () => {
  const { path, log } = await killed(3)
  writeFileSync(`${path}-wal`, log)
  const database = new DatabaseSync(path)
  database.exec("PRAGMA journal_mode = WAL; PRAGMA wal_checkpoint(RESTART); INSERT INTO marks VALUES ('a', 'b')")
  const left = readFileSync(`${path}-wal`)
  database.close()
  assert.notEqual(left.readUInt32BE(16), log.readUInt32BE(16), "another salt")
  assert.ok(!isRefused(path, left))
})

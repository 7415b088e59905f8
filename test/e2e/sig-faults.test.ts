/** The real store under races and flipped bits, and the judge of all faults: a short run of what `npm run faults` does at length. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { after, test } from "node:test"
import { check, tally } from "../faults/check.ts"
import { connect } from "../faults/connection.ts"
import { flipBits } from "../faults/corruption.ts"
import { History } from "../faults/history.ts"
import { createWriter } from "../faults/load.ts"
import { race } from "../faults/race.ts"
import { createRandom, newSeed } from "../faults/random.ts"
import { startStore } from "../faults/store-process.ts"

const seed = process.env["KEZ_FAULT_SEED"] ?? newSeed()
console.log(`seed ${seed}; KEZ_FAULT_SEED=${seed} gives the same choices again`)
const random = createRandom(seed)
const dir = mkdtempSync(join(tmpdir(), "kez-faults-"))
after(() => rmSync(dir, { recursive: true, force: true }))

test(`G8 100 connections append to one chain: one winner per seq, losers told and kept [${seed}]`, async () => {
  const store = await startStore({ data: join(dir, "race") })
  try {
    const { problems, ...tallied } = await race(store.at, 100, random.fork("race"))
    assert.deepEqual(problems, [])
    // Of the equal ones at each place nine are kept.
    assert.deepEqual(tallied, { posted: 100, won: 2, kept: 18, refused: 80 })
  } finally {
    await store.stop()
  }
})

for (const where of ["database", "log"] as const) {
  test(`D-4 a flipped bit in the ${where} is named, and never served as valid [${seed}]`, async () => {
    const report = await flipBits({ where, flips: 6, random: random.fork(`flips ${where}`) })
    assert.deepEqual(report.problems, [])
  })
}

test("the judge sees what is lost, altered and moved", async () => {
  const data = join(dir, "judged")
  const history = new History()
  const store = await startStore({ data })
  const connection = connect(store.at)
  await createWriter(history, random.fork("judged"), "w").run(connection, new AbortController().signal, 10)
  assert.deepEqual(await check(connection, history), [])
  connection.close()
  await store.kill()
  const database = new DatabaseSync(join(data, "kez-sig.sqlite"))
  database.exec(`PRAGMA foreign_keys = OFF;
    CREATE TEMP TABLE last AS SELECT chain, max(seq) AS seq FROM events GROUP BY chain LIMIT 1;
    UPDATE chains SET size = size - 1 WHERE chain = (SELECT chain FROM last);
    DELETE FROM events WHERE (chain, seq) IN (SELECT chain, seq FROM last);
    UPDATE events SET cursor = cursor + 100 WHERE cursor = (SELECT max(cursor) FROM events);`)
  database.close()
  const again = await startStore({ data })
  const reader = connect(again.at)
  const problems = await check(reader, history)
  reader.close()
  await again.kill()
  assert.equal(tally(problems, "lost"), 1)
  assert.equal(tally(problems, "moved"), 1)
})

/** The real store under kill -9, on SQLite and on PostgreSQL: a short run of what `npm run faults` does at length. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { killRounds } from "../faults/kill.ts"
import { createRandom, newSeed } from "../faults/random.ts"
import { recoveryWithinMs } from "../faults/store-process.ts"
import { postgresMissing, startPostgres } from "../support/postgres.ts"

const seed = process.env["KEZ_FAULT_SEED"] ?? newSeed()
console.log(`seed ${seed}; KEZ_FAULT_SEED=${seed} gives the same choices again`)
const random = createRandom(seed)
const dir = mkdtempSync(join(tmpdir(), "kez-faults-"))
after(() => rmSync(dir, { recursive: true, force: true }))

test(`D-1 kill -9 under load: whatever was acknowledged is there, byte for byte [${seed}]`, async () => {
  const report = await killRounds({ place: { data: join(dir, "kill") }, rounds: 6, random: random.fork("kill") })
  assert.deepEqual(report.problems, [])
  assert.ok(report.acknowledged > 6, `${report.acknowledged} acknowledged`)
  assert.ok(report.slowestRestartMs < recoveryWithinMs, `${report.slowestRestartMs} ms`)
})

test(`D-1 kill -9 under load, with PostgreSQL behind it [${seed}]`, { skip: postgresMissing }, async () => {
  const server = await startPostgres()
  try {
    const place = { databaseUrl: await server.createDatabase() }
    const report = await killRounds({ place, rounds: 4, random: random.fork("postgres") })
    assert.deepEqual(report.problems, [])
    assert.ok(report.acknowledged > 4, `${report.acknowledged} acknowledged`)
  } finally {
    await server.close()
  }
})

/** The real store on disks of its own: power cuts, with the control run that must lose something, and a disk that fills up. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { tally } from "../faults/check.ts"
import { fillDisk } from "../faults/disk-full.ts"
import { createImage, imagesMissing } from "../faults/image.ts"
import { powerCuts } from "../faults/power-cut.ts"
import { createRandom, newSeed } from "../faults/random.ts"
import { recoveryWithinMs } from "../faults/store-process.ts"

const seed = process.env["KEZ_FAULT_SEED"] ?? newSeed()
console.log(`seed ${seed}; KEZ_FAULT_SEED=${seed} gives the same choices again`)
const random = createRandom(seed)
const skip = imagesMissing()

test(`D-2 a power cut under load takes nothing back that was acknowledged [${seed}]`, { skip }, async () => {
  const report = await powerCuts({ cuts: 2, random: random.fork("power") })
  assert.deepEqual(report.problems, [])
  assert.ok(report.acknowledged > 2, `${report.acknowledged} acknowledged`)
  assert.ok(report.slowestRestartMs < recoveryWithinMs, `${report.slowestRestartMs} ms`)
})

test(`D-2 the control run, with synchronous=NORMAL, loses events: the cuts are real [${seed}]`, { skip }, async () => {
  // Now and then the kernel writes everything by itself just before.
  let lost = 0
  for (let cut = 0; cut < 6 && lost === 0; cut++) {
    const report = await powerCuts({ cuts: 1, random: random.fork(`weak ${cut}`), isWeak: true })
    lost = tally(report.problems, "lost")
  }
  assert.ok(lost > 0)
})

test(`D-3 a full disk: 507 store.full, reading goes on, writing too once there is room [${seed}]`, {
  skip,
}, async () => {
  const disk = createImage(32)
  try {
    const report = await fillDisk({ folder: disk.folder, rounds: 2, random: random.fork("full") })
    assert.deepEqual(report.problems, [])
    assert.ok(report.refused > 0 && report.acknowledged > 0)
  } finally {
    disk.close()
  }
})

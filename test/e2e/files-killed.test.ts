/**
 * `kez send` and `kez receive` that are killed on the way, kez-iroh with them: nothing starts over, nothing is hashed again, nothing is offered twice.
 * `npm run faults -- --files` is the long form.
 */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { complaintsOf, type FilesScene, prepareFiles } from "../faults/files.ts"
import { skipWithoutNats } from "../support/broker.ts"
import { buildIroh } from "../support/files-people.ts"
import { skipWithoutIroh } from "../support/iroh.ts"
import { laterCleaner } from "../support/person.ts"

describe("files that break off", { skip: skipWithoutNats || skipWithoutIroh() }, () => {
  const t = laterCleaner(after)
  let scene: FilesScene
  before(async () => {
    const rates = { folder: 2e6, file: 6e6 }
    scene = await prepareFiles(t, { env: await buildIroh(), files: 250, fileMib: 20, rates })
  })

  test("F7: a folder goes on after its receiver is killed, then its sender", async (t) => {
    const report = await scene.moveFolder()
    t.diagnostic(JSON.stringify(report))
    assert.deepEqual(complaintsOf(report), [])
  })

  test("F7: a file as well; without a sender the receiver says that it waits", async (t) => {
    const report = await scene.moveFile()
    t.diagnostic(JSON.stringify(report))
    assert.deepEqual(complaintsOf(report), [])
  })
})

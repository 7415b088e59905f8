/** Names and disks that are in the way of `kez receive`: a link at the target, and a disk that fills up. F6 and F10 of adversarial.md. */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { createMemoryDisk, type DiskImage, imagesMissing } from "../faults/image.ts"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, startCouple } from "../support/chat-people.ts"
import { buildIroh, folderOf, startKez } from "../support/files-people.ts"
import { skipWithoutIroh } from "../support/iroh.ts"
import { type Cleaner, laterCleaner } from "../support/person.ts"

const timeoutMs = 50_000
const megabyte = 1_000_000

describe("files whose way is blocked", { skip: skipWithoutNats || skipWithoutIroh() }, () => {
  const t = laterCleaner(after)
  let alice: Chatter
  let bob: Chatter
  let env: { readonly KEZ_IROH: string }
  before(async () => {
    env = await buildIroh()
    ;({ alice, bob } = await startCouple(t))
  })

  test("F6: links where a file or a folder would lie are not followed: it gets a new name", async () => {
    const out = folderOf(alice, "out")
    const bytes = randomBytes(100_000)
    writeFileSync(join(out, "photo.jpg"), bytes)
    mkdirSync(join(out, "album"))
    writeFileSync(join(out, "album", "one.txt"), "one")
    const into = folderOf(bob, "in")
    const elsewhere = folderOf(bob, "elsewhere")
    const victim = bob.file("victim", "as it was")
    symlinkSync(victim, join(into, "photo.jpg"))
    symlinkSync(join(elsewhere, "nothing"), join(into, "photo (2).jpg"))
    symlinkSync(elsewhere, join(into, "album"))
    const receive = ["receive", "--dir", into, "--yes", "--wait", "40"]
    for (const name of ["photo.jpg", "album"]) {
      const sending = alice.kez(["send", join(out, name), "bob", "--wait", "40"], { env, timeoutMs })
      const received = await bob.kez(receive, { env, timeoutMs })
      assert.deepEqual([received.code, (await sending).code], [0, 0], received.stderr)
    }
    assert.deepEqual(readFileSync(join(into, "photo (3).jpg")), bytes)
    assert.equal(readFileSync(join(into, "album (2)", "one.txt"), "utf8"), "one")
    assert.equal(readFileSync(victim, "utf8"), "as it was")
    assert.ok(lstatSync(join(into, "photo.jpg")).isSymbolicLink())
    assert.ok(!existsSync(join(elsewhere, "one.txt")) && !existsSync(join(elsewhere, "nothing")))
  })

  test("F10: a disk that fills up is said, what came is kept, and the same command goes on when there is room", {
    skip: imagesMissing(),
  }, async (test) => {
    const disk: Pick<DiskImage, "folder" | "close"> = createMemoryDisk(16_384)
    test.after(() => disk.close())
    const [path, filler] = [join(folderOf(alice, "out"), "large.bin"), join(disk.folder, "filler")]
    const bytes = randomBytes(9 * megabyte)
    writeFileSync(path, bytes)
    const receive = ["receive", "--dir", disk.folder, "--yes"]
    const sending = startKez(test as Cleaner, alice, { args: ["send", path, "bob"], env })
    await sending.until(({ data }) => data.note === "offered")

    writeFileSync(filler, Buffer.alloc(10 * megabyte))
    const atOnce = await bob.kez([...receive, "--json"], { env, timeoutMs })
    const said = JSON.parse(atOnce.stdout.trimEnd().split("\n").at(-1) ?? "")
    const [before] = said.data.transfers
    assert.deepEqual([before.state, before.code, before.bytes], ["paused", "store.write", 0], atOnce.stdout)
    assert.match(before.reason, /9000000 bytes are missing and \d+ are free/)
    assert.notEqual(atOnce.code, 0)

    rmSync(filler)
    const filling = startKez(test as Cleaner, bob, { args: [...receive, "--limit-rate", "2000000"], env })
    await filling.until(({ data }) => data.bytes > 3 * megabyte)
    fill(filler)
    const during = (await filling.until(({ schema }) => schema === "kez.receive/1")).data.transfers[0]
    assert.deepEqual([during.state, during.code], ["paused", "store.write"], JSON.stringify(during))
    assert.ok(during.bytes > 2 * megabyte)
    assert.ok(!existsSync(join(disk.folder, "large.bin")))

    rmSync(filler)
    const last = startKez(test as Cleaner, bob, { args: receive, env })
    const resumed = await last.until(({ data }) => data.note === "resumed")
    assert.ok(resumed.data.bytes > megabyte, String(resumed.data.bytes))
    const done = await last.until(({ schema }) => schema === "kez.receive/1")
    assert.equal(done.data.transfers[0].state, "done")
    assert.equal((await sending.until(({ schema }) => schema === "kez.send/1")).data.state, "done")
    assert.deepEqual(readFileSync(join(disk.folder, "large.bin")), bytes)
  })
})

/** Until the system says that there is no more. */
function fill(path: string): void {
  try {
    for (let at = 0; at < 64; at += 1) writeFileSync(path, Buffer.alloc(megabyte), { flag: "a" })
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC")
    return
  }
  assert.fail("the disk never was full")
}

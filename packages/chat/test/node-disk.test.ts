/** What a disk refuses is said in words, and is no fault of the program. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { createNodeDisk } from "../src/files/node-disk.ts"

test("a folder that is a file, and a list that is gone, are store.write", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "kez-disk-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, "file"), "x")
  const disk = createNodeDisk(join(folder, "own"))
  await assert.rejects(disk.namesIn(join(folder, "file")), { code: "store.write", message: /a file stands where/ })
  await assert.rejects(disk.namesIn(join(folder, "file", "below")), { code: "store.write" })
  await assert.rejects(disk.readList("none.json", 10), { code: "store.write", message: /not there/ })
  const blocked = createNodeDisk(join(folder, "file"))
  await assert.rejects(blocked.writeList("a.json", new Uint8Array()), { code: "store.write" })
})

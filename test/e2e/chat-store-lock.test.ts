/** Two processes and one store of the engine: the second is told who has it, and gets it when that one ends, by a kill too. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { openSqliteStore } from "@kez/chat/sqlite"

const key = new Uint8Array(32).fill(5)

test("one process at a time", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "kez-chat-store-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const attempt = `
    import { openSqliteStore } from "@kez/chat/sqlite"
    try {
      openSqliteStore({ folder: ${JSON.stringify(folder)}, key: new Uint8Array(32).fill(5), holder: "second" })
      process.stdout.write("open")
      process.kill(process.pid, "SIGKILL")
    } catch (error) {
      process.stdout.write(error.code + " " + error.message)
    }`
  const run = (): string =>
    spawnSync(process.execPath, ["--input-type=module", "-e", attempt], { cwd: import.meta.dirname }).stdout.toString()
  const store = openSqliteStore({ folder, key, holder: "kez chat" })
  assert.match(run(), new RegExp(`^store\\.busy .*kez chat \\(process ${process.pid}\\)`))
  await store.close()
  assert.equal(run(), "open")
  // It was killed; nothing has to be cleared away.
  await openSqliteStore({ folder, key, holder: "kez chat" }).close()
})

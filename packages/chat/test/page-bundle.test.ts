/** The engine in a page: nothing of Node is in the script that a page loads, and it does not grow unnoticed. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { gzipSync } from "node:zlib"
import { bundlePage } from "../../../test/support/page-bundle.ts"
import { ROOT } from "../../../test/support/sources.ts"

/** docs/decisions/chat-browser.md has the size as it was measured. */
const maxGzipBytes = 240_000

test("the script of a page with the engine loads nothing of Node, and is as small as we say", async () => {
  const { code, missing } = await bundlePage("test/support/page/engine-entry.ts")
  assert.deepEqual(missing, [])
  const size = gzipSync(code, { level: 9 }).length
  assert.ok(size < maxGzipBytes, `${size} bytes with gzip`)
})

test("the rule on scripts of pages fails when one loads something of Node, by its old name and later too", async (t) => {
  const folder = mkdtempSync(join(ROOT, "node_modules/.cache-page-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const entry = join(folder, "entry.ts")
  writeFileSync(entry, 'import fs from "fs"\nexport const x = fs\nexport const y = () => import("node:crypto")\n')
  assert.deepEqual((await bundlePage(entry)).missing, ["fs", "node:crypto"])
  writeFileSync(entry, `export { openSqliteStore } from "@kez/chat/sqlite"\n`)
  writeFileSync(join(folder, "package.json"), "{}")
  assert.ok((await bundlePage(entry)).missing.includes("node:sqlite"))
})

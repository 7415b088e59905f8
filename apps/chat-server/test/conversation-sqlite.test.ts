/** Tables behind commands, over SQLite. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after } from "node:test"
import { openSqlite } from "../src/storage/sqlite.ts"
import { conversationSuite } from "./conversation-suite.ts"
import { now } from "./support/people.ts"

const folder = mkdtempSync(join(tmpdir(), "kez-chat-"))
after(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

conversationSuite("SQLite", {
  open: () => Promise.resolve(openSqlite({ path: join(folder, String(files++)), now: () => now })),
})

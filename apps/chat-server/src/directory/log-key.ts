/** The key that signs checkpoints: made at the first start, kept in a file that nobody else may read, and never changed under a log. */
import { createHmac, randomBytes } from "node:crypto"
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs"
import { dirname } from "node:path"
import { createSigner, isHex, KezError, type Signer, tryParseHex } from "@kez/core"
import { directoryOrigin } from "@kez/core/directory"
import { createNoteSigner, formatNoteKey, type NoteSigner } from "@kez/core/tlog"
import { syncFolder } from "@kez/server/sqlite-file"
import type { Database, Sql } from "../storage/database.ts"
import { textIn } from "../storage/row.ts"

const keyMark = "log_key"

/** A key of its own for signed answers, made of the same secret: there is one file to keep, and nothing else for an admin to copy. */
export function readAnswerSigner(path: string): Signer {
  const secret = createHmac("sha256", readKey(path)).update("kez/chat/answer/v1").digest()
  return createSigner("ed25519", Uint8Array.from(secret))
}

/** Throws `store.permissions`, `store.corrupt`, `store.write`, and `directory.key` for another key than the log was begun with. */
export async function openLogKey(database: Database, path: string, domain: string): Promise<NoteSigner> {
  // A key that is missing is not made anew under a log: whoever has forgotten to copy it must hear of it.
  if (!existsSync(path)) {
    if ((await knownKey(database)) !== undefined) throw otherKey(path)
    makeKey(path)
  }
  const signer = createNoteSigner(directoryOrigin(domain), readKey(path))
  const own = formatNoteKey(signer)
  const known = await database.transact(async (sql) => {
    await sql.rows("INSERT INTO marks VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", [keyMark, own])
    return knownKey(sql)
  })
  if (known === own) return signer
  throw otherKey(path)
}

async function knownKey(sql: Sql): Promise<string | undefined> {
  const [row] = await sql.rows("SELECT value FROM marks WHERE name = $1", [keyMark])
  return row === undefined ? undefined : textIn(row, "value")
}

function otherKey(path: string): KezError {
  return new KezError("directory.key", "Cannot start: the log in the database was begun with another key or domain", {
    hint: `Put the old file back at ${path}, or the old domain into the settings. Readers would refuse another key: the log would be another one.`,
  })
}

/** Whole or not at all: it gets its name when it is on the disk. */
function makeKey(path: string): void {
  const draft = `${path}.${randomBytes(6).toString("hex")}`
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const file = openSync(draft, "wx", 0o600)
    writeSync(file, `${randomBytes(32).toString("hex")}\n`)
    fsyncSync(file)
    closeSync(file)
    linkSync(draft, path)
    unlinkSync(draft)
    syncFolder(dirname(path))
  } catch (cause) {
    rmSync(draft, { force: true })
    throw new KezError("store.write", `Cannot write ${path}: expected a folder that can be written to`, { cause })
  }
}

function readKey(path: string): Uint8Array {
  if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) {
    throw new KezError("store.permissions", `Cannot use ${path}: others may read it`, { hint: `chmod 600 ${path}` })
  }
  const text = readFileSync(path, "latin1").trim()
  const secret = isHex(text, 32) ? tryParseHex(text, 32) : undefined
  if (secret === undefined) throw new KezError("store.corrupt", `Cannot use ${path}: expected 64 hex digits`)
  return secret
}

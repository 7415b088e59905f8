/** Small private files that survive a crash at any moment: complete or absent, old or new, and never overwritten by mistake. */
import { randomBytes } from "node:crypto"
import {
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { fault } from "../fault.ts"

const privateFile = 0o600
const lockWaitMs = 5_000
/** https://sqlite.org/rescode.html */
const sqliteBusy = 5

/** Makes the directory and its parents, readable by nobody else. An existing one stays as it is. */
export function makePrivateDir(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
}

/** Creates a file with mode 0600. Throws `store.exists` when there is one, also one that another process just made. */
export function createFile(path: string, text: string): void {
  const temporary = writeTemporary(path, text)
  try {
    // Unlike rename, link never replaces what is there.
    linkSync(temporary, path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause
    throw fault("store.exists", `Cannot create ${path}: it exists already`, { cause })
  } finally {
    unlinkSync(temporary)
  }
  syncDir(dirname(path))
}

/** Replaces a file in one step: whoever opens it, at any moment, reads the old or the new text. */
export function replaceFile(path: string, text: string): void {
  const temporary = writeTemporary(path, text)
  try {
    renameSync(temporary, path)
  } catch (cause) {
    unlinkSync(temporary)
    throw cause
  }
  syncDir(dirname(path))
}

export function removeFile(path: string): void {
  unlinkSync(path)
  syncDir(dirname(path))
}

/** The text of a file, or undefined where there is none. */
export function tryReadFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw error
  }
}

/**
 * Runs `change` while no other process changes files in `dir`. The lock is SQLite's: the system frees it when its
 * process dies, however it dies. Throws `store.busy`.
 */
export async function withLock<T>(dir: string, change: () => T): Promise<T> {
  const path = join(dir, ".lock")
  // SQLite would call every reason "unable to open".
  closeSync(openSync(path, "a", privateFile))
  const { DatabaseSync } = await import("node:sqlite")
  const database = new DatabaseSync(path, { timeout: lockWaitMs })
  try {
    lock(database)
    return change()
  } finally {
    database.close()
  }
}

function lock(database: { exec(sql: string): void }): void {
  try {
    database.exec("BEGIN EXCLUSIVE")
  } catch (cause) {
    const { errcode } = cause as { errcode?: unknown }
    if (errcode === sqliteBusy) {
      throw fault("store.busy", "Cannot change the identities: another kez is changing them", { cause })
    }
    throw fault("store.write", "Cannot change the identities: the disk is full or cannot be written", { cause })
  }
}

function writeTemporary(path: string, text: string): string {
  const temporary = join(dirname(path), `.${randomBytes(8).toString("hex")}.tmp`)
  const fd = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, privateFile)
  try {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
    fsyncSync(fd)
  } catch (cause) {
    unlinkSync(temporary)
    throw cause
  } finally {
    closeSync(fd)
  }
  return temporary
}

/** A new name is on the disk only when its directory is. Windows does not open directories. */
function syncDir(path: string): void {
  if (process.platform === "win32") return
  const fd = openSync(path, "r")
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

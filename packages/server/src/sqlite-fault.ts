/** What goes wrong in SQLite, in the codes of the store. */
import { statfsSync } from "node:fs"
import { dirname } from "node:path"
import { KezError } from "@kez/core"

const permission = 3
const busyCodes = [5, 6]
const readOnly = 8
const ioError = 10
const corrupt = 11
const full = 13
const cannotOpen = 14
const notADatabase = 26

/** Below this a disk counts as full: SQLite calls it an I/O error when its index of the log finds no room. */
const noRoomBytes = 262_144

/** Runs work on a database, with the codes of the store for its failures. */
export function guard<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw explain(error, path)
  }
}

/** The KezError for a failure of SQLite; anything else as it is. */
export function explain(error: unknown, path: string): unknown {
  if (!isSqliteError(error)) return error
  const code = error.errcode & 0xff
  const cause = error
  if (code === full || (code === ioError && !hasRoom(path))) {
    return new KezError("store.full", "Cannot write to the store: the disk or the quota is used up", {
      cause,
      hint: "Nothing was changed, and reading goes on. Writing goes on by itself once there is room.",
    })
  }
  if (busyCodes.includes(code)) {
    return new KezError("store.busy", "Cannot write to the store: another process holds it", {
      cause,
      hint: "Nothing was changed. Try again.",
    })
  }
  if (code === corrupt || code === notADatabase) {
    return new KezError("store.corrupt", `Cannot read ${path}: expected a whole SQLite database`, {
      cause,
      hint: "Nothing was deleted. Keep the file, and restore a backup beside it.",
    })
  }
  if ([permission, readOnly, ioError, cannotOpen].includes(code)) return writeFault(path, error)
  return error
}

export function writeFault(path: string, cause: unknown): KezError {
  return new KezError("store.write", `Cannot use ${path}: expected a writable file in a writable folder`, {
    cause,
    hint: "Nothing was changed. Is the folder read-only, or owned by another user?",
  })
}

function hasRoom(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path))
    return bavail * bsize >= noRoomBytes
  } catch {
    return true
  }
}

function isSqliteError(error: unknown): error is Error & { readonly errcode: number } {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number"
}

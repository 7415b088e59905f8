/**
 * Who wrote to the file last, so that those who read see without asking for each chain that another process has written. SQLite tells a
 * connection that others have written, but not whether they are of the same process. So the thread that writes puts the name of its
 * process into the file, with another number each time that it was not the only one: as long as both stay, all of it is by that thread.
 */
import { randomBytes } from "node:crypto"
import type { DatabaseSync } from "node:sqlite"

const markName = "writer"

export interface WriterMark {
  /** Within a transaction, before anything else; the result is to be called after COMMIT. */
  claim(): () => void
}

/** The name of a process and of a storage in it. */
export function nameWriter(): string {
  return randomBytes(12).toString("hex")
}

/** For the connection that writes. */
export function createWriterMark(database: DatabaseSync, writerName: string): WriterMark {
  const version = database.prepare("PRAGMA data_version")
  const write = database.prepare("INSERT INTO marks VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value")
  let alone: unknown
  let count = 0
  return {
    claim() {
      const now = version.get()?.["data_version"]
      if (now !== alone) write.run(markName, `${writerName} ${++count}`)
      return () => {
        alone = now
      }
    },
  }
}

/** For the connection that reads: another number whenever somebody else than this writer has written. */
export function createForeignCounter(database: DatabaseSync, writerName: string): () => number {
  const version = database.prepare("PRAGMA data_version")
  const writer = database.prepare("SELECT value FROM marks WHERE name = ?")
  let seen: unknown
  let last = ""
  let count = 0
  return () => {
    const now = version.get()?.["data_version"]
    if (now === seen) return count
    const mark = String(writer.get(markName)?.["value"])
    if (mark !== last || !mark.startsWith(`${writerName} `)) count += 1
    last = mark
    seen = now
    return count
  }
}

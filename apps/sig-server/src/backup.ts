/** Writes everything that a storage holds into one file, while the server goes on. */
import { createHash } from "node:crypto"
import { type FileHandle, open, rename, rm } from "node:fs/promises"
import { dirname } from "node:path"
import { type Digest, digestOf, KezError } from "@kez/core"
import { formatEventLine, formatHeader, formatHeadLine, formatTrailer } from "./backup-lines.ts"
import { maxBackupHeads } from "./limits.ts"
import type { Storage } from "./storage/storage.ts"

/** What a backup reads of a storage. */
export type BackupSource = Pick<Storage, "eventsAfter" | "loadChain" | "loadHeads">

export interface BackupOptions {
  readonly storage: BackupSource
  readonly path: string
  /** Unix seconds. */
  readonly now: number
}

export interface BackupResult {
  readonly events: number
  readonly heads: number
}

const eventsAtOnce = 500
const bytesAtOnce = 1_048_576

/**
 * One state of the store: every event up to the last one at the start, and no later one. The file is there under its name when
 * it is whole and on the disk, and a file of that name is replaced then and not before.
 * Throws `store.corrupt` for a stored event that is not what it was, `store.full` and `store.write` for the file.
 */
export async function backup({ storage, path, now }: BackupOptions): Promise<BackupResult> {
  const unfinished = `${path}.${process.pid}.part`
  try {
    const result = await writeFile(unfinished, storage, now)
    await rename(unfinished, path)
    await syncFolder(dirname(path))
    return result
  } catch (error) {
    await rm(unfinished, { force: true })
    throw explain(error)
  }
}

async function writeFile(path: string, storage: BackupSource, now: number): Promise<BackupResult> {
  const file = await open(path, "wx", 0o600)
  try {
    const out = new Output(file)
    const result = await writeLines(out, storage, now)
    await out.end(result)
    await file.sync()
    return result
  } finally {
    await file.close()
  }
}

async function writeLines(out: Output, storage: BackupSource, now: number): Promise<BackupResult> {
  const last = await lastCursor(storage)
  let events = 0
  let heads = 0
  await out.write(formatHeader({ cursor: last, takenAt: now }))
  let known = 0
  const count = (more: number): void => {
    known += more
  }
  for await (const chain of chainsUpTo(storage, last, count)) {
    const stored = await storage.loadChain(chain)
    for (const event of stored?.events ?? []) {
      if (event.cursor > last) continue
      if (digestOf(event.text) !== event.digest) {
        throw damaged("a stored event is damaged")
      }
      await out.write(formatEventLine(event))
      events++
    }
    // The newest: clients sign new ones, and a restore takes no more.
    for (const head of (await storage.loadHeads(chain, now)).slice(0, maxBackupHeads)) {
      await out.write(formatHeadLine(head.text))
      heads++
    }
  }
  // Of a chain whose event 0 is not known as such nothing was written.
  if (events < known) throw damaged("stored events belong to no chain")
  return { events, heads }
}

function damaged(what: string): KezError {
  return new KezError("store.corrupt", `Cannot write the backup: ${what}`, {
    hint: "Keep older backups. Another store or its owner's computer may still have the chain.",
  })
}

/** Chains in the order in which they began. Tells how many events it has met. */
async function* chainsUpTo(
  storage: BackupSource,
  last: number,
  onEvents: (count: number) => void,
): AsyncGenerator<Digest> {
  for (let after = 0; after < last; ) {
    const page = await storage.eventsAfter(after, eventsAtOnce)
    onEvents(page.filter(({ cursor }) => cursor <= last).length)
    for (const { cursor, seq, chain } of page) if (seq === 0 && cursor <= last) yield chain
    after = page.at(-1)?.cursor ?? last
  }
}

/** The highest cursor, 0 for none. Few questions find it: is there an event after this number? */
async function lastCursor(storage: BackupSource): Promise<number> {
  const isAfter = async (cursor: number): Promise<boolean> => (await storage.eventsAfter(cursor, 1)).length > 0
  let low = 0
  let high = 1
  while (await isAfter(high)) {
    low = high
    high *= 2
  }
  if (!(await isAfter(low))) return low
  // There is an event after `low`, and none after `high`.
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (await isAfter(middle)) low = middle
    else high = middle
  }
  return high
}

class Output {
  readonly #file: FileHandle
  readonly #hash = createHash("sha256")
  #lines: string[] = []
  #length = 0

  constructor(file: FileHandle) {
    this.#file = file
  }

  async write(line: string): Promise<void> {
    this.#lines.push(line)
    this.#length += line.length
    if (this.#length >= bytesAtOnce) await this.#flush()
  }

  async end(result: BackupResult): Promise<void> {
    await this.#flush()
    await this.#file.appendFile(formatTrailer({ ...result, sha256: this.#hash.digest("hex") }))
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.from(this.#lines.join(""))
    this.#lines = []
    this.#length = 0
    this.#hash.update(bytes)
    await this.#file.appendFile(bytes)
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows knows no such thing, and keeps names without it.
  if (process.platform === "win32") return
  const folder = await open(path, "r")
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function explain(error: unknown): unknown {
  if (!(error instanceof Error && "syscall" in error && "code" in error)) return error
  if (error.code === "ENOSPC" || error.code === "EDQUOT") {
    return new KezError("store.full", "Cannot write the backup: expected room on the disk", { cause: error })
  }
  return new KezError("store.write", "Cannot write the backup: expected a writable folder", { cause: error })
}

/**
 * Many writes, one wait for the disk. What arrives within one turn of the event loop shares a transaction; while that waits for
 * the disk, the next ones gather in the sockets. No timer: a lone write is never delayed.
 */
import type { DatabaseSync } from "node:sqlite"
import { KezError } from "@kez/core"
import { explain } from "./sqlite-fault.ts"

export interface GroupCommit {
  /**
   * Runs a piece of work that writes, in a transaction with others. Resolves after COMMIT, so that the write survives a power cut.
   * What one piece throws undoes that piece alone.
   */
  run<T>(work: () => T): Promise<T>
  /** Commits what still waits; later work is refused. */
  close(): void
}

export interface GroupCommitOptions {
  readonly database: DatabaseSync
  readonly path: string
  readonly maxWrites: number
}

interface Waiting {
  /** Does the work; returns what tells its caller. */
  attempt(): () => void
  reject(error: unknown): void
}

export function createGroupCommit({ database, path, maxWrites }: GroupCommitOptions): GroupCommit {
  const begin = database.prepare("BEGIN IMMEDIATE")
  const commit = database.prepare("COMMIT")
  const rollback = database.prepare("ROLLBACK")
  const savepoint = database.prepare("SAVEPOINT one")
  const undo = database.prepare("ROLLBACK TO one")
  const release = database.prepare("RELEASE one")
  let waiting: Waiting[] = []
  let isScheduled = false
  let isClosed = false

  return {
    run: (work) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(new KezError("store.write", "Cannot write to the store: it is closed"))
        const attempt = () => {
          const result = work()
          return () => resolve(result)
        }
        waiting.push({ attempt, reject })
        schedule()
      }),
    close() {
      isClosed = true
      while (waiting.length > 0) flush()
    },
  }

  function schedule(): void {
    if (isScheduled || waiting.length === 0) return
    isScheduled = true
    setImmediate(() => {
      isScheduled = false
      flush()
      // What is too much for one transaction waits a turn: those who read come in between.
      schedule()
    })
  }

  function flush(): void {
    const batch = waiting.slice(0, maxWrites)
    waiting = waiting.slice(maxWrites)
    if (batch.length > 0) settle(batch)
  }

  function settle(batch: readonly Waiting[]): void {
    let tell: readonly (() => void)[]
    try {
      tell = transact(batch)
    } catch (cause) {
      const error = explain(cause, path)
      // Where there is no room for all, there may be for some.
      const isFull = error instanceof KezError && error.code === "store.full"
      if (isFull && batch.length > 1) for (const one of batch) settle([one])
      else for (const { reject } of batch) reject(error)
      return
    }
    for (const done of tell) done()
  }

  /** Throws when nothing of the batch was written. */
  function transact(batch: readonly Waiting[]): readonly (() => void)[] {
    begin.run()
    try {
      const tell = batch.map(attemptOne)
      commit.run()
      return tell
    } catch (error) {
      // Of some failures SQLite has undone everything already.
      if (database.isTransaction) rollback.run()
      throw error
    }
  }

  function attemptOne({ attempt, reject }: Waiting): () => void {
    savepoint.run()
    try {
      const done = attempt()
      release.run()
      return done
    } catch (error) {
      if (!database.isTransaction) throw error
      undo.run()
      release.run()
      return () => reject(explain(error, path))
    }
  }
}

/** Many writes, one wait for the disk: a batch of them in one transaction. */

import type { DatabaseSync } from "node:sqlite"
import { KezError } from "@kez/core"
import { explain } from "@kez/server/sqlite-fault"
import type { Outcome } from "./batch-queue.ts"
import type { WriterMark } from "./writer-mark.ts"

/**
 * Runs pieces of work that write, in one transaction; gives an outcome for each, after COMMIT: what has a value survives a power cut.
 * What one piece throws undoes that piece alone: the transaction is undone then, and all of it is done once more with a savepoint for
 * each piece. A piece may therefore run twice.
 */
export type GroupCommit = <T>(works: readonly (() => T)[]) => readonly Outcome<T>[]

export interface GroupCommitOptions {
  readonly database: DatabaseSync
  readonly path: string
  readonly mark: WriterMark
  /** Called in each transaction, before the pieces and after them. */
  readonly begin: () => void
  readonly finish: () => void
}

/** What a piece threw where it had no savepoint. */
class PieceError extends Error {}

type Attempt = <T>(work: () => T) => Outcome<T>

export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  const { database, path, mark } = options
  const begin = database.prepare("BEGIN IMMEDIATE")
  const commit = database.prepare("COMMIT")
  const rollback = database.prepare("ROLLBACK")
  const savepoint = database.prepare("SAVEPOINT one")
  const undo = database.prepare("ROLLBACK TO one")
  const release = database.prepare("RELEASE one")

  // Pieces hardly ever fail: a savepoint for each would take as long as what they write.
  return (works) => commitTogether(works, run)

  function commitTogether<T>(works: readonly (() => T)[], doOne: Attempt): readonly Outcome<T>[] {
    try {
      return transact(works, doOne)
    } catch (cause) {
      if (cause instanceof PieceError) return commitTogether(works, attempt)
      const error = explain(cause, path)
      // Where there is no room for all, there may be for some.
      const isFull = error instanceof KezError && error.code === "store.full"
      if (!isFull || works.length < 2) return works.map(() => ({ error }))
      return works.flatMap((work) => commitTogether([work], attempt))
    }
  }

  /** Throws when nothing of the batch was written. */
  function transact<T>(works: readonly (() => T)[], doOne: Attempt): readonly Outcome<T>[] {
    begin.run()
    try {
      const claimed = mark.claim()
      options.begin()
      const outcomes = works.map((work) => doOne(work))
      options.finish()
      commit.run()
      claimed()
      return outcomes
    } catch (error) {
      // Of some failures SQLite has undone everything already.
      if (database.isTransaction) rollback.run()
      throw error
    }
  }

  function run<T>(work: () => T): Outcome<T> {
    try {
      return { value: work() }
    } catch (cause) {
      throw new PieceError("a piece failed", { cause })
    }
  }

  function attempt<T>(work: () => T): Outcome<T> {
    savepoint.run()
    try {
      const value = work()
      release.run()
      return { value }
    } catch (error) {
      if (!database.isTransaction) throw error
      undo.run()
      release.run()
      return { error: explain(error, path) }
    }
  }
}

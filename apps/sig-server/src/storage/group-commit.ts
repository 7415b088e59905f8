/** Many writes, one wait for the disk: a batch of them in one transaction. */
import type { DatabaseSync } from "node:sqlite"
import { KezError } from "@kez/core"
import { explain } from "./sqlite-fault.ts"
import type { WriterMark } from "./writer-mark.ts"

export type Outcome<T> = { readonly value: T } | { readonly error: unknown }

/**
 * Runs pieces of work that write, in one transaction; gives an outcome for each, after COMMIT: what has a value survives a power cut.
 * What one piece throws undoes that piece alone.
 */
export type GroupCommit = <T>(works: readonly (() => T)[]) => readonly Outcome<T>[]

export interface GroupCommitOptions {
  readonly database: DatabaseSync
  readonly path: string
  readonly mark: WriterMark
}

export function createGroupCommit({ database, path, mark }: GroupCommitOptions): GroupCommit {
  const begin = database.prepare("BEGIN IMMEDIATE")
  const commit = database.prepare("COMMIT")
  const rollback = database.prepare("ROLLBACK")
  const savepoint = database.prepare("SAVEPOINT one")
  const undo = database.prepare("ROLLBACK TO one")
  const release = database.prepare("RELEASE one")

  return commitTogether

  function commitTogether<T>(works: readonly (() => T)[]): readonly Outcome<T>[] {
    try {
      return transact(works)
    } catch (cause) {
      const error = explain(cause, path)
      // Where there is no room for all, there may be for some.
      const isFull = error instanceof KezError && error.code === "store.full"
      return isFull && works.length > 1 ? works.flatMap((work) => commitTogether([work])) : works.map(() => ({ error }))
    }
  }

  /** Throws when nothing of the batch was written. */
  function transact<T>(works: readonly (() => T)[]): readonly Outcome<T>[] {
    begin.run()
    try {
      const claimed = mark.claim()
      const outcomes = works.map(attempt)
      commit.run()
      claimed()
      return outcomes
    } catch (error) {
      // Of some failures SQLite has undone everything already.
      if (database.isTransaction) rollback.run()
      throw error
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

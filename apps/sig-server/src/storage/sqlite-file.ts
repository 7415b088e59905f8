/** The SQLite file of the store: the shared way to open one, with the tables of this program. */
import type { DatabaseSync } from "node:sqlite"
import { openSqliteFile as openFile, type FileOptions as SharedOptions } from "@kez/server/sqlite-file"
import { applicationId, type Migration, migrations } from "./schema.ts"

export { openForWriting, syncFile, syncFolder, type WriteOptions } from "@kez/server/sqlite-file"

export interface FileOptions extends Omit<SharedOptions, "form"> {
  readonly steps?: readonly Migration[]
}

/** Throws what the shared one throws: `store.newer`, `store.corrupt`, `store.write`, `store.full`, `store.busy`. */
export function openSqliteFile({ steps = migrations, ...options }: FileOptions): DatabaseSync {
  return openFile({ ...options, form: { program: "kez-sig-server", applicationId, migrations: steps } })
}

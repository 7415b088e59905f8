/** The database that the configuration names: PostgreSQL where there is a URL, else one SQLite file. */
import { join } from "node:path"
import type { Database } from "./database.ts"
import { openPostgres } from "./postgres.ts"
import { openSqlite } from "./sqlite.ts"

export interface StoragePlace {
  readonly databaseUrl: string | undefined
  readonly dataFolder: string
  /** The largest that a SQLite file may become; undefined: as large as the disk allows. */
  readonly quotaBytes: number | undefined
}

/** `now` in Unix seconds. Makes and upgrades what is there; throws what `openSqlite` and `openPostgres` throw. */
export async function openDatabase(place: StoragePlace, now: () => number): Promise<Database> {
  const { databaseUrl, dataFolder, quotaBytes } = place
  if (databaseUrl !== undefined) return openPostgres(databaseUrl)
  return openSqlite({ path: join(dataFolder, "kez-chat.sqlite"), now, quotaBytes })
}

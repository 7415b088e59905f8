/** The database that the configuration names: PostgreSQL where there is a URL, else one SQLite file. */

import { join } from "node:path"
import type { StoragePlace } from "@kez/server/common-settings"
import type { Database } from "./database.ts"
import { openPostgres } from "./postgres.ts"
import { openSqlite } from "./sqlite.ts"

/** `now` in Unix seconds. Makes and upgrades what is there; throws what `openSqlite` and `openPostgres` throw. */
export async function openDatabase(place: StoragePlace, now: () => number): Promise<Database> {
  const { databaseUrl, dataFolder, quotaBytes } = place
  if (databaseUrl !== undefined) return openPostgres(databaseUrl)
  return openSqlite({ path: join(dataFolder, "kez-chat.sqlite"), now, quotaBytes })
}

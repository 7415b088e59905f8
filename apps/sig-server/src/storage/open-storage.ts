/** The storage that the configuration names: PostgreSQL where there is a URL, else one SQLite file. */

import { existsSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { KezError } from "@kez/core"
import type { StoragePlace } from "@kez/server/common-settings"
import { explainPostgres } from "@kez/server/postgres-errors"
import { guard } from "@kez/server/sqlite-fault"
import { Client } from "pg"
import { openPostgres } from "./postgres.ts"
import { newestPostgresVersion } from "./postgres-schema.ts"
import { migrations } from "./schema.ts"
import { openSqlite } from "./sqlite.ts"
import type { Storage } from "./storage.ts"

export interface MigrationStatus {
  /** Without user and password. */
  readonly place: string
  /** 0: nothing is there yet. */
  readonly found: number
  readonly known: number
}

export function sqlitePath({ dataFolder }: StoragePlace): string {
  return join(dataFolder, "kez-sig.sqlite")
}

/** `now` in Unix seconds. Makes and upgrades what is there; throws what `openSqlite` and `openPostgres` throw. */
export async function openStorage(place: StoragePlace, now: () => number): Promise<Storage> {
  const { databaseUrl, quotaBytes } = place
  if (databaseUrl !== undefined) return openPostgres(databaseUrl)
  return openSqlite({ path: sqlitePath(place), now, ...(quotaBytes !== undefined && { quotaBytes }) })
}

/** Whether there is anything to read: a backup must not make an empty store and copy that. */
export function assertExists(place: StoragePlace): void {
  const path = sqlitePath(place)
  if (place.databaseUrl === undefined && !existsSync(path)) {
    throw new KezError("store.unknown", `Cannot open ${path}: there is no such file`, {
      hint: "Does the configuration name the right folder?",
    })
  }
}

/** Looks, and changes nothing. */
export async function migrationStatus(place: StoragePlace): Promise<MigrationStatus> {
  if (place.databaseUrl !== undefined) return postgresStatus(place.databaseUrl)
  const path = sqlitePath(place)
  const known = migrations.length
  if (!existsSync(path)) return { place: path, found: 0, known }
  return guard(path, () => {
    const database = new DatabaseSync(path, { readOnly: true })
    try {
      const { user_version: found } = database.prepare("PRAGMA user_version").get() ?? {}
      return { place: path, found: Number(found), known }
    } finally {
      database.close()
    }
  })
}

async function postgresStatus(url: string): Promise<MigrationStatus> {
  const { host, pathname } = new URL(url)
  const client = new Client({ connectionString: url })
  client.on("error", () => undefined)
  try {
    await client.connect()
    const tables = await client.query<{ found: boolean }>(
      "SELECT to_regclass('kez_sig.schema_version') IS NOT NULL AS found",
    )
    const isThere = tables.rows[0]?.found === true
    const versions = isThere
      ? await client.query<{ version: number }>("SELECT version FROM kez_sig.schema_version")
      : undefined
    const found = versions?.rows[0]?.version ?? 0
    return { place: `postgres://${host}${pathname}`, found, known: newestPostgresVersion }
  } catch (error) {
    throw explainPostgres(error)
  } finally {
    await client.end().catch(() => undefined)
  }
}

/**
 * Restores a backup in a process of its own: `restore-process.ts FILE URL|PATH CHAINS`. After so many chains it says so and
 * stands still, to be killed.
 */
import { writeSync } from "node:fs"
import { restore } from "../../apps/sig-server/src/restore.ts"
import { openPostgres } from "../../apps/sig-server/src/storage/postgres.ts"
import { openSqlite } from "../../apps/sig-server/src/storage/sqlite.ts"

const [path = "", place = "", standAt = ""] = process.argv.slice(2)
const now = 1_800_000_000
const storage = place.startsWith("postgres:") ? await openPostgres(place) : openSqlite({ path: place, now: () => now })
await restore(storage, { path, now, onProgress: ({ chains }) => chains === Number(standAt) && standStill() })
await storage.close()

function standStill(): void {
  writeSync(1, "here\n")
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

/**
 * What was put where, by the name that its sender gave it: a device that never heard the answer asks again, maybe after days, and must not be in
 * the log twice. The broker itself remembers names for two minutes, so they are written here a moment later, many at once.
 */
import { createHash } from "node:crypto"
import { deviceFlushMs, sentDays } from "../limits.ts"
import type { Database } from "../storage/database.ts"
import { countOf } from "../storage/row.ts"

export interface Sent {
  find(name: string): Promise<number | undefined>
  note(name: string, place: number): void
  stop(): Promise<void>
}

export interface SentOptions {
  readonly database: Database
  readonly nowSeconds: () => number
  readonly onFault: (error: unknown) => void
}

const pruneEverySeconds = 3_600

export function createSent({ database, nowSeconds, onFault }: SentOptions): Sent {
  const waiting = new Map<string, number>()
  let prunedAt = 0
  const flush = async (): Promise<void> => {
    const notes = [...waiting]
    const now = nowSeconds()
    const isDue = now - prunedAt >= pruneEverySeconds
    if (notes.length === 0 && !isDue) return
    await database.transact(async (sql) => {
      for (const [name, place] of notes) {
        await sql.rows("INSERT INTO sent VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", [name, place, now])
      }
      if (isDue) await sql.rows("DELETE FROM sent WHERE sent_at < $1", [now - sentDays * 86_400])
    })
    if (isDue) prunedAt = now
    for (const [name] of notes) waiting.delete(name)
  }
  const timer = setInterval(() => void flush().catch(onFault), deviceFlushMs)
  return {
    async find(name) {
      const key = keyOf(name)
      const fresh = waiting.get(key)
      if (fresh !== undefined) return fresh
      const [row] = await database.rows("SELECT place FROM sent WHERE name = $1", [key])
      return row === undefined ? undefined : countOf(row["place"])
    },
    note: (name, place) => void waiting.set(keyOf(name), place),
    async stop() {
      clearInterval(timer)
      await flush().catch(onFault)
    },
  }
}

const keyOf = (name: string): string => createHash("sha256").update(name).digest("base64url")

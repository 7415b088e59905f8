/**
 * Who ever sent something into which conversation. Written a moment later, many at once: if a crash takes that, its person counts as a stranger
 * there until the next message.
 */
import { deviceFlushMs, maxKnownWriters } from "../limits.ts"
import type { Database } from "../storage/database.ts"

export interface Writers {
  note(conversation: string, uid: string): void
  /** At once where it is known: what goes out then goes out in the order in which it was asked. */
  has(conversation: string, uid: string): true | Promise<boolean>
  stop(): Promise<void>
}

export interface WritersOptions {
  readonly database: Database
  readonly nowMs: () => number
  readonly onFault: (error: unknown) => void
}

/** Another copy of the server may see somebody write for the first time: for so long he stays a stranger here. */
const strangeMs = 10_000

export function createWriters({ database, nowMs, onFault }: WritersOptions): Writers {
  const known = new Set<string>()
  // Of those who did not write. One promise for all who ask meanwhile, so that they go on in the order in which they asked.
  const strange = new Map<string, { readonly until: number; readonly found: Promise<boolean> }>()
  const waiting = new Set<string>()
  const remember = (name: string): void => {
    strange.delete(name)
    known.delete(name)
    known.add(name)
    forgetOldest(known)
  }
  const look = async (name: string): Promise<boolean> => {
    const text = "SELECT uid FROM writers WHERE conversation = $1 AND uid = $2"
    const found = (await database.rows(text, name.split(" "))).length > 0
    if (found) remember(name)
    return found || known.has(name)
  }
  const flush = async (): Promise<void> => {
    const names = [...waiting]
    if (names.length === 0) return
    await database.transact(async (sql) => {
      for (const name of names) {
        await sql.rows("INSERT INTO writers VALUES ($1, $2) ON CONFLICT DO NOTHING", name.split(" "))
      }
    })
    for (const name of names) waiting.delete(name)
  }
  const timer = setInterval(() => void flush().catch(onFault), deviceFlushMs)
  return {
    note(conversation, uid) {
      const name = `${conversation} ${uid}`
      if (!known.has(name)) waiting.add(name)
      remember(name)
    },
    has(conversation, uid) {
      const name = `${conversation} ${uid}`
      if (known.has(name)) return true
      const asked = strange.get(name)
      if (asked !== undefined && asked.until > nowMs()) return asked.found
      const found = look(name)
      strange.delete(name)
      strange.set(name, { until: nowMs() + strangeMs, found })
      forgetOldest(strange)
      // A database that fails is asked again, and who asked hears of it.
      found.catch(() => strange.delete(name))
      return found
    },
    async stop() {
      clearInterval(timer)
      await flush().catch(onFault)
    },
  }
}

function forgetOldest(from: Map<string, unknown> | Set<string>): void {
  const oldest = from.keys().next()
  if (from.size > maxKnownWriters && oldest.done !== true) from.delete(oldest.value)
}

/** A store that forgets with its process: for tests, and for a page that may keep nothing. */
import type { Change, EngineStore } from "./store.ts"

/** `rows` may be shared: a second store over them is the same machine after a restart. */
export function createMemoryStore(rows: Map<string, Uint8Array> = new Map()): EngineStore {
  return {
    get: async (key) => rows.get(key)?.slice(),
    async list({ from, to, limit, reverse = false }) {
      const keys = [...rows.keys()].filter((key) => key >= from && key < to).sort()
      const ordered = reverse ? keys.reverse() : keys
      return ordered.slice(0, limit ?? ordered.length).map((key) => ({ key, value: rows.get(key) ?? new Uint8Array() }))
    },
    async write(changes: readonly Change[]) {
      for (const change of changes) {
        if ("put" in change) rows.set(change.put, change.value.slice())
        else rows.delete(change.delete)
      }
    },
    close: async () => undefined,
  }
}

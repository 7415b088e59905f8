/**
 * One connection to the store for work on many things at once. What is written at about the same time is one transaction:
 * each waits for the disk, and two of them on two connections of one process would wait for each other for ever.
 */
import { nextTurn } from "../turns.ts"
import { inTransaction, openStore, type Store } from "./database.ts"

/** How long a write waits for others to join it. Each time on the disk holds up everything else. */
const gatherMs = 250

export interface SharedStore {
  /** Opens the store with the first call, and makes it if there is none. Throws as `openStore`. */
  open(): Store
  /** Resolves when the write is on the disk. Throws `store.*`; then nothing of it, and of those that joined it, was kept. */
  write<T>(work: (store: Store) => T): Promise<T>
  /** From now on nothing waits for others. */
  hurry(): void
  /** Writes what still waits, and closes. */
  close(): Promise<void>
}

interface Write {
  run(store: Store): void
  settle(error?: unknown): void
}

export function createSharedStore(path: string): SharedStore {
  let store: Store | undefined
  let gathered: Write[] = []
  let timer: NodeJS.Timeout | undefined
  let waitMs = gatherMs
  // One after the other: a connection has one transaction at a time.
  let lastFlush: Promise<void> = Promise.resolve()

  const open = (): Store => {
    store ??= openStore(path)
    return store
  }

  async function writeAll(writes: readonly Write[]): Promise<void> {
    try {
      const opened = open()
      await inTransaction(opened, async () => {
        for (const { run } of writes) {
          // Others of this process see it before it is certain: if it fails, so do they, by the same store.
          await nextTurn()
          run(opened)
        }
      })
      for (const { settle } of writes) settle()
    } catch (error) {
      for (const { settle } of writes) settle(error)
    }
  }

  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const writes = gathered
    gathered = []
    if (writes.length > 0) lastFlush = lastFlush.then(() => writeAll(writes))
    return lastFlush
  }

  return {
    open,
    write<T>(work: (store: Store) => T): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        let result: { readonly value: T } | undefined
        gathered.push({
          run(opened) {
            result = { value: work(opened) }
          },
          settle(error) {
            if (result === undefined || error !== undefined) reject(error)
            else resolve(result.value)
          },
        })
        timer ??= setTimeout(flush, waitMs)
      })
    },
    hurry() {
      waitMs = 0
      void flush()
    },
    async close() {
      await flush()
      store?.close()
    },
  }
}

/** How commands reach the store. SQLite is loaded only when there is a store, or one is to be made: a start stays fast. */
import { existsSync } from "node:fs"
import type { Context } from "../context.ts"
import type { Store } from "./database.ts"
import type { SharedStore } from "./shared-store.ts"

/** By the context of the command that shares one. Each is made with its first use. */
const sharedStores = new WeakMap<Context, () => Promise<SharedStore>>()

export function hasStore({ paths }: Context): boolean {
  return existsSync(paths.database)
}

/** Works on the store, which is made if there is none. */
export async function withStore<T>(context: Context, work: (store: Store) => T | Promise<T>): Promise<T> {
  const shared = sharedStores.get(context)
  if (shared !== undefined) return work((await shared()).open())
  const { openStore } = await import("./database.ts")
  const store = openStore(context.paths.database)
  try {
    return await work(store)
  } finally {
    store.close()
  }
}

/** Reads the store; `none` where there is no store, and none is made. */
export async function readStore<T>(context: Context, none: T, work: (store: Store) => T | Promise<T>): Promise<T> {
  return hasStore(context) ? withStore(context, work) : none
}

/** Writes to the store in a transaction, which may be that of others too where the store is shared: all are kept, or none. */
export async function writeStore<T>(context: Context, work: (store: Store) => T): Promise<T> {
  const shared = sharedStores.get(context)
  if (shared !== undefined) return (await shared()).write(work)
  const { inTransaction } = await import("./database.ts")
  return withStore(context, (store) => inTransaction(store, () => work(store)))
}

/**
 * While the task runs, the store of this context is opened once for everything that happens at the same time, and writes wait
 * for others to join them. The task calls `hurry` when no more will come.
 */
export async function shareStore<T>(context: Context, task: (hurry: () => void) => Promise<T>): Promise<T> {
  // Within another such task it is that one's to say when no more will come.
  if (sharedStores.has(context)) return task(() => {})
  let shared: Promise<SharedStore> | undefined
  sharedStores.set(context, () => {
    shared ??= import("./shared-store.ts").then(({ createSharedStore }) => createSharedStore(context.paths.database))
    return shared
  })
  try {
    return await task(() => void shared?.then(({ hurry }) => hurry()))
  } finally {
    sharedStores.delete(context)
    await (await shared)?.close()
  }
}

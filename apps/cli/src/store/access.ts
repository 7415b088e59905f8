/** How commands reach the store. SQLite is loaded only when there is a store, or one is to be made: a start stays fast. */
import { existsSync } from "node:fs"
import type { Context } from "../context.ts"
import type { Store } from "./database.ts"

export function hasStore({ paths }: Context): boolean {
  return existsSync(paths.database)
}

/** Works on the store, which is made if there is none. */
export async function withStore<T>(context: Context, work: (store: Store) => T | Promise<T>): Promise<T> {
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

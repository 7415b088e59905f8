/** A page whose lock is taken away while it opens the store, with a browser's parts as far as that needs them. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { openIndexedDbStore } from "../src/store/indexed-db.ts"

/** Answers in a turn of its own, as the browser does. */
function answered<T>(result: T): { readonly result: T; onsuccess: (() => void) | null } {
  const request = { result, onsuccess: null as (() => void) | null, onerror: null, onupgradeneeded: null }
  setImmediate(() => request.onsuccess?.())
  return request
}

function setGlobal(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, configurable: true })
}

test("who knows that its lock is gone opens no later version: that would close the store of who took it", async () => {
  const opened: (number | undefined)[] = []
  let steal: (error: Error) => void = () => undefined
  // What the first opening reads. By the time that it is answered the lock is gone.
  const get = () => {
    steal(new Error("another script of this origin took it"))
    return answered(1)
  }
  const database = {
    version: 1,
    objectStoreNames: { contains: () => true },
    transaction: () => ({ objectStore: () => ({ get }) }),
    close: () => undefined,
  }
  setGlobal("indexedDB", {
    open: (_name: string, version?: number) => {
      opened.push(version)
      return answered(database)
    },
  })
  setGlobal("IDBKeyRange", {})
  const request = (_name: string, _options: object, held: () => Promise<void>) =>
    new Promise<void>((resolve, reject) => {
      steal = reject
      held().then(resolve, reject)
    })
  setGlobal("navigator", { locks: { request } })
  await assert.rejects(openIndexedDbStore({ name: "stolen" }), { code: "store.busy" })
  assert.deepEqual(opened, [undefined])
})

/** A whole copy of a SQLite file, in a thread of its own: the store goes on reading and writing meanwhile. */

import { existsSync, linkSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import { Worker } from "node:worker_threads"
import { KezError } from "@kez/core"
import { explain, writeFault } from "@kez/server/sqlite-fault"
import type { CopyOrder } from "./sqlite-copy-thread.ts"
import { syncFile, syncFolder } from "./sqlite-file.ts"

/**
 * Copies the file of a store that may be in use. Under its name the copy is whole, or it is not there.
 * Throws `store.exists`, `store.full`, `store.write`, `store.corrupt`.
 */
export async function copySqlite(from: string, to: string): Promise<void> {
  if (existsSync(to)) throw exists(to)
  const partial = `${to}.partial`
  try {
    rmSync(partial, { force: true })
    await copyInThread({ from, to: partial })
    syncFile(partial)
    // A link, unlike a rename, never replaces a file that came in between.
    linkSync(partial, to)
  } catch (error) {
    const cause = error instanceof Error && "code" in error && error.code === "EEXIST" ? exists(to) : explain(error, to)
    throw cause instanceof KezError ? cause : writeFault(to, cause)
  } finally {
    if (existsSync(partial)) rmSync(partial)
  }
  syncFolder(dirname(to))
}

function exists(path: string): KezError {
  return new KezError("store.exists", `Cannot write the backup: ${path} exists already`, { hint: "Name another file." })
}

function copyInThread(order: CopyOrder): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./sqlite-copy-thread.ts", import.meta.url), { workerData: order })
    // Errors of SQLite cross the border of threads without their number: it is sent by hand.
    worker.once("message", (failure: { message: string; errcode: number }) =>
      reject(Object.assign(new Error(failure.message), { errcode: failure.errcode })),
    )
    worker.once("error", reject)
    worker.once("exit", () => resolve())
  })
}

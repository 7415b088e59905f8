/** What the thread of a backup runs: one VACUUM INTO, which reads one state of the file however long it takes. */
import { DatabaseSync } from "node:sqlite"
import { parentPort, workerData } from "node:worker_threads"
import { busyTimeoutMs } from "../limits.ts"

export interface CopyOrder {
  readonly from: string
  readonly to: string
}

if (parentPort !== null) copy(workerData)

function copy({ from, to }: CopyOrder): void {
  try {
    const database = new DatabaseSync(from, { timeout: 10 * busyTimeoutMs })
    database.prepare("VACUUM INTO ?").run(to)
    database.close()
  } catch (error) {
    const errcode = error instanceof Error && "errcode" in error ? error.errcode : 1
    parentPort?.postMessage({ message: error instanceof Error ? error.message : "", errcode })
  }
}

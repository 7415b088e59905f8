/** Where the key file of a name is, without opening it or loading what opens it. */
import { statSync } from "node:fs"
import { join } from "node:path"

export interface KeyFilePlace {
  readonly path: string
  readonly isEncrypted: boolean
  /** Permission bits. */
  readonly mode: number
  readonly bytes: number
}

export function keyFilePath(keysDir: string, name: string, isEncrypted: boolean): string {
  return join(keysDir, `${name}.${isEncrypted ? "age" : "key"}`)
}

/** The encrypted one counts where a crash has left both. */
export function findKeyFile(keysDir: string, name: string): KeyFilePlace | undefined {
  for (const isEncrypted of [true, false]) {
    const path = keyFilePath(keysDir, name, isEncrypted)
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats !== undefined) return { path, isEncrypted, mode: stats.mode & 0o777, bytes: stats.size }
  }
  return undefined
}

/** `FileDisk` in Node. */
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { KezError } from "@kez/core"
import type { FileDisk } from "./mover.ts"

/** `folder` is this part's own, for its owner alone. */
export function createNodeDisk(folder: string): FileDisk {
  const lists = join(folder, "lists")
  return {
    lists,
    join,
    async writeList(name, bytes) {
      await mkdir(lists, { recursive: true, mode: 0o700 })
      const path = join(lists, name)
      const file = await open(`${path}.new`, "w", 0o600)
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(`${path}.new`, path)
      return path
    },
    removeList: (name) => rm(join(lists, name), { force: true }),
    async readList(name, maxBytes) {
      const path = join(lists, name)
      const { size } = await stat(path)
      if (size > maxBytes) throw new KezError("limit.size", "Cannot read the list of files: it is too long")
      return new Uint8Array(await readFile(path))
    },
    async namesIn(path) {
      await mkdir(path, { recursive: true })
      return new Set(await readdir(path))
    },
  }
}

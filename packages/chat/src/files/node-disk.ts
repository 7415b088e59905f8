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
      return saying("write a list of files", async () => {
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
      })
    },
    removeList: (name) => saying("remove a list of files", () => rm(join(lists, name), { force: true })),
    readList: (name, maxBytes) =>
      saying("read a list of files", async () => {
        const path = join(lists, name)
        const { size } = await stat(path)
        if (size > maxBytes) throw new KezError("limit.size", "Cannot read the list of files: it is too long")
        return new Uint8Array(await readFile(path))
      }),
    namesIn: (path) =>
      saying("use the folder for received files", async () => {
        await mkdir(path, { recursive: true })
        return new Set(await readdir(path))
      }),
  }
}

/** What the system refuses, as people read it, and in a code that a fetch can be gone on with. */
async function saying<T>(doing: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (cause) {
    if (cause instanceof KezError) throw cause
    const { code, message } = cause as NodeJS.ErrnoException
    const why = (code === undefined ? undefined : reasons[code]) ?? code ?? message
    throw new KezError("store.write", `Cannot ${doing}: ${why}`, { cause })
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EACCES: "it is not allowed here",
  EPERM: "it is not allowed here",
  EROFS: "the disk is read-only",
  ENOENT: "it is not there",
  ENOTDIR: "a file stands where a folder is meant",
  EEXIST: "a file stands where a folder is meant",
}

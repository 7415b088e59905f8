/** A fetch out of what somebody shares, as a row like that of an offer: the list of a folder is made here, since it came with the manifest. */
import type { Digest, SharedFile } from "@kez/core"
import { digestOf } from "@kez/core"
import { encodeFileList } from "./list.ts"
import type { FilePorts, InRow } from "./transfer.ts"

export interface SharedWish {
  readonly conversation: Digest
  readonly sender: Digest
  /** By `pickFiles`, one at least. */
  readonly files: readonly SharedFile[]
  readonly into: string
}

/** The row of an earlier run that is not over, for the same files to the same place, or a new one. Kept when this resolves. */
export async function sharedRow(
  { engine, disk, newId }: Pick<FilePorts, "engine" | "disk" | "newId">,
  { conversation, sender, files, into }: SharedWish,
): Promise<InRow> {
  const [first] = files
  if (first === undefined) throw new Error("files to fetch")
  const isFile = files.length === 1 && !first.path.includes("/")
  const list = isFile ? undefined : encodeFileList(files.map(({ path, size, hash }) => ({ path, size, hash })))
  const hash = list === undefined ? first.hash : digestOf(list).slice("sha256:".length)
  const before = (await engine.shelf.list<InRow>("in/")).find(
    (row) =>
      row.isShared === true &&
      (row.state === "waiting" || row.state === "paused") &&
      row.conversation === conversation &&
      row.hash === hash &&
      row.into === into,
  )
  const id = before?.id ?? newId()
  const row: InRow = before ?? {
    ...{ id, conversation, transfer: id, sender, hash, into, state: "waiting", isShared: true },
    ...{
      name: first.path.split("/")[0] ?? "",
      files: files.length,
      size: files.reduce((sum, { size }) => sum + size, 0),
    },
    ...(list === undefined ? {} : { listSize: list.length }),
  }
  if (list !== undefined) await disk.writeList(`${id}.json`, list)
  await engine.shelf.put(`in/${id}`, row)
  return row
}

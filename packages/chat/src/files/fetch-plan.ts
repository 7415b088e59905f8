/** What the mover is asked to fetch, and where each file is written. */
import { maxListBytes } from "../limits.ts"
import { decodeFileList } from "./list.ts"
import type { FetchRequest, ImportedFile } from "./mover.ts"
import { foldedName, freeName, safeName, safePaths } from "./names.ts"
import type { FilePorts, InRow } from "./transfer.ts"

export type FetchPlan = Pick<FetchRequest, "files" | "into">

/** The list of an offer of several files. */
export function listPlan({ disk }: FilePorts, { id, hash, listSize = 0 }: InRow): FetchPlan {
  return { files: [{ hash, size: listSize, path: `${id}.json` }], into: disk.lists }
}

/** Under names that are free, unless they were chosen before. `open`: what else is being written. */
export async function filePlan(ports: FilePorts, row: InRow, open: readonly InRow[]): Promise<FetchPlan> {
  const { into, listSize } = row
  // What is being written is not there under its name yet.
  const others = open.filter((other) => other.into === into).flatMap(({ targets = [] }) => targets)
  const taken = [...(await ports.disk.namesIn(into)), ...others.map((path) => path.split("/")[0] ?? "")]
  const folded = new Set(taken.map(foldedName))
  const isTaken = (name: string): boolean => folded.has(foldedName(name))
  const files = await filesOf(ports, row)
  const paths = files.map(({ path }) => path)
  const targets =
    row.targets ?? (listSize === undefined ? [freeName(safeName(row.name), isTaken)] : safePaths(paths, isTaken))
  return { files: files.map(({ size, hash }, at) => ({ size, hash, path: targets[at] ?? "" })), into }
}

/** One, or those of the list, which is here. */
export async function filesOf({ disk }: FilePorts, row: InRow): Promise<readonly ImportedFile[]> {
  const { id, name, size, hash, listSize } = row
  if (listSize === undefined) return [{ path: name, size, hash }]
  return decodeFileList(await disk.readList(`${id}.json`, maxListBytes), row)
}

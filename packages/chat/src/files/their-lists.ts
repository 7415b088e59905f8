/** Lists of others as they are kept here: what can be looked at while they are away. */
import { type Digest, isCurrentKey, type SharedFile } from "@kez/core"
import { type PageRow, shareKeys, type TheirRow } from "./share-rows.ts"
import type { FilePorts } from "./transfer.ts"

type Kept = Pick<FilePorts["engine"], "shelf" | "chainOf">

/** Of one device of somebody. */
export interface TheirList {
  readonly chain: Digest
  readonly device: string
  /** Of the manifest; absent where the device never shared anything. */
  readonly seq?: number
  readonly digest?: Digest
  /** As the device says. */
  readonly createdAt?: string
  /** Unix seconds; when the device told it last. */
  readonly heardAt: number
  /** The chain names it. Else it is newer than what the chain names, and believed by signature and number. */
  readonly isAnchored: boolean
  readonly files: readonly SharedFile[]
}

export async function keptList({ shelf }: Kept, row: TheirRow): Promise<TheirList> {
  const pages = await shelf.list<PageRow>(shareKeys.pages(row.chain, row.device))
  const { chain, device, seq, digest, createdAt, heardAt, isAnchored } = row
  const files = pages.flatMap((page) => page.files)
  return { chain, device, seq, digest, createdAt, heardAt, isAnchored, files }
}

/** Everything that was seen of somebody, newest first. A device that counts no more shares nothing. */
export async function keptLists(engine: Kept, chain: Digest): Promise<readonly TheirList[]> {
  const rows = await engine.shelf.list<TheirRow>(shareKeys.theirs(chain))
  const replay = await engine.chainOf(chain)
  const current = rows.filter(({ device }) => replay !== undefined && isCurrentKey(replay, device))
  const lists: TheirList[] = []
  for (const row of current.toSorted((a, b) => b.heardAt - a.heardAt)) lists.push(await keptList(engine, row))
  return lists
}

/** What several devices share, by path; of two with one path the one of the first list. */
export function unitedFiles(lists: readonly Pick<TheirList, "files">[]): readonly SharedFile[] {
  const byPath = new Map<string, SharedFile>()
  for (const { files } of lists) for (const file of files) if (!byPath.has(file.path)) byPath.set(file.path, file)
  return [...byPath.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** What is fetched for a path that somebody typed: a file, or all that lies below a folder, under the folder's own name. */
export function pickFiles(files: readonly SharedFile[], typed: string): readonly SharedFile[] {
  const wanted = typed.replace(/^\.?\/+/, "").replace(/\/+$/, "")
  const parent = wanted.slice(0, wanted.lastIndexOf("/") + 1)
  return files
    .filter(({ path }) => path === wanted || path.startsWith(`${wanted}/`))
    .map((file) => ({ ...file, path: file.path.slice(parent.length) }))
}

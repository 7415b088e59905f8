/** What is found at paths that are to be shared, as rows: under names that nothing else in the list has. */
import { KezError } from "@kez/core"
import { foldedName, freeName } from "./names.ts"
import { isListable, listedFiles } from "./own-list.ts"
import type { Found, SharingResult } from "./share-look.ts"
import { type Audience, eitherOf, type ShareRow } from "./share-rows.ts"

export interface Adding {
  readonly audience: Audience
  /** These as well as those who may have it now. */
  readonly isMore: boolean
  /** Unix seconds. */
  readonly addedAt: number
  readonly newId: () => string
}

interface Added {
  readonly row: ShareRow
  readonly found: Found
  readonly skipped: SharingResult["skipped"]
}

/** `shared`: what is shared now. Throws `input.unreadable` where there is no file, `file.name` where a list cannot name one. */
export function addedRows(shared: readonly ShareRow[], found: readonly Found[], adding: Adding): readonly Added[] {
  const rows = [...shared]
  return found.map((one) => {
    const top = topOf(one)
    const before = rows.find(({ path }) => path === one.path)
    const taken = new Set(rows.map(({ name }) => foldedName(name)))
    const name = before?.name ?? freeName(top, (free) => taken.has(foldedName(free)))
    const added = addedRow(one, { name, before }, adding)
    if (before === undefined) rows.push(added.row)
    return added
  })
}

function topOf({ imported }: Found): string {
  const top = imported.files[0]?.path.split("/")[0]
  if (top === undefined)
    throw new KezError("input.unreadable", "Cannot share anything: there is no file in what was named")
  if (!isListable(top)) throw new KezError("file.name", "Cannot share it: a list cannot name it. Rename it first")
  return top
}

function addedRow(
  found: Found,
  { name, before }: { readonly name: string; readonly before: ShareRow | undefined },
  { audience: wanted, isMore, addedAt, newId }: Adding,
): Added {
  const { path, imported } = found
  const { files, left } = listedFiles(imported.files, name)
  const size = files.reduce((sum, file) => sum + file.size, 0)
  const audience = isMore && before !== undefined ? eitherOf(before.audience, wanted) : wanted
  const row = { id: before?.id ?? newId(), path, name, audience, addedAt, files: files.length, size }
  return { row, found, skipped: [...imported.skipped, ...left.map((one) => ({ path: one, why: "name" }))] }
}

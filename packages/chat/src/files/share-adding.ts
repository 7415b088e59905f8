/** What is found at paths that are to be shared, as rows: under names that nothing else in the list has. */
import { KezError } from "@kez/core"
import { foldedName, freeName } from "./names.ts"
import { assertCircles, isListable, listedFiles } from "./own-list.ts"
import { unitedGroups } from "./share-groups.ts"
import type { Found, SharingResult } from "./share-look.ts"
import { type Audience, eitherOf, narrowedRows, type ShareGroup, type ShareRow } from "./share-rows.ts"

export interface SharingOptions {
  /** With these as well. */
  readonly isMore?: boolean
  readonly groups?: readonly ShareGroup[]
}

export interface Adding {
  readonly audience: Audience
  /** Those of the audience who leave it when they leave a group. */
  readonly groups: readonly ShareGroup[]
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

/** Those of `paths` that are shared with fewer until they are hashed. Throws `limit.entries` before anything is kept: a list that cannot be made closes all doors. */
export function listableNarrowed(
  rows: readonly ShareRow[],
  paths: readonly string[],
  audience: Audience,
): readonly ShareRow[] {
  const narrowed = narrowedRows(rows, paths, audience)
  const others = rows.filter(({ path }) => !paths.includes(path))
  assertCircles([...others, { audience, files: 1 }])
  assertCircles(rows.map((row) => narrowed.find(({ id }) => id === row.id) ?? row))
  return narrowed
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
  { audience: wanted, groups: wantedGroups, isMore, addedAt, newId }: Adding,
): Added {
  const { path, imported } = found
  const { files, left } = listedFiles(imported.files, name)
  const size = files.reduce((sum, file) => sum + file.size, 0)
  const audience = isMore && before !== undefined ? eitherOf(before.audience, wanted) : wanted
  const groups = unitedGroups(isMore ? before : undefined, { audience: wanted, groups: wantedGroups })
  const people = { audience, ...(groups.length === 0 ? {} : { groups }) }
  const row = { id: before?.id ?? newId(), path, name, ...people, addedAt, files: files.length, size }
  return { row, found, skipped: [...imported.skipped, ...left.map((one) => ({ path: one, why: "name" }))] }
}

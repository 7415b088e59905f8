/** People with whom something is shared as members of a group: who leaves it, or is removed, is left out from then on. Nobody comes in that way. */
import { type Digest, KezError } from "@kez/core"
import type { Engine } from "../engine/engine.ts"
import { isIn, type ShareGroup, type ShareRow } from "./share-rows.ts"

type Named = Pick<ShareRow, "audience" | "groups">

/** Of what was and is to be shared together: who is named by himself in one of both needs no group. */
export function unitedGroups(before: Named | undefined, wanted: Named): readonly ShareGroup[] {
  const both = before === undefined ? [wanted] : [before, wanted]
  const united = new Map<Digest, Set<Digest>>()
  for (const { id, members } of both.flatMap(({ groups = [] }) => groups)) {
    const all = united.get(id) ?? new Set()
    united.set(id, all)
    for (const chain of members) if (!both.some((one) => isNamed(one, chain))) all.add(chain)
  }
  return [...united].flatMap(([id, members]) => (members.size === 0 ? [] : [{ id, members: [...members] }]))
}

function isNamed({ audience, groups = [] }: Named, chain: Digest): boolean {
  return isIn(audience, chain) && !groups.some(({ members }) => members.includes(chain))
}

/** Those of `rows` that are another now, because somebody left a group. */
export async function leftRows(engine: Engine, rows: readonly ShareRow[]): Promise<readonly ShareRow[]> {
  const ids = new Set(rows.flatMap(({ groups = [] }) => groups.map(({ id }) => id)))
  const stays = new Map<Digest, ReadonlySet<Digest>>()
  for (const id of ids) {
    const here = await membersOf(engine, id)
    if (here !== undefined) stays.set(id, here)
  }
  return rows.flatMap((row) => {
    const left = withoutLeft(row, (id, chain) => stays.get(id)?.has(chain) !== false)
    return left === undefined ? [] : [left]
  })
}

/** Undefined: nothing can be said of it from here, or not now. */
async function membersOf(engine: Engine, id: Digest): Promise<ReadonlySet<Digest> | undefined> {
  try {
    return new Set(await engine.members(id))
  } catch (error) {
    if (error instanceof KezError) return undefined
    throw error
  }
}

function withoutLeft(row: ShareRow, stays: (group: Digest, chain: Digest) => boolean): ShareRow | undefined {
  const { audience, groups = [] } = row
  const kept = groups.map(({ id, members }) => ({ id, members: members.filter((chain) => stays(id, chain)) }))
  const before = groups.flatMap(({ members }) => members)
  const after = new Set(kept.flatMap(({ members }) => members))
  if (audience === "contacts" || before.length === kept.flatMap(({ members }) => members).length) return undefined
  const left = audience.filter((chain) => !before.includes(chain) || after.has(chain))
  return { ...row, audience: left, groups: kept.filter(({ members }) => members.length > 0) }
}

/** What the store says is still to be done, and whose chains that takes. */
import type { Digest } from "@kez/core"
import type { Desk } from "./desk.ts"
import { outboxOf } from "./outbox-rows.ts"
import { type ContactRow, decodeRow, type GroupRow, keys } from "./row.ts"
import type { Unit } from "./unit.ts"

/** Something is in the outbox that no open question holds up. */
export async function hasWork(unit: Unit, desk: Desk): Promise<boolean> {
  for (const { group, isRemoved, isStopped } of await unit.list<GroupRow>(keys.groups)) {
    if (isRemoved === true || isStopped === true) continue
    if ((await outboxOf(unit, group, 1)).length > 0) return true
    if ((await desk.ciphers.of(group)).pending !== undefined) return true
    if ((await unit.rows(keys.welcome(group), 1)).length > 0) return true
  }
  return false
}

/** Of contacts, of members, our own. */
export async function chainsThatMatter(unit: Unit, desk: Desk): Promise<ReadonlySet<Digest>> {
  const all = new Set<Digest>([desk.chain])
  for (const { chain } of await unit.list<ContactRow>(keys.contacts)) all.add(chain)
  for (const { value } of await unit.rows(keys.groups)) {
    const { group, isRemoved } = decodeRow<GroupRow>(value).value
    if (isRemoved === true) continue
    for (const { chain } of (await desk.ciphers.of(group)).state.members) all.add(chain)
  }
  return all
}

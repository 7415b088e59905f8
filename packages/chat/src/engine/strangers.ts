/**
 * How much waits in the inbox. Anybody of the server may name this person in a conversation that no Welcome ever comes for, as often as the
 * server lets him: what such conversations hold together has an end, and the oldest goes first. Whoever is let in later reads it from the history.
 */
import type { Digest } from "@kez/core"
import { keys } from "./row.ts"
import type { Unit } from "./unit.ts"

/** Deliveries of a conversation that this device is not in (yet). */
const maxWaitingForWelcome = 512
/** Deliveries of one conversation that wait for something. */
const maxWaiting = 4_096
/** Conversations without a Welcome, and the bytes of all of them together. */
const maxStrangers = 1_024
const maxStrangerBytes = 33_554_432

interface Stranger {
  readonly group: Digest
  readonly bytes: number
}

export type Coming = Stranger

const isKnown = async (unit: Unit, group: Digest): Promise<boolean> =>
  (await unit.bytes(keys.group(group))) !== undefined

/** How many deliveries the inbox of a conversation still takes. */
export async function roomFor(unit: Unit, group: Digest): Promise<number> {
  const limit = (await isKnown(unit, group)) ? maxWaiting : maxWaitingForWelcome
  return limit - (await unit.rows(keys.inbox(group), limit)).length
}

/** Counts what came of conversations that this device is not in, and drops the oldest of them beyond the bound. Welcomes are left: they let in. */
export async function noteStrangers(
  unit: Unit,
  coming: readonly Coming[],
  isWelcome: (row: Uint8Array) => boolean,
): Promise<void> {
  const fresh: Coming[] = []
  for (const one of coming) if (!(await isKnown(unit, one.group))) fresh.push(one)
  if (fresh.length === 0) return
  const waiting = new Map((await unit.get<readonly Stranger[]>(keys.strangers))?.map((one) => [one.group, one.bytes]))
  for (const { group, bytes } of fresh) waiting.set(group, (waiting.get(group) ?? 0) + bytes)
  let total = [...waiting.values()].reduce((sum, bytes) => sum + bytes, 0)
  for (const [group, bytes] of waiting) {
    if (total <= maxStrangerBytes && waiting.size <= maxStrangers) break
    waiting.delete(group)
    total -= bytes
    if (await isKnown(unit, group)) continue
    for (const { key, value } of await unit.rows(keys.inbox(group))) if (!isWelcome(value)) unit.delete(key)
  }
  unit.put(
    keys.strangers,
    [...waiting].map(([group, bytes]): Stranger => ({ group, bytes })),
  )
}

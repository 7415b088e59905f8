/**
 * Changes of a group that somebody asked for: kept until a commit made them, whoever made it. They are held against the state when they are asked
 * for and again when the commit is made, since others change it too.
 */
import { type Digest, KezError } from "@kez/core"
import type { GroupCipher } from "../cipher/group-cipher.ts"
import { assertMayChange } from "../conversation/authority.ts"
import { applyChange, type StateBody, type StateChange } from "../conversation/state-body.ts"
import type { Desk } from "./desk.ts"
import { decodeRow, type GroupRow, keys } from "./row.ts"
import type { Unit } from "./unit.ts"

/** More than a person asks for before one look of the worker. */
const maxChanges = 64

export interface DueChange {
  /** Of its row. */
  readonly key: string
  readonly change: StateChange
  /** The state that it leads to. */
  readonly next: StateBody
}

/** Throws `chat.state` where it changes nothing, `chat.policy` where this person may not do it, `limit.size` for too many. */
export async function askForChange(unit: Unit, desk: Desk, row: GroupRow, change: StateChange): Promise<void> {
  if ((await unit.rows(keys.changes(row.group))).length >= maxChanges)
    throw new KezError("limit.size", "Cannot change the conversation: too many changes of it wait already", {
      hint: "They are made once there is a connection.",
    })
  await putChange(unit, desk, row, change)
}

/** The same for what somebody else asks of this device: each member once. */
export async function putChange(unit: Unit, desk: Desk, { group }: GroupRow, change: StateChange): Promise<void> {
  const before = await stateAfterChanges(unit, desk, group)
  assertMayChange(before, applyChange(before, change), desk.chain)
  const rows = await unit.rows(keys.changes(group))
  const last = rows.at(-1)?.key
  unit.put(keys.changes(group, last === undefined ? 0 : Number(last.slice(-16)) + 1), change)
  unit.afterwards(() => desk.wake(group))
}

/** The state as it will be once all that was asked for is done: who is to be removed counts as gone at once. */
export async function stateAfterChanges(unit: Unit, desk: Desk, group: Digest): Promise<StateBody> {
  const cipher = await desk.ciphers.of(group)
  const changes = await unit.list<StateChange>(keys.changes(group))
  return changes.reduce<StateBody>((state, change) => {
    const next = applyAs(state, change, desk.chain)
    return next instanceof KezError ? state : next
  }, cipher.state)
}

/** The next one that still changes something. Those that do not are over: somebody did it, or undid what they need. */
export async function dueChange(unit: Unit, desk: Desk, cipher: GroupCipher): Promise<DueChange | undefined> {
  for (const { key, value } of await unit.rows(keys.changes(cipher.group))) {
    const change = decodeRow<StateChange>(value).value
    const next = applyAs(cipher.state, change, desk.chain)
    if (!(next instanceof KezError)) return { key, change, next }
    unit.delete(key)
    // Done by somebody else is no refusal.
    if (next.code !== "chat.state") await tellRefused(unit, desk, cipher.group, next)
  }
  return undefined
}

/** The server does not take it, and would not take it again. */
export async function dropChange(
  unit: Unit,
  desk: Desk,
  { group, key }: { readonly group: Digest; readonly key: string },
  fault: KezError,
): Promise<void> {
  if ((await unit.bytes(key)) === undefined) return
  unit.delete(key)
  await tellRefused(unit, desk, group, fault)
}

async function tellRefused(unit: Unit, desk: Desk, group: Digest, fault: KezError): Promise<void> {
  const row = await unit.get<GroupRow>(keys.group(group))
  if (row === undefined || row.isRemoved === true) return
  const { code, message, hint } = fault
  const why = hint === undefined ? { code, reason: message } : { code, reason: message, hint }
  unit.afterwards(() => desk.tell({ kind: "change_refused", conversation: row.thread, ...why }))
}

function applyAs(state: StateBody, change: StateChange, author: Digest): StateBody | KezError {
  try {
    const next = applyChange(state, change)
    assertMayChange(state, next, author)
    return next
  } catch (fault) {
    if (fault instanceof KezError) return fault
    throw fault
  }
}

/** This device comes into a conversation again that it was removed from: what it said before is not for those who came in meanwhile. */
import type { Digest } from "@kez/core"
import type { Desk } from "./desk.ts"
import { changeMessage } from "./message-rows.ts"
import { groupAt, markAnswered, outboxOf } from "./outbox-rows.ts"
import { type GroupRow, keys } from "./row.ts"
import { noteFresh, sequencesOf } from "./sequence-rows.ts"
import type { Unit } from "./unit.ts"

/** Nothing of before goes out, is sent again or is given. Nobody said here who came in while it was out. */
export async function beginAgain(unit: Unit, desk: Desk, group: Digest): Promise<void> {
  await markAnswered(unit, desk, group)
  const { thread } = await groupAt(unit, group)
  const why = { code: "chat.removed", reason: "Cannot send: this device was removed before it went out" }
  for (const { n, place } of await outboxOf(unit, group)) {
    unit.delete(keys.outbox(group, n))
    if (place !== undefined) await changeMessage(unit, desk, { thread, place }, { state: "failed", ...why })
  }
  for (const { key } of await unit.rows(keys.unconfirmed(group))) unit.delete(key)
  for (const { device } of await sequencesOf(unit, group)) await noteFresh(unit, group, device)
  const { since: _, given: __, confirmedBy: ___, ...row } = await groupAt(unit, group)
  unit.put(keys.group(group), { ...row, cameIn: {}, begunAt: row.nextCounter } satisfies GroupRow)
}

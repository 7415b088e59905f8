/**
 * Whom the server delivers to, held against the state: a commit tells it in the clear who is a member after it, and whoever made the commit, or the server
 * itself, may say something else there.
 */
import { type Digest, KezError } from "@kez/core"
import type { StateBody } from "../conversation/state-body.ts"
import { close, raise } from "./alarms.ts"
import type { Desk } from "./desk.ts"
import { groupAt } from "./outbox-rows.ts"
import { type GroupRow, keys } from "./row.ts"
import type { Unit } from "./unit.ts"

/** A server that alters what was told would otherwise make commits without end. */
const healSeconds = 3_600

export interface ToldMembers {
  readonly group: Digest
  /** What the server was told, as it says; undefined: it does not say. */
  readonly members: readonly Digest[] | undefined
  /** Who made the commit; undefined: this device. Then nobody but the server can have altered it. */
  readonly by: Digest | undefined
}

export async function judgeToldMembers(unit: Unit, desk: Desk, { group, members, by }: ToldMembers): Promise<void> {
  if (members === undefined) return
  const row = await groupAt(unit, group)
  const { missing, extra } = differenceOf((await desk.ciphers.of(group)).state, members)
  const conversation = row.thread
  const { isToldWrong: _, ...healed } = row
  await close(unit, desk, (alarm) => alarm.kind === "members_differ" && alarm.conversation === conversation)
  if (missing.length + extra.length === 0) return unit.put(keys.group(group), healed satisfies GroupRow)
  const maker = by === undefined || by === desk.chain ? {} : { contact: by }
  const fault = new KezError(
    "chat.commit",
    "The server was told other members of the conversation than its state has",
    {
      hint: "Who is missing gets nothing; who is too many gets what he cannot read. A commit of this device puts it right, unless the server lies.",
    },
  )
  await raise(unit, desk, { kind: "members_differ", conversation, ...maker, missing, extra }, fault)
  // Who is missing himself cannot: the server takes nothing from him.
  const mayHeal = by !== undefined && row.isRemoved !== true && !missing.includes(desk.chain)
  const isDue = mayHeal && (row.healedAt ?? 0) < desk.now() - healSeconds
  unit.put(keys.group(group), (isDue ? { ...healed, isToldWrong: true } : healed) satisfies GroupRow)
}

/** The commit that tells it anew was made. */
export async function noteHealed(unit: Unit, desk: Desk, group: Digest): Promise<void> {
  const { isToldWrong, ...row } = await groupAt(unit, group)
  if (isToldWrong === true) unit.put(keys.group(group), { ...row, healedAt: desk.now() } satisfies GroupRow)
}

function differenceOf(state: StateBody, told: readonly Digest[]) {
  const named = new Set(state.members.map(({ chain }) => chain))
  const missing = [...named].filter((chain) => !told.includes(chain))
  return { missing, extra: [...new Set(told)].filter((chain) => !named.has(chain)) }
}

/** What somebody misses is sent again: so much in a minute, whoever asks, and nothing from before he was in the conversation. */
import type { Digest } from "@kez/core"
import { isCounted } from "../wire/content.ts"
import { decodeMessage } from "../wire/message.ts"
import type { Desk } from "./desk.ts"
import { enqueue, groupAt, markAnswered, outboxOf, ownMessage } from "./outbox-rows.ts"
import type { Unit } from "./unit.ts"

/** Of one request. What is missing beyond it is asked for again. */
const maxResent = 100
/** To one device of one conversation in a minute, and to all of a conversation. */
const maxResentInMinute = 120
const maxResentInGroup = 360

/** How much was sent again in the minute that runs, by whom it was for. After a restart it begins anew. */
class Budget {
  #minute = 0
  readonly #used = new Map<string, number>()

  /** How much is left. */
  left(now: number, group: Digest, by: string): number {
    const minute = Math.floor(now / 60)
    if (minute !== this.#minute) this.#used.clear()
    this.#minute = minute
    const used = (name: string) => this.#used.get(name) ?? 0
    return Math.min(maxResentInMinute - used(`${group} ${by}`), maxResentInGroup - used(group))
  }

  use(group: Digest, by: string): void {
    for (const name of [group, `${group} ${by}`]) this.#used.set(name, (this.#used.get(name) ?? 0) + 1)
  }
}

const budgets = new WeakMap<Desk, Budget>()

function budgetOf(desk: Desk): Budget {
  const budget = budgets.get(desk) ?? new Budget()
  budgets.set(desk, budget)
  return budget
}

/**
 * Somebody misses messages of this device. He gets those that were sent since he is in the conversation: what was before is for its history policy
 * to say.
 */
export async function answerResend(
  unit: Unit,
  desk: Desk,
  asked: { readonly group: Digest; readonly by: string; readonly from: number; readonly to: number },
): Promise<void> {
  const { group, by, from, to } = asked
  await markAnswered(unit, desk, group)
  const row = await groupAt(unit, group)
  const waiting = (await outboxOf(unit, group, 1))[0]
  const sent = waiting === undefined ? row.nextCounter : waiting.counter
  const budget = budgetOf(desk)
  const begun = Math.max(row.begunAt ?? 0, row.since?.[by] ?? 0)
  // Otherwise it would wait for what it never gets.
  if (from < begun && budget.left(desk.now(), group, by) > 0) {
    await enqueue(unit, desk, { group, type: "not_resent", content: { to: by, before: Math.min(begun, sent) } })
    budget.use(group, by)
  }
  const first = Math.max(from, begun)
  const last = Math.min(to, sent - 1, first + maxResent - 1)
  for (let counter = first; counter <= last && budget.left(desk.now(), group, by) > 0; counter++) {
    const bytes = await ownMessage(unit, group, counter)
    if (bytes === undefined) continue
    const inner = decodeMessage(bytes, desk.device)
    // A message that holds another could grow without end.
    if (inner.content.type === "resent" || !isCounted(inner.content.type)) continue
    await enqueue(unit, desk, { group, type: "resent", content: { device: desk.device, counter }, body: bytes })
    budget.use(group, by)
  }
}

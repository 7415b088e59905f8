/** What somebody misses is sent again: so much in a minute, whoever asks, and nothing from before he was in the conversation. */
import type { Digest } from "@kez/core"
import type { GroupCipher } from "../cipher/group-cipher.ts"
import { maxFirstContentBytes } from "../limits.ts"
import { isCounted } from "../wire/content.ts"
import { decodeMessage, type Message } from "../wire/message.ts"
import { firstForAll } from "./came-in.ts"
import { contactRow } from "./contact-rows.ts"
import type { Desk } from "./desk.ts"
import { findMessage } from "./message-rows.ts"
import { enqueue, groupAt, markAnswered, outboxOf, ownMessage } from "./outbox-rows.ts"
import { maxReceiptMembers } from "./receipts.ts"
import { type GroupRow, keys } from "./row.ts"
import type { Unit } from "./unit.ts"

/** Of one request. What is missing beyond it is asked for again. */
const maxResent = 100
/** What somebody's new device is given of what none of his confirmed: so many, and not older than so. */
const maxGiven = 100
const maxGivenSeconds = 14 * 86_400
/** Own messages that are looked through for them. */
const maxLooked = 1_000
/** To one person of one conversation in a minute, and to all of a conversation. */
const maxResentInMinute = 120
const maxResentInGroup = 360

interface Person {
  readonly group: Digest
  readonly chain: Digest
}

/** How much was sent again in the minute that runs, by whom it was for. After a restart it begins anew. */
class Budget {
  #minute = 0
  readonly #used = new Map<string, number>()

  /** How much is left. Nobody gets more by having more devices: there would be nothing for the others. */
  left(now: number, { group, chain }: Person): number {
    const minute = Math.floor(now / 60)
    if (minute !== this.#minute) this.#used.clear()
    this.#minute = minute
    const used = (name: string) => this.#used.get(name) ?? 0
    return Math.min(maxResentInMinute - used(`${group} ${chain}`), maxResentInGroup - used(group))
  }

  use({ group, chain }: Person): void {
    for (const name of [group, `${group} ${chain}`]) this.#used.set(name, (this.#used.get(name) ?? 0) + 1)
  }
}

const budgets = new WeakMap<Desk, Budget>()

function budgetOf(desk: Desk): Budget {
  const budget = budgets.get(desk) ?? new Budget()
  budgets.set(desk, budget)
  return budget
}

interface Asked extends Person {
  readonly by: string
  readonly from: number
  readonly to: number
}

/**
 * Somebody misses messages of this device. He gets those that were sent since he is in the conversation: what was before is for its history policy
 * to say. Of what he does not get he is told so: otherwise he would wait for it for ever.
 */
export async function answerResend(unit: Unit, desk: Desk, asked: Asked): Promise<void> {
  const { group, by, from, to } = asked
  await markAnswered(unit, desk, group)
  const row = await groupAt(unit, group)
  const waiting = (await outboxOf(unit, group, 1))[0]
  const sent = waiting === undefined ? row.nextCounter : waiting.counter
  const begun = Math.max(row.begunAt ?? 0, row.since?.[by] ?? 0)
  // It goes to all who are in it now.
  const first = Math.max(begun, firstForAll(row, await desk.ciphers.of(group)))
  let [counter, passed, times] = [Math.min(Math.max(from, first), sent), from, 0]
  let isCopyLost = false
  for (; counter <= to && counter < sent && times < maxResent && hasRoom(desk, asked); counter++) {
    const body = await repeatable(unit, desk, group, counter)
    if (body === undefined) isCopyLost ||= counter <= (row.given?.[by]?.last ?? -1)
    if (body === undefined) continue
    if (counter > passed) await passTo(unit, desk, asked, counter)
    await enqueue(unit, desk, { group, type: "resent", content: { device: desk.device, counter }, body })
    budgetOf(desk).use(asked)
    passed = counter + 1
    times++
  }
  if (counter > passed) await passTo(unit, desk, asked, counter)
  if (isCopyLost) await giveAgain(unit, desk, asked)
}

function hasRoom(desk: Desk, asked: Asked): boolean {
  return budgetOf(desk).left(desk.now(), asked) > 0
}

/** What is before it is not for the asker, or not there any more. */
async function passTo(unit: Unit, desk: Desk, asked: Asked, before: number): Promise<void> {
  if (!hasRoom(desk, asked)) return
  const { group, by: to } = asked
  await enqueue(unit, desk, { group, type: "not_resent", content: { to, before } })
  budgetOf(desk).use(asked)
}

/** Copies are not kept: what they held, and its reader does not have for all that is known here, is given in new ones. */
async function giveAgain(unit: Unit, desk: Desk, { group, chain, by }: Asked): Promise<void> {
  if (await giveTo(unit, desk, { group, chain, devices: [by], cipher: await desk.ciphers.of(group) })) return
  const row = await groupAt(unit, group)
  const others = (row.toGive ?? []).filter(({ device }) => device !== by)
  unit.put(keys.group(group), { ...row, toGive: [...others, { chain, device: by }] } satisfies GroupRow)
}

/** An own message that can be sent again: it is there still, and no copy. */
async function repeatable(unit: Unit, desk: Desk, group: Digest, counter: number): Promise<Uint8Array | undefined> {
  const bytes = await ownMessage(unit, group, counter)
  return bytes !== undefined && isRepeatable(decodeMessage(bytes, desk.device), bytes) ? bytes : undefined
}

/** A message that holds another could grow without end. What was written before there was room for a header around it is too long. */
function isRepeatable({ content }: Message, bytes: Uint8Array): boolean {
  return content.type !== "resent" && isCounted(content.type) && bytes.length <= maxFirstContentBytes
}

/** What is said to people, so that it counts for them later too. */
const givenTypes: ReadonlySet<string> = new Set([
  ...["text", "reply", "thread", "edit", "delete", "reaction", "file_offer"],
])

export function isGiven({ content }: Pick<Message, "content">): boolean {
  return givenTypes.has(content.type)
}

/** A device that is given what its person misses. */
export type Receiving = NonNullable<GroupRow["toGive"]>[number]

/**
 * Somebody's device came into the conversation, perhaps because he lost the others: what this one sent him since, and no device of his confirmed, would reach
 * nobody. It goes out once more, to those who were all there when it was sent. Whose chain lists the device the commit has shown. Resolves to those for
 * whom there is no room in this minute.
 */
export async function giveMissed(
  unit: Unit,
  desk: Desk,
  group: Digest,
  added: readonly Receiving[],
): Promise<readonly Receiving[]> {
  const cipher = await desk.ciphers.of(group)
  // Larger ones have no receipts: nothing says what came.
  if (cipher.state.members.length > maxReceiptMembers) return []
  const left: Receiving[] = []
  for (const chain of new Set(added.map((one) => one.chain))) {
    if (chain === desk.chain || (await contactRow(unit, chain))?.standing === "blocked") continue
    const own = added.filter((one) => one.chain === chain)
    const devices = own.map(({ device }) => device)
    if (!(await giveTo(unit, desk, { group, chain, devices, cipher }))) left.push(...own)
  }
  return left
}

interface Receiver extends Person {
  readonly devices: readonly string[]
  readonly cipher: GroupCipher
}

/** All of it, or nothing. False: there is no room for it in this minute. */
async function giveTo(unit: Unit, desk: Desk, receiver: Receiver): Promise<boolean> {
  const { group, devices } = receiver
  const missed = await missedBy(unit, desk, receiver)
  const [oldest] = missed
  if (oldest === undefined) return true
  if (missed.length > budgetOf(desk).left(desk.now(), receiver)) return false
  for (const { counter, at, bytes } of missed) {
    await enqueue(unit, desk, { group, type: "resent", content: { device: desk.device, counter, at }, body: bytes })
    budgetOf(desk).use(receiver)
  }
  const row = await groupAt(unit, group)
  const note = { from: oldest.counter, last: row.nextCounter - 1 }
  const given = { ...row.given, ...Object.fromEntries(devices.map((device) => [device, note])) }
  unit.put(keys.group(group), { ...row, given } satisfies GroupRow)
  return true
}

interface Missed {
  readonly counter: number
  readonly at: number
  readonly bytes: Uint8Array
}

/** Oldest first. */
async function missedBy(unit: Unit, desk: Desk, receiver: Receiver): Promise<readonly Missed[]> {
  const { group, chain, devices, cipher } = receiver
  const row = await groupAt(unit, group)
  const first = Math.min(...devices.map((device) => row.since?.[device] ?? 0))
  // Of before there is one number for all devices; a later one was said by a device that came later.
  const { confirmed: ofAll = 0 } = row
  const confirmed = row.confirmedBy?.[chain] ?? (cipher.state.kind === "dm" && ofAll <= first ? ofAll : 0)
  const from = Math.max(confirmed, firstForAll(row, cipher), row.begunAt ?? 0, first - maxLooked)
  const missed: Missed[] = []
  let at = desk.now()
  for (let counter = first - 1; counter >= from && missed.length < maxGiven; counter--) {
    const bytes = await ownMessage(unit, group, counter)
    if (bytes === undefined) continue
    const inner = decodeMessage(bytes, desk.device)
    // An edit or a reaction is dated like what was said after it.
    at = (await findMessage(unit, row.thread, inner.id))?.at ?? at
    if (at < desk.now() - maxGivenSeconds) break
    if (isGiven(inner) && isRepeatable(inner, bytes)) missed.push({ counter, at, bytes })
  }
  return missed.toReversed()
}

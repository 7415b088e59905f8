/** Sending: encrypted once for an epoch, kept, and published until the server says that it is on its disk. */
import { type Digest, digestOf, KezError } from "@kez/core"
import type { GroupCipher } from "../cipher/group-cipher.ts"
import type { Desk, SealedMessage } from "./desk.ts"
import { planOf } from "./membership.ts"
import { failAll, groupAt, holdUp, markAnswered, outboxOf, ownMessage, seal } from "./outbox-rows.ts"
import { type GroupRow, keys, type OutboxRow, type ThreadRow } from "./row.ts"
import { isIncomplete, isLookedFor, sequencesOf } from "./sequence-rows.ts"
import { isOpen, stopOf } from "./threads.ts"
import type { Unit } from "./unit.ts"

/** Refusals that no later attempt changes. */
const final: ReadonlySet<string> = new Set(["limit.size", "chat.removed", "chat.policy", "chain.unknown"])
/** Messages that are encrypted in one step: each step is a wait for the disk. */
const maxSealedAtOnce = 8
/** That the server has a message is written with what comes next, or after so long. */
const markMs = 50

/** Sends the oldest message that waits. True: it was sent, and there may be more. */
export async function sendNext(desk: Desk, group: Digest): Promise<boolean> {
  const next = await desk.turn((unit) => nextOf(unit, desk, group))
  return next === undefined ? false : publish(desk, group, next)
}

/** The same, in one look, where nothing else is to be done in the conversation before. Undefined: there may be; look at everything. */
export async function sendIfReady(desk: Desk, group: Digest): Promise<boolean | undefined> {
  if (desk.isClosed || !desk.isOnline) return undefined
  const found = await desk.turn(async (unit) =>
    (await isReady(unit, desk, group)) ? { next: await nextOf(unit, desk, group) } : undefined,
  )
  if (found === undefined) return undefined
  return found.next === undefined ? false : publish(desk, group, found.next)
}

/** Nothing came that has to be worked off first, nothing is missing, no device is to be removed or added. */
async function isReady(unit: Unit, desk: Desk, group: Digest): Promise<boolean> {
  const row = await unit.get<GroupRow>(keys.group(group))
  if (row === undefined || row.isRemoved === true || row.isBehind === true) return false
  if (row.toGive !== undefined) return false
  if ((await unit.rows(keys.inbox(group), 1)).length > 0) return false
  if ((await unit.rows(keys.welcome(group))).length > 0) return false
  const cipher = await desk.ciphers.of(group)
  const open = (await sequencesOf(unit, group)).filter(isIncomplete)
  if (open.length > 0) {
    const there = new Set(cipher.members().map(({ device }) => device))
    if (open.some((one) => isLookedFor(one, there))) return false
  }
  if (cipher.pending !== undefined || !isOpen(cipher, desk.chain)) return false
  const { change, remove, missing, isRenewal, isToldWrong, isStuck } = await planOf(unit, desk, group)
  return change === undefined && remove.length + missing.size === 0 && !isRenewal && !isToldWrong && !isStuck
}

async function nextOf(unit: Unit, desk: Desk, group: Digest): Promise<SealedMessage | undefined> {
  const answered = desk.answeredOf(group)
  const waiting = await outboxOf(unit, group, answered.length + 1)
  const entry = waiting.find(({ n }) => !answered.some((one) => one.n === n))
  if (entry === undefined) return undefined
  const row = await groupAt(unit, group)
  if (row.isStopped === true) return undefined
  const thread = await unit.get<ThreadRow>(keys.thread(row.thread))
  const stop = thread === undefined ? undefined : await stopOf(unit, thread)
  if (stop !== undefined) {
    await holdUp(unit, desk, group, stop)
    return undefined
  }
  const cipher = await desk.ciphers.of(group)
  if (entry.ciphertext !== undefined && entry.epoch === cipher.epoch) return { entry, ciphertext: entry.ciphertext }
  await markAnswered(unit, desk, group)
  return sealWaiting(unit, cipher, group)
}

/** In the epoch in force: who was removed meanwhile does not read it. If an earlier ciphertext of it did arrive, its count tells it from a new one. */
async function sealWaiting(unit: Unit, cipher: GroupCipher, group: Digest): Promise<SealedMessage | undefined> {
  let first: SealedMessage | undefined
  for (const entry of await outboxOf(unit, group, maxSealedAtOnce)) {
    if (entry.ciphertext !== undefined && entry.epoch === cipher.epoch) break
    const bytes = await ownMessage(unit, group, entry.counter)
    if (bytes === undefined) throw new KezError("store.corrupt", "Cannot send a message: its text is not in the store")
    const ciphertext = await seal(unit, cipher, { group, entry, bytes })
    first ??= { entry, ciphertext }
  }
  return first
}

/** True: the server has it. */
export async function publish(desk: Desk, group: Digest, { entry, ciphertext }: SealedMessage): Promise<boolean> {
  const id = digestOf(ciphertext)
  desk.noteSent(id)
  try {
    const conversation = group.slice("sha256:".length)
    // Of the ciphertext: a digest of the text would let the server try what it might be.
    await desk.request("send", { conversation, id }, [ciphertext])
  } catch (error) {
    if (!(error instanceof KezError) || !final.has(error.code)) throw error
    await desk.turn((unit) => failAll(unit, desk, group, error))
    return false
  }
  noteAnswered(desk, group, entry)
  return true
}

/** A kill before it is written means that it is sent again, under the name that the server knows. */
function noteAnswered(desk: Desk, group: Digest, entry: OutboxRow): void {
  const answered = desk.answeredOf(group)
  desk.answered.set(group, [...answered, entry])
  if (answered.length > 0) return
  desk.ports.clock.after(markMs, () => void desk.turn((unit) => markAnswered(unit, desk, group)).catch(() => undefined))
}

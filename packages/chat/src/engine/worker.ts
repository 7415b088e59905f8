/**
 * The work of one conversation: what came is worked off, what is missing is fetched, commits and Welcomes and messages go out. Each look at the store
 * says what is next, so that after a kill it goes on where it was. One at a time for each conversation.
 */
import { type Digest, KezError } from "@kez/core"
import type { Desk } from "./desk.ts"
import { groupOf, type Need, workInbox, workOff } from "./incoming.ts"
import type { KeyPackageShelf } from "./key-package-shelf.ts"
import { planOf, prepareCommit, publishCommit, sendWelcomes, takeKeyPackages } from "./membership.ts"
import { askAgain } from "./opened.ts"
import { sendIfReady, sendNext } from "./outbox.ts"
import { groupAt, holdUp } from "./outbox-rows.ts"
import { sayReceipts } from "./receipts.ts"
import { type GroupRow, keys, type ThreadRow } from "./row.ts"
import { sequencesOf } from "./sequence-rows.ts"
import { isOpen } from "./threads.ts"

/** Pages of history for one gap: further back the sender is asked. */
const maxPages = 8
const pageSize = 256

/** `true`: look again; `false`: nothing more can be done now. */
export async function workOn(desk: Desk, shelf: KeyPackageShelf, group: Digest): Promise<boolean> {
  desk.calm.add(group)
  const isSent = await sendIfReady(desk, group)
  if (isSent !== undefined) return isSent || sayWhatCame(desk, group)
  desk.calm.delete(group)
  const needs = await workInbox(desk, group)
  const isKnown = await desk.turn(async (unit) => (await unit.bytes(keys.group(group))) !== undefined)
  if (desk.isClosed || !desk.isOnline || !isKnown) return false
  const row = await desk.turn((unit) => groupAt(unit, group))
  if (row.isRemoved === true) return false
  if (row.isBehind === true) return catchUp(desk, row)
  if (needs.has("commits") && (await fetchCommits(desk, row))) return true
  if (await fillGaps(desk, row, needs)) return true
  if (await commitWhatIsDue(desk, shelf, row)) return true
  await sendWelcomes(desk, group)
  if (!(await desk.turn(async () => isOpen(await desk.ciphers.of(group), desk.chain)))) {
    await desk.turn((unit) => holdUp(unit, desk, group, nobodyThere))
    return false
  }
  return (await sendNext(desk, group)) || sayWhatCame(desk, group)
}

function sayWhatCame(desk: Desk, group: Digest): Promise<boolean> {
  return desk.turn(async (unit) => sayReceipts(unit, desk, await groupAt(unit, group)))
}

const nobodyThere = {
  code: "chat.key_package",
  reason: "The other has no device yet that can be added. It goes out when there is one.",
}

/** Commits after the last that is known here. True: there were some. */
async function fetchCommits(desk: Desk, { group, lastCommit }: GroupRow): Promise<boolean> {
  return readHistory(desk, { group, kind: "commits", from: lastCommit + 1, pages: maxPages })
}

/** The mailbox has not got everything: the conversation itself is asked. */
async function catchUp(desk: Desk, row: GroupRow): Promise<true> {
  const { group } = row
  await fetchCommits(desk, row)
  const sequences = await desk.turn((unit) => sequencesOf(unit, group))
  const from = Math.max(0, ...sequences.map(({ lastSeq }) => lastSeq)) + 1
  await readHistory(desk, { group, kind: "messages", from, pages: maxPages })
  await desk.turn(async (unit) => {
    const { isBehind: _, ...now } = await groupAt(unit, group)
    unit.put(keys.group(group), now)
  })
  return true
}

interface HistoryRequest {
  readonly group: Digest
  readonly kind: "messages" | "commits"
  readonly from: number
  readonly pages: number
}

/** Reads a stretch and works it off like what comes by the mailbox. True: there was something. */
async function readHistory(desk: Desk, { group, kind, from, pages }: HistoryRequest): Promise<boolean> {
  let next = from
  let found = false
  for (let page = 0; page < pages && !desk.isClosed; page++) {
    const conversation = group.slice("sha256:".length)
    const { header, parts } = await desk.request("history", { conversation, kind, from: next, limit: pageSize })
    for (const [i, data] of parts.entries()) {
      const seq = header.places[i]
      if (seq === undefined || seq < next) return found
      next = seq + 1
      const delivery = {
        kind: kind === "commits" ? "commit" : "message",
        conversation,
        seq,
        id: groupOf(conversation),
        data,
      } as const
      const need = await workOff(desk, delivery, { isHistory: true })
      // What has to wait for chains is read again once they are here.
      if (need !== undefined && kind === "commits") return found
      found ||= need === undefined
    }
    if (header.is_end || parts.length === 0) return found
  }
  return found
}

/** What a device's count says is missing: first in the history, then of the device itself. True: something came. */
async function fillGaps(desk: Desk, { group, thread: id }: GroupRow, needs: ReadonlySet<Need>): Promise<boolean> {
  const sequences = await desk.turn((unit) => sequencesOf(unit, group))
  const gaps = sequences.filter(({ sequence }) => sequence.held.size > 0)
  const open = gaps.filter(({ askedFrom, sequence }) => askedFrom !== sequence.next)
  if (open.length === 0 && !needs.has("history")) return false
  const from = Math.min(...(open.length > 0 ? open : sequences).map(({ lastSeq }) => lastSeq)) + 1
  await readHistory(desk, { group, kind: "messages", from: Number.isFinite(from) ? from : 1, pages: maxPages })
  const after = await desk.turn((unit) => sequencesOf(unit, group))
  const nextOf = (list: typeof sequences, device: string) => list.find((one) => one.device === device)?.sequence.next
  const isFurther = after.some(({ device, sequence }) => sequence.next !== nextOf(sequences, device))
  for (const { device } of open) {
    await desk.turn(async (unit) => {
      const thread = await unit.get<ThreadRow>(keys.thread(id))
      if (thread !== undefined) await askAgain(unit, desk, { group, thread, device })
    })
  }
  return isFurther
}

/** One commit, if one is due. True: it was made, or another one was applied. */
async function commitWhatIsDue(desk: Desk, shelf: KeyPackageShelf, { group }: GroupRow): Promise<boolean> {
  const pending = await desk.turn(async () => (await desk.ciphers.of(group)).pending)
  if (pending === undefined) {
    const plan = await desk.turn((unit) => planOf(unit, desk, group))
    await takeKeyPackages(desk, shelf, group, plan)
  }
  const prepared = pending ?? (await desk.turn((unit) => prepareCommit(unit, desk, shelf, group)))
  if (prepared === undefined) return false
  if (await publishCommit(desk, group, prepared)) return true
  if (await fetchCommits(desk, await desk.turn((unit) => groupAt(unit, group)))) {
    const left = await desk.turn(async () => (await desk.ciphers.of(group)).pending)
    if (left?.digest !== prepared.digest) return true
    // Commits came and none of them took its place: it follows the wrong one, and is published again.
    return true
  }
  throw new KezError(
    "broker.refused",
    "Cannot change who is in the conversation: the server says that another commit came first, and does not show it",
  )
}

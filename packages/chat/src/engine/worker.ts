/**
 * The work of one conversation: what came is worked off, what is missing is fetched, commits and Welcomes and messages go out. Each look at the store
 * says what is next, so that after a kill it goes on where it was. One at a time for each conversation.
 */
import { type Digest, KezError } from "@kez/core"
import { giveWhatIsDue } from "./commit-rows.ts"
import type { Desk } from "./desk.ts"
import { dropWaiting, type Held, noteDropped, type Waiting } from "./held.ts"
import { groupOf, workInbox, workOff } from "./incoming.ts"
import type { KeyPackageShelf } from "./key-package-shelf.ts"
import { planOf, prepareCommit, publishCommit, sendWelcomes, takeKeyPackages } from "./membership.ts"
import { askAgain, noteFar } from "./missing.ts"
import { sendIfReady, sendNext } from "./outbox.ts"
import { groupAt, holdUp } from "./outbox-rows.ts"
import { sayReceipts } from "./receipts.ts"
import { type GroupRow, keys, type ThreadRow } from "./row.ts"
import { type DeviceSequence, isAskDue, isLookedFor, sequencesOf } from "./sequence-rows.ts"
import { isOpen } from "./threads.ts"
import type { Unit } from "./unit.ts"

/** Pages of history for one gap: further back the sender is asked. */
const maxPages = 8
const pageSize = 256
/** More commits than this are read in the next look. */
const maxCommitReads = 16

/** `true`: look again; `false`: nothing more can be done now. */
export async function workOn(desk: Desk, shelf: KeyPackageShelf, group: Digest): Promise<boolean> {
  desk.calm.add(group)
  const isSent = await sendIfReady(desk, group)
  if (isSent !== undefined) return isSent || sayWhatCame(desk, group)
  desk.calm.delete(group)
  const waiting = await workInbox(desk, group)
  const isKnown = await desk.turn(async (unit) => (await unit.bytes(keys.group(group))) !== undefined)
  if (desk.isClosed || !desk.isOnline || !isKnown) return false
  const row = await desk.turn((unit) => groupAt(unit, group))
  if (row.isRemoved === true) return false
  throwFailed(waiting)
  if (await giveWhatIsDue(desk, row)) return true
  if (row.isBehind === true) return catchUp(desk, row)
  if (waiting.some(({ held }) => held.needs === "commits") && (await fetchCommits(desk, row))) return true
  await desk.turn((unit) => dropWaiting(unit, desk, group, waiting))
  if (await fillGaps(desk, row, waiting)) return true
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

/** Nothing goes on in an epoch that the others have left: it is tried again later (workers.ts). */
function throwFailed(waiting: readonly { readonly held: Held }[]): void {
  const failed = waiting.find(({ held }) => held.needs === "again")
  if (failed !== undefined) throw failed.held.cause
}

/** Commits after the last that is known here. True: it leads further. */
async function fetchCommits(desk: Desk, { group, lastCommit }: GroupRow): Promise<boolean> {
  const read = await readHistory(desk, { group, kind: "commits", from: lastCommit + 1, pages: maxPages })
  throwFailed(read.waiting)
  return (await desk.turn((unit) => groupAt(unit, group))).lastCommit > lastCommit
}

/** The mailbox has not got everything: the conversation itself is asked, until all of it was read. */
async function catchUp(desk: Desk, row: GroupRow): Promise<true> {
  const { group, behindFrom } = row
  for (let i = 0; i < maxCommitReads; i++)
    if (!(await fetchCommits(desk, await desk.turn((unit) => groupAt(unit, group))))) break
  const sequences = await desk.turn((unit) => sequencesOf(unit, group))
  const from = behindFrom ?? Math.max(0, ...sequences.map(({ lastSeq }) => lastSeq)) + 1
  const read = await readHistory(desk, { group, kind: "messages", from, pages: maxPages })
  await noteHeld(desk, group, read)
  await desk.turn(async (unit) => {
    const { isBehind: _, behindFrom: now, ...rest } = await groupAt(unit, group)
    // Something earlier was dropped meanwhile.
    if (now !== behindFrom) return
    const left = read.isEnd ? {} : { isBehind: true, behindFrom: read.next }
    unit.put(keys.group(group), { ...rest, ...left } satisfies GroupRow)
  })
  return true
}

interface HistoryRequest {
  readonly group: Digest
  readonly kind: "messages" | "commits"
  readonly from: number
  readonly pages: number
}

interface HistoryRead {
  readonly isEnd: boolean
  /** Where to read on. */
  readonly next: number
  /** What has to wait. */
  readonly waiting: readonly { readonly seq: number; readonly held: Held }[]
}

/** Reads a stretch and works it off like what comes by the mailbox. */
async function readHistory(desk: Desk, { group, kind, from, pages }: HistoryRequest): Promise<HistoryRead> {
  const waiting: { seq: number; held: Held }[] = []
  let next = from
  const result = (isEnd: boolean): HistoryRead => ({ isEnd, next, waiting })
  for (let page = 0; page < pages && !desk.isClosed; page++) {
    const conversation = group.slice("sha256:".length)
    const { header, parts } = await desk.request("history", { conversation, kind, from: next, limit: pageSize })
    for (const [i, data] of parts.entries()) {
      const seq = header.places[i]
      if (seq === undefined || seq < next) return result(true)
      next = seq + 1
      const delivery = {
        kind: kind === "commits" ? "commit" : "message",
        conversation,
        seq,
        id: groupOf(conversation),
        data,
      } as const
      const held = await workOff(desk, delivery, { isHistory: true })
      if (held !== undefined) waiting.push({ seq, held })
      // What has to wait for chains is read again once they are here.
      if (held !== undefined && kind === "commits") return result(true)
    }
    if (header.is_end || parts.length === 0) return result(true)
  }
  return result(false)
}

/** What the history has and cannot be opened yet. */
function noteHeld(desk: Desk, group: Digest, { waiting }: HistoryRead): Promise<void> {
  return desk.turn(async (unit) => {
    await noteDropped(unit, desk, group, waiting)
    for (const { held } of waiting) if (held.far !== undefined) await noteFar(unit, desk, group, held.far)
  })
}

/** What a device's count says is missing: first in the history, then of the device itself. True: something came. */
async function fillGaps(desk: Desk, row: GroupRow, waiting: readonly Waiting[]): Promise<boolean> {
  const { group } = row
  const sequences = await desk.turn((unit) => sequencesOf(unit, group))
  const members = await desk.turn(async () => (await desk.ciphers.of(group)).members())
  const there = new Set(members.map(({ device }) => device))
  const far = waiting.filter(({ held }) => held.far !== undefined)
  const devices = new Set(far.map(({ held }) => held.far?.device))
  const isDue = new Map(sequences.map((one) => [one.device, isAskDue(one, desk.now())]))
  const open = sequences.filter((one) => isLookedFor(one, there) || devices.has(one.device))
  const asked = open.filter(({ device }) => isDue.get(device))
  const isNew = [...devices].some((device) => device !== undefined && !isDue.has(device))
  if (asked.length > 0 || isNew) {
    const from = isNew ? 1 : Math.min(...asked.map(({ lastSeq }) => lastSeq)) + 1
    await readHistory(desk, { group, kind: "messages", from, pages: maxPages })
    const after = await desk.turn((unit) => sequencesOf(unit, group))
    const nextOf = (device: string) => sequences.find((one) => one.device === device)?.sequence.next
    if (after.some(({ device, sequence }) => sequence.next !== nextOf(device))) return true
  }
  if (asked.length + far.length > 0) await desk.turn((unit) => askForMissing(unit, desk, row, { asked, far }))
  return false
}

/** What did not come by history. Who is too far ahead to be read is not kept: a member could fill the inbox with it. It is asked for with what is before it. */
async function askForMissing(
  unit: Unit,
  desk: Desk,
  { group, thread: id }: GroupRow,
  { asked, far }: { readonly asked: readonly DeviceSequence[]; readonly far: readonly Waiting[] },
): Promise<void> {
  const thread = await unit.get<ThreadRow>(keys.thread(id))
  if (thread === undefined) return
  for (const { key, held } of far) {
    if (held.far !== undefined) await noteFar(unit, desk, group, held.far)
    unit.delete(key)
  }
  for (const { device } of asked) await askAgain(unit, desk, { group, thread, device })
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

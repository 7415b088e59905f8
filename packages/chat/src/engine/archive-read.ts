/**
 * Reading the archive: the stream from our own place on, a page at a time. Keys of entries may come behind them (a new device is let in at the end), so that
 * where one is missing the rest is looked through for keys first. Nothing of it is believed but what signatures and the account's keys prove.
 */
import { type Digest, KezError } from "@kez/core"
import { decodeArchiveDocument } from "../archive/archive-document.ts"
import { epochOfEntry, openArchiveEntry } from "../archive/archive-entry.ts"
import { type ArchiveItem, decodeArchiveItem } from "../archive/archive-item.ts"
import type { ArchiveEpoch, Opener } from "../archive/archive-keys.ts"
import { decodeRecords } from "../archive/archive-record.ts"
import { standingNow } from "../chains.ts"
import { decodeCredential } from "../credential/device-credential.ts"
import { maxArchiveStepBytes, maxArchiveStepItems } from "../limits.ts"
import { raise } from "./alarms.ts"
import { placeEntry } from "./archive-places.ts"
import { type Taken, takeRecord } from "./archive-restore.ts"
import { type ArchiveRow, archiveRow, epochsOf, newestEpoch } from "./archive-rows.ts"
import { assertListed, passStatement, type ReadItem, takeStatement } from "./archive-statements.ts"
import type { Desk } from "./desk.ts"
import { keys } from "./row.ts"
import { tellConversation } from "./threads.ts"
import type { Unit } from "./unit.ts"

const pageSize = 256

export interface ReadOptions {
  /** This device, and the words while they are here. */
  readonly openers: readonly Opener[]
  readonly onProgress: (messages: number) => void
}

interface StreamItem extends ReadItem {
  readonly bytes: Uint8Array
}

/** Reads to the end. Resolves to whether all entries could be opened. Throws what requests throw. */
export async function readArchive(desk: Desk, options: ReadOptions): Promise<boolean> {
  const isRead = await readEntries(desk, options, false)
  if (isRead) return true
  // Some entry was under an epoch that is not known: the rest may hold its keys.
  await scanRest(desk, options)
  const canOpen = await desk.turn(async (unit) => isOpened(unit))
  return canOpen ? readEntries(desk, options, true) : false
}

/** The newest epoch is open here, so that those before it are: what is not under one of them is nobody's. */
async function isOpened(unit: Unit): Promise<boolean> {
  const newest = await newestEpoch(unit)
  return newest !== undefined && (await unit.bytes(keys.archiveEpoch(newest.id))) !== undefined
}

/** False: it came to an entry whose epoch is not known, and stands before it. */
async function readEntries(desk: Desk, options: ReadOptions, isScanned: boolean): Promise<boolean> {
  let messages = 0
  for (;;) {
    const { read } = await desk.turn(archiveRow)
    const page = await readPage(desk, read)
    for (const items of stepsOf(page.items)) {
      if (desk.isClosed) return true
      const step = await desk.turn((unit) => takeStep(unit, desk, items, { ...options, isScanned }))
      messages += step.messages
      if (step.messages > 0) options.onProgress(messages)
      if (!step.isRead) return false
    }
    if (page.isEnd) return true
  }
}

async function scanRest(desk: Desk, options: ReadOptions): Promise<void> {
  for (;;) {
    const { read, scanned } = await desk.turn(archiveRow)
    const page = await readPage(desk, Math.max(read, scanned))
    const last = page.items.at(-1)
    if (last !== undefined) {
      await desk.turn(async (unit) => {
        for (const one of page.items) await takeStatement(unit, desk, one, options.openers)
        await change(unit, { scanned: last.seq })
      })
    }
    if (page.isEnd || desk.isClosed) return
  }
}

/** One answer of the server, in order and behind `after`. Our chain is fetched where something in it is by a device, or at a head, that is not known here. */
async function readPage(
  desk: Desk,
  after: number,
): Promise<{ readonly items: readonly StreamItem[]; readonly isEnd: boolean }> {
  const { header, parts } = await desk.request("archive-read", { from: after + 1, limit: pageSize })
  const items: StreamItem[] = []
  let last = after
  for (const [i, bytes] of parts.entries()) {
    const seq = header.places[i]
    if (seq === undefined || seq <= last) break
    last = seq
    items.push({ seq, bytes, item: tryItem(bytes) })
  }
  if (items.some(({ item }) => item !== undefined && isStrange(desk, item))) {
    await desk.ports.chains.fetch(desk.chain).catch((error: unknown) => {
      if (!(error instanceof KezError)) throw error
    })
  }
  return { items, isEnd: header.is_end || items.length === 0 }
}

function tryItem(bytes: Uint8Array): ArchiveItem | undefined {
  try {
    return decodeArchiveItem(bytes)
  } catch (error) {
    if (error instanceof KezError) return undefined
    throw error
  }
}

function isStrange(desk: Desk, item: ArchiveItem): boolean {
  const replay = desk.known(desk.chain)
  if (replay === undefined) return true
  try {
    if (item.kind === "epoch") return !replay.knows(decodeArchiveDocument(item.data).envelope.payload.head)
    if (item.kind === "credential") return standingNow(replay, decodeCredential(item.data).device) === "unknown"
    return item.kind === "entry" && standingNow(replay, item.device) === "unknown"
  } catch (error) {
    if (error instanceof KezError) return false
    throw error
  }
}

/** So many that nothing else waits long for the step. */
function* stepsOf(items: readonly StreamItem[]): Generator<readonly StreamItem[]> {
  let step: StreamItem[] = []
  let bytes = 0
  for (const item of items) {
    if (step.length === maxArchiveStepItems || (step.length > 0 && bytes + item.bytes.length > maxArchiveStepBytes)) {
      yield step
      step = []
      bytes = 0
    }
    step.push(item)
    bytes += item.bytes.length
  }
  if (step.length > 0) yield step
}

interface StepOptions extends ReadOptions {
  readonly isScanned: boolean
}

async function takeStep(
  unit: Unit,
  desk: Desk,
  items: readonly StreamItem[],
  { openers, isScanned }: StepOptions,
): Promise<{ readonly isRead: boolean; readonly messages: number }> {
  const taken: Taken = { threads: new Set(), messages: 0 }
  const epochs = new Map((await epochsOf(unit)).map((one) => [one.id, one] as const))
  let isRead = true
  for (const one of items) {
    if (one.item?.kind === "entry") {
      if (!(await takeEntry(unit, desk, { ...one, item: one.item }, { epochs, taken, isScanned }))) {
        isRead = false
        break
      }
    } else {
      for (const opened of await takeStatement(unit, desk, one, openers)) epochs.set(opened.id, opened)
      await passStatement(unit, desk, one)
    }
    const { scanned } = await archiveRow(unit)
    await change(unit, { read: one.seq, scanned: Math.max(scanned, one.seq) })
  }
  for (const id of taken.threads) await tellConversation(unit, desk, id)
  return { isRead, messages: taken.messages }
}

async function change(unit: Unit, to: Partial<ArchiveRow>): Promise<void> {
  unit.put(keys.archive, { ...(await archiveRow(unit)), ...to } satisfies ArchiveRow)
}

interface EntryContext {
  readonly epochs: ReadonlyMap<Digest, ArchiveEpoch>
  readonly taken: Taken
  readonly isScanned: boolean
}

/** False: its epoch is not known, and may come. */
async function takeEntry(
  unit: Unit,
  desk: Desk,
  { seq, item }: { readonly seq: number; readonly item: Extract<ArchiveItem, { kind: "entry" }> },
  { epochs, taken, isScanned }: EntryContext,
): Promise<boolean> {
  try {
    const { device, data } = item
    assertListed(desk, device)
    const opened = openArchiveEntry(data, [...epochs.values()], { chain: desk.chain, device })
    if (!(await placeEntry(unit, desk, { ...opened, device, seq }))) return true
    for (const record of decodeRecords(opened.content)) await takeRecord(unit, desk, record, taken)
  } catch (fault) {
    if (!(fault instanceof KezError) || fault.code.startsWith("store.")) throw fault
    const epoch = epochOfEntry(item.data)
    if (epoch !== undefined && !epochs.has(epoch) && !isScanned) return false
    await raise(unit, desk, { kind: "archive_refused", seq }, fault)
  }
  return true
}

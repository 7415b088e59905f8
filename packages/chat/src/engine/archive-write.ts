/** Writing the archive: an epoch where one is due, then what waits, sealed once, kept, and put until the server says that it is on its disk. */
import { type Digest, digestOf, formatEnvelope } from "@kez/core"
import { encodeArchiveDocument } from "../archive/archive-document.ts"
import { epochOfEntry, openArchiveEntry, sealArchiveEntry } from "../archive/archive-entry.ts"
import { type ArchiveItem, decodeArchiveItem, encodeArchiveItem } from "../archive/archive-item.ts"
import {
  type ArchiveEpoch,
  createArchiveEpoch,
  isRenewalDue,
  type MadeEpoch,
  newestEpochs,
  publicArchiveKey,
} from "../archive/archive-keys.ts"
import { type ArchiveRecord, encodeRecords } from "../archive/archive-record.ts"
import { encodeText } from "../bytes.ts"
import { standingNow } from "../chains.ts"
import { encodeCredential } from "../credential/device-credential.ts"
import { deviceSigner } from "../credential/device-keys.ts"
import { maxArchiveRecords } from "../limits.ts"
import type { Row } from "../store/store.ts"
import type { Content } from "../wire/content.ts"
import { placeEntry } from "./archive-places.ts"
import {
  type ArchivePendingRow,
  type ArchiveRef,
  archiveKeyOf,
  credentialsOf,
  epochsOf,
  type NewestEpoch,
  newestEpoch,
  putEpoch,
} from "./archive-rows.ts"
import { takeCredential, takeEpoch, takeKey } from "./archive-statements.ts"
import { contactRow } from "./contact-rows.ts"
import type { Desk } from "./desk.ts"
import { findMessage } from "./message-rows.ts"
import { decodeRow, keys, type NoteRow, type ThreadRow } from "./row.ts"
import { sequenceOf, sequencesOf } from "./sequence-rows.ts"
import { viewThread } from "./threads.ts"
import type { Unit } from "./unit.ts"

/** `ready`: entries can be written. The others: why not. */
export type Readiness = "ready" | "no_key" | "closed"

/** Says what is not in the stream yet, and makes an epoch where one is due. */
export async function prepareArchive(desk: Desk): Promise<Readiness> {
  await sayKey(desk)
  if (!(await desk.turn((unit) => hasKey(unit, desk)))) return "no_key"
  await sayCredential(desk)
  const made = await desk.turn((unit) => epochDue(unit, desk))
  if (typeof made === "string") return made
  const data = encodeText(encodeArchiveDocument(made.document))
  // If the answer is lost it is read like one of another device: it is sealed to this one too.
  const seq = await put(desk, { kind: "epoch", data })
  await desk.turn(async (unit) => {
    putEpoch(unit, made.opened)
    await takeEpoch(unit, desk, { seq, data }, [])
  })
  return "ready"
}

function put(desk: Desk, item: ArchiveItem): Promise<number> {
  return putBytes(desk, encodeArchiveItem(item))
}

/** Its place. What is put again, because the answer was lost, has the place that it had. */
async function putBytes(desk: Desk, bytes: Uint8Array): Promise<number> {
  return (await desk.request("archive-put", { id: digestOf(bytes) }, [bytes])).header.seq
}

/** What the account's app gave, if it is newer than what stands there. */
async function sayKey(desk: Desk): Promise<void> {
  const given = desk.ports.account.archiveKey
  if (given === undefined) return
  const replay = desk.known(desk.chain)
  const known = await desk.turn(archiveKeyOf)
  const isKnown = known?.signature.key === given.signature.key && known.payload.epoch >= given.payload.epoch
  // By a primary before: whoever has the words in force signs it again.
  if (isKnown || given.signature.key !== replay?.state.primary) return
  const data = encodeText(formatEnvelope(given))
  await put(desk, { kind: "key", data })
  await desk.turn((unit) => takeKey(unit, desk, data))
}

async function hasKey(unit: Unit, desk: Desk): Promise<boolean> {
  const [envelope, replay] = [await archiveKeyOf(unit), desk.known(desk.chain)]
  return envelope !== undefined && envelope.signature.key === replay?.state.primary
}

/** So that other devices can seal to this one. */
async function sayCredential(desk: Desk): Promise<void> {
  const { credential } = desk
  const isSaid = await desk.turn(async (unit) => (await unit.bytes(keys.archiveCredential(desk.device))) !== undefined)
  if (isSaid || credential === undefined) return
  const data = encodeCredential(credential)
  await put(desk, { kind: "credential", data })
  await desk.turn((unit) => takeCredential(unit, desk, data))
}

/** A new epoch, or what is so without one. */
async function epochDue(unit: Unit, desk: Desk): Promise<MadeEpoch | Readiness> {
  const [words, replay, newest] = [await archiveKeyOf(unit), desk.known(desk.chain), await newestEpoch(unit)]
  if (words === undefined || replay === undefined) return "no_key"
  if (standingNow(replay, desk.device) !== "current") return "closed"
  const epochs = await epochsOf(unit)
  // Who has not got the keys before cannot hand them on.
  if (newest !== undefined && !epochs.some(({ id }) => id === newest.id)) return "closed"
  const credentials = await credentialsOf(unit)
  const canSeal = (device: string): boolean => credentials.some((one) => one.device === device)
  const isDue =
    newest === undefined ||
    isRenewalDue(newest.document, replay, words, canSeal) ||
    (newest.document.envelope.signature.key === desk.device && lacksEpoch(newest, epochs))
  if (!isDue) return "ready"
  publicArchiveKey(words, replay)
  const heads = (await sequencesOf(unit, desk.chain)).flatMap(({ device, sequence: { next, last } }) =>
    last === undefined ? [] : [{ device, number: next - 1, digest: last }],
  )
  const request = { replay, devices: credentials, words, earlier: epochs, heads, now: desk.now() }
  return createArchiveEpoch(request, deviceSigner(desk.ports.account.keys))
}

/** Two devices made one at once: whose came last holds the other's too. */
function lacksEpoch({ id, document }: NewestEpoch, epochs: readonly ArchiveEpoch[]): boolean {
  const holds = new Set<Digest>([id, ...document.keys.before.map((one) => one.id)])
  return newestEpochs(epochs).some((one) => !holds.has(one.id))
}

/** Puts one entry. True: there may be more. */
export async function writeNext(desk: Desk): Promise<boolean> {
  const item = await desk.turn((unit) => nextEntry(unit, desk))
  if (item === undefined) return false
  await putBytes(desk, item)
  await desk.turn((unit) => markPut(unit, desk))
  return true
}

async function markPut(unit: Unit, desk: Desk): Promise<void> {
  const pending = await unit.get<ArchivePendingRow>(keys.archivePending)
  if (pending === undefined) return
  const { number, prev, entry } = pending
  unit.delete(keys.archivePending)
  await placeEntry(unit, desk, { device: desk.device, number, prev, digest: entry })
}

async function nextEntry(unit: Unit, desk: Desk): Promise<Uint8Array | undefined> {
  const { sequence } = await sequenceOf(unit, desk.chain, desk.device)
  const [newest, epochs] = [await newestEpoch(unit), await epochsOf(unit)]
  const epoch = epochs.find(({ id }) => id === newest?.id)
  const [words, replay] = [await archiveKeyOf(unit), desk.known(desk.chain)]
  if (newest === undefined || epoch === undefined || words === undefined || replay === undefined) return undefined
  const credentials = await credentialsOf(unit)
  // Nothing is written that a device which was revoked could read.
  if (isRenewalDue(newest.document, replay, words, (device) => credentials.some((one) => one.device === device))) {
    unit.afterwards(() => desk.wakeArchive())
    return undefined
  }
  const at = { chain: desk.chain, device: desk.device, number: sequence.next }
  const place = { ...at, ...(sequence.last === undefined ? {} : { prev: sequence.last }) }
  const pending = await unit.row<ArchivePendingRow>(keys.archivePending)
  if (pending !== undefined) {
    if (sequence.recent.includes(pending.value.entry)) {
      // The server had it although its answer was lost.
      unit.delete(keys.archivePending)
      unit.afterwards(() => desk.wakeArchive())
      return undefined
    }
    const old = decodeArchiveItem(pending.bytes)
    if (old === undefined) return undefined
    const opened = openArchiveEntry(old.data, epochs, at)
    const isUnder = epochOfEntry(old.data) === epoch.id
    if (isUnder && opened.number === place.number && opened.prev === sequence.last) return pending.bytes
    return keepPending(unit, epoch, place, opened.content)
  }
  const content = await takeRefs(unit, desk)
  return content === undefined ? undefined : keepPending(unit, epoch, place, content)
}

function keepPending(
  unit: Unit,
  epoch: ArchiveEpoch,
  place: { readonly chain: Digest; readonly device: string; readonly number: number; readonly prev?: Digest },
  content: Uint8Array,
): Uint8Array {
  const { bytes: data, digest: entry } = sealArchiveEntry(epoch, place, content)
  const item = encodeArchiveItem({ kind: "entry", device: place.device, data })
  const { number, prev } = place
  const row: ArchivePendingRow = { number, entry, ...(prev === undefined ? {} : { prev }) }
  unit.put(keys.archivePending, row, item)
  return item
}

/** As many of what waits as one entry holds; they are out of the queue in the same step that keeps the entry. */
async function takeRefs(unit: Unit, desk: Desk): Promise<Uint8Array | undefined> {
  const rows = await inShownOrder(unit, await unit.rows(keys.archiveQueue(), maxArchiveRecords))
  const found: { readonly key: string; readonly records: readonly ArchiveRecord[] }[] = []
  const threads = new Set<Digest>()
  for (const { key, value } of rows) {
    const ref = decodeRow<ArchiveRef>(value).value
    const record = await recordOf(unit, ref)
    const thread =
      ref.kind === "contact" || threads.has(ref.thread) ? undefined : await threadRecord(unit, desk, ref.thread)
    if (thread !== undefined) threads.add(thread.thread)
    // Each entry says itself whose conversation it is about: one that is lost takes no other with it.
    found.push({ key, records: [thread, record].flatMap((one) => (one === undefined ? [] : [one])) })
  }
  const all = found.flatMap(({ records }) => records)
  if (all.length === 0) {
    for (const { key } of rows) unit.delete(key)
    return undefined
  }
  const { bytes, count } = encodeRecords(all)
  let used = 0
  for (const { key, records } of found) {
    used += records.length
    if (used > count) break
    unit.delete(key)
  }
  return bytes
}

/** What was sent is queued once it is sent, and may have been shown before what came meanwhile. */
async function inShownOrder(unit: Unit, rows: readonly Row[]): Promise<readonly Row[]> {
  const placed: { readonly row: Row; readonly place: string }[] = []
  let place = ""
  for (const row of rows) {
    const ref = decodeRow<ArchiveRef>(row.value).value
    if (ref.kind === "message") place = (await unit.get<string>(keys.placeOf(ref.thread, ref.id))) ?? place
    placed.push({ row, place })
  }
  return placed.toSorted((a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : 0)).map(({ row }) => row)
}

async function recordOf(unit: Unit, ref: ArchiveRef): Promise<ArchiveRecord | undefined> {
  switch (ref.kind) {
    case "contact": {
      const row = await contactRow(unit, ref.chain)
      if (row === undefined) return undefined
      const { seenDevices: devices, ...rest } = row
      return { type: "contact", ...rest, devices }
    }
    case "note": {
      const note = await unit.get<NoteRow>(keys.note(ref.thread, ref.about, ref.id))
      return note === undefined ? undefined : { type: "note", thread: ref.thread, about: ref.about, ...note }
    }
    case "message": {
      const row = await findMessage(unit, ref.thread, ref.id)
      if (row === undefined) return undefined
      const { id, group, chain, device, counter, at, cameAt = at, text } = row
      const content = row.content as Content // the row holds what was checked when it came
      const said = { thread: ref.thread, id, group, chain, device, counter, at, cameAt, content }
      return { type: "message", ...said, ...(text === undefined ? {} : { text }) }
    }
  }
}

async function threadRecord(
  unit: Unit,
  desk: Desk,
  id: Digest,
): Promise<Extract<ArchiveRecord, { type: "thread" }> | undefined> {
  const row = await unit.get<ThreadRow>(keys.thread(id))
  if (row === undefined) return undefined
  const { name, members } = await viewThread(unit, desk, row)
  const { kind, contact } = row
  return {
    ...{ type: "thread", thread: id, kind, members },
    ...(contact === undefined ? {} : { contact }),
    ...(name === undefined ? {} : { name }),
  }
}

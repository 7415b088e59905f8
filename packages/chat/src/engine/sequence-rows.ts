/** Where the messages of each device of a conversation stand, as it is kept. */
import type { Digest } from "@kez/core"
import {
  type Arrival,
  firstSequence,
  gapOf,
  giveUpTo,
  type Lost,
  type Placed,
  placeMessage,
  type Sequence,
  type Stretch,
  sequenceFrom,
  skipTo,
} from "../wire/sequence.ts"
import { keys } from "./row.ts"
import type { Unit } from "./unit.ts"

/** What did not come is asked for again after so long, longer each time, and then no more. In seconds. */
const askAgain: readonly number[] = [90, 600, 3_600, 21_600, 86_400]
/** Ids that are kept to tell a repeat from a fork. Older ones are `outside`. */
const keptIds = 128
/** Of them in a device's row, which is written for each message; then the older ones go into a row of their own. */
const maxNewestIds = 24
const newestIds = 8
/** Devices that are not in a conversation any more and may come back: so many are kept, and told of to who comes in. */
export const maxGone = 64

interface SequenceRow {
  readonly next: number
  readonly last?: Digest
  /** The newest ones: those before them stand in `olderIds`. */
  readonly recent: readonly Digest[]
  readonly held: readonly HeldRow[]
  readonly lost?: readonly Stretch[]
  readonly isTold?: true
  /** The server's place of the last one in order: history is asked from there. */
  readonly lastSeq: number
  /** Unix seconds: when what is missing was asked for of its sender. */
  readonly askedAt?: number
  readonly askedFrom?: number
  /** How often for the same. */
  readonly askedTimes?: number
  /** Something came that is so far ahead that it cannot be opened: the counter behind it is not larger. */
  readonly farTo?: number
  /** What was before is not for this device, unless it is given it. Absent: 0. */
  readonly begunAt?: number
  /** Nothing of it came in order since it came in, or since this device did: so far it may say what is not for this one. */
  readonly isFresh?: true
}

interface HeldRow {
  readonly counter: number
  readonly id: Digest
  readonly prev?: Digest
  /** Where it is shown. */
  readonly place?: string
}

export interface DeviceSequence {
  readonly device: string
  readonly sequence: Sequence
  /** What `olderIds` holds of `sequence.recent`: its beginning. Absent: it was not read. */
  readonly older?: readonly Digest[]
  readonly places: ReadonlyMap<number, string>
  readonly lastSeq: number
  readonly askedAt?: number
  readonly askedFrom?: number
  readonly askedTimes?: number
  readonly farTo?: number
  readonly begunAt?: number
  readonly isFresh?: true
}

export async function sequenceOf(unit: Unit, group: Digest, device: string): Promise<DeviceSequence> {
  const row = await unit.get<SequenceRow>(keys.sequence(group, device))
  if (row === undefined) return { device, sequence: firstSequence, places: new Map(), lastSeq: 0 }
  return read(device, row, (await unit.get<readonly Digest[]>(keys.olderIds(group, device))) ?? [])
}

export async function sequencesOf(unit: Unit, group: Digest): Promise<readonly DeviceSequence[]> {
  const prefix = keys.sequences(group)
  const rows = await unit.rows(prefix)
  return Promise.all(rows.map(({ key }) => sequenceOf(unit, group, key.slice(prefix.length))))
}

/** Devices that left, those that spoke last first. What a member said of one that showed nothing here takes the place of none that did. */
export function goneOf(sequences: readonly DeviceSequence[], there: ReadonlySet<string>): readonly DeviceSequence[] {
  const isTold = ({ sequence }: DeviceSequence): number => (sequence.isTold === true ? 1 : 0)
  return sequences
    .filter(({ device }) => !there.has(device))
    .toSorted((a, b) => isTold(a) - isTold(b) || b.lastSeq - a.lastSeq)
}

/** Whoever brings in one device after the other would make all rows of a conversation grow without end. What was not looked for yet stays so long. */
export async function dropGone(unit: Unit, group: Digest, there: ReadonlySet<string>): Promise<void> {
  for (const one of goneOf(await sequencesOf(unit, group), there).slice(maxGone)) {
    if (isLookedFor(one, there)) continue
    unit.delete(keys.sequence(group, one.device))
    unit.delete(keys.olderIds(group, one.device))
  }
}

function read(
  device: string,
  { held, next, last, recent, lost, isTold, ...rest }: SequenceRow,
  older: readonly Digest[],
): DeviceSequence {
  return {
    ...{ ...rest, device, older },
    sequence: {
      ...{
        next,
        recent: [...older, ...recent],
        held: new Map(held.map(({ counter, id, prev }) => [counter, { id, prev }])),
      },
      ...(last === undefined ? {} : { last }),
      ...(lost === undefined ? {} : { lost }),
      ...(isTold === undefined ? {} : { isTold }),
    },
    places: new Map(held.flatMap(({ counter, place }) => (place === undefined ? [] : [[counter, place] as const]))),
  }
}

/** Something of the device is missing. */
export function isIncomplete({ sequence, farTo = 0 }: DeviceSequence): boolean {
  return sequence.held.size > 0 || farTo > sequence.next
}

/**
 * What is missing of it is to be looked for. Of a device that left that is done once, so that there is an alarm: nobody answers for it, and what its maker left
 * out for good must not hold up anybody. `there`: the devices of the conversation.
 */
export function isLookedFor(one: DeviceSequence, there: ReadonlySet<string>): boolean {
  return isIncomplete(one) && (there.has(one.device) || one.askedFrom !== one.sequence.next)
}

/** The first stretch that is missing; `to` is not larger than that, where something is too far ahead to be opened. */
export function missingOf({ sequence, farTo = 0 }: DeviceSequence): Stretch | undefined {
  const { next, held } = sequence
  const first = held.size > 0 ? Math.min(...held.keys()) : farTo
  return first > next ? { from: next, to: first - 1 } : undefined
}

/** Whether what is missing is to be asked for of its device now. */
export function isAskDue({ sequence, askedAt = 0, askedFrom, askedTimes = 1 }: DeviceSequence, now: number): boolean {
  const waits = askAgain[askedTimes - 1] ?? Number.POSITIVE_INFINITY
  return askedFrom !== sequence.next || askedAt + waits <= now
}

/** Whether what an alarm named is missing still. */
export function isMissed({ sequence }: DeviceSequence, { from, to }: Stretch): boolean {
  const { held, next, lost = [] } = sequence
  const isLost = lost.some((stretch) => stretch.from <= to && from <= stretch.to)
  return isLost || (held.size > 0 && to >= next)
}

export function putSequence(unit: Unit, group: Digest, { sequence, places, ...rest }: DeviceSequence): void {
  const { device, older, ...kept } = rest
  const held = [...sequence.held].map(([counter, { id, prev }]) => {
    const place = places.get(counter)
    return { counter, id, ...(prev === undefined ? {} : { prev }), ...(place === undefined ? {} : { place }) }
  })
  const { next, last, recent, lost = [], isTold } = sequence
  const row: SequenceRow = {
    ...{ ...kept, next, recent: putOlder(unit, keys.olderIds(group, device), recent, older), held },
    ...(last === undefined ? {} : { last }),
    ...(lost.length === 0 ? {} : { lost }),
    ...(isTold === undefined ? {} : { isTold }),
  }
  unit.put(keys.sequence(group, device), row)
}

/** Writes those that are not new, which is seldom, and returns the others. */
function putOlder(
  unit: Unit,
  key: string,
  recent: readonly Digest[],
  older: readonly Digest[] | undefined,
): readonly Digest[] {
  const isThere = older?.every((id, i) => recent[i] === id) === true
  const newest = recent.slice(isThere ? older.length : 0)
  if (newest.length <= maxNewestIds) {
    if (!isThere) unit.delete(key)
    return newest
  }
  const kept = recent.slice(-keptIds)
  unit.put(key, kept.slice(0, -newestIds))
  return kept.slice(-newestIds)
}

/** The slot among messages as they are shown: before those of the device that came early, else at the end. */
export function slotBefore({ places }: DeviceSequence, counter: number): number | undefined {
  const later = [...places].filter(([one]) => one > counter).sort(([a], [b]) => a - b)
  const place = later[0]?.[1]
  return place === undefined ? undefined : Number(place.slice(0, 16))
}

/** Of a device that came in, or came back. What was there already stands in a row. */
export async function noteFresh(unit: Unit, group: Digest, device: string): Promise<void> {
  const key = keys.sequence(group, device)
  const row = await unit.get<SequenceRow>(key)
  if (row !== undefined) unit.put(key, { ...row, isFresh: true } satisfies SequenceRow)
}

interface Skipped {
  readonly after: DeviceSequence
  /** Places of those that are not early any more. */
  readonly released: readonly string[]
  /** What was for this device, and does not come any more. */
  readonly lost?: Lost
}

/**
 * The device says that it sends nothing before `at`. Before its first message in order that was never for this device; later it was, and is missing: whoever
 * could make others forget what he said could say something else in its place.
 */
export function skipIn(before: DeviceSequence, at: number): Skipped {
  const { isFresh, ...rest } = before
  const { isTold, next, recent } = before.sequence
  const isUnseen = next === 0 && recent.length === 0
  const isFirst = isFresh === true || isTold === true || isUnseen
  const skipped = isFirst ? skipTo(before.sequence, at) : giveUpTo(before.sequence, at)
  const { sequence } = skipped
  const gone = [...before.places].filter(([counter]) => !sequence.held.has(counter))
  const places = new Map([...before.places].filter(([counter]) => sequence.held.has(counter)))
  const begun = isUnseen || (isFirst && before.begunAt !== undefined) ? { begunAt: at } : {}
  const fault = skipped.fault === undefined ? {} : { fault: skipped.fault }
  return {
    after: { ...rest, ...begun, sequence, places },
    released: gone.map(([, place]) => place),
    ...(isFirst ? {} : { lost: { from: next, to: sequence.lost?.at(-1)?.to ?? next, ...fault } }),
  }
}

/** Somebody says that the device sent messages up to `next` while this one was out. What came early before is not early any more; what was missing then stays so. */
export function toldAgain(before: DeviceSequence, next: number, last: Digest | undefined): Skipped {
  const gap = gapOf(before.sequence)
  const given = gap !== undefined && gap.to < next ? giveUpTo(before.sequence, next) : { sequence: before.sequence }
  const skipped = skipTo(given.sequence, next)
  // The device itself showed what is behind it, if that came early.
  const isTold = skipped.sequence.next === next
  const told = isTold ? { ...sequenceFrom(next, last), held: skipped.sequence.held, isTold } : {}
  const sequence: Sequence = { ...skipped.sequence, ...told }
  const { farTo: _, askedAt: __, askedFrom: ___, askedTimes: ____, ...rest } = before
  const gone = [...before.places].filter(([counter]) => !sequence.held.has(counter))
  const places = new Map([...before.places].filter(([counter]) => sequence.held.has(counter)))
  const fault = given.fault ?? skipped.fault
  const lost = fault === undefined ? {} : { lost: { from: before.sequence.next, to: next - 1, fault } }
  return { after: { ...rest, sequence, places }, released: gone.map(([, place]) => place), ...lost }
}

export interface PlacedMessage {
  readonly before: DeviceSequence
  readonly after: DeviceSequence
  readonly arrival: Arrival
  /** Places of those that are not early any more. */
  readonly released: readonly string[]
  /** A stretch before it that was given up. */
  readonly lost: Lost | undefined
}

export function placeIn(before: DeviceSequence, message: Placed, seq: number | undefined): PlacedMessage {
  const { sequence, arrival } = placeMessage(before.sequence, message)
  const isInOrder = arrival.kind === "in_order"
  const gone = [...before.places].filter(([counter]) => !sequence.held.has(counter))
  const places = new Map([...before.places].filter(([counter]) => sequence.held.has(counter)))
  const lastSeq = isInOrder && seq !== undefined ? Math.max(before.lastSeq, seq) : before.lastSeq
  const lost = arrival.kind === "in_order" || arrival.kind === "gap" ? arrival.lost : undefined
  const { farTo, isFresh, ...rest } = before
  // What could be opened comes after it: from here on the count tells what is missing.
  const far = farTo === undefined || (isInOrder && sequence.held.size === 0) ? {} : { farTo }
  const isMoved = arrival.kind === "in_order" && arrival.wronglyTold !== undefined && before.begunAt !== undefined
  const begun = isMoved ? { begunAt: message.counter } : {}
  const fresh = isFresh === true && !isInOrder ? { isFresh } : {}
  const after = { ...rest, ...far, ...begun, ...fresh, sequence, places, lastSeq }
  return { before, after, arrival, released: gone.map(([, place]) => place), lost }
}

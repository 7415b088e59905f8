/** Where the messages of each device of a conversation stand, as it is kept. */
import type { Digest } from "@kez/core"
import { type Arrival, firstSequence, type Placed, placeMessage, type Sequence } from "../wire/sequence.ts"
import { keys } from "./row.ts"
import type { Unit } from "./unit.ts"

/** Ids that are kept to tell a repeat from a fork. Older ones are `outside`. */
const keptIds = 128

interface SequenceRow {
  readonly next: number
  readonly last?: Digest
  readonly recent: readonly Digest[]
  readonly held: readonly HeldRow[]
  /** The server's place of the last one in order: history is asked from there. */
  readonly lastSeq: number
  /** Unix seconds: when what is missing was asked for of its sender. */
  readonly askedAt?: number
  readonly askedFrom?: number
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
  readonly places: ReadonlyMap<number, string>
  readonly lastSeq: number
  readonly askedAt?: number
  readonly askedFrom?: number
}

export async function sequenceOf(unit: Unit, group: Digest, device: string): Promise<DeviceSequence> {
  const row = await unit.get<SequenceRow>(keys.sequence(group, device))
  return row === undefined ? { device, sequence: firstSequence, places: new Map(), lastSeq: 0 } : read(device, row)
}

export async function sequencesOf(unit: Unit, group: Digest): Promise<readonly DeviceSequence[]> {
  const prefix = keys.sequences(group)
  const rows = await unit.rows(prefix)
  return Promise.all(rows.map(({ key }) => sequenceOf(unit, group, key.slice(prefix.length))))
}

function read(device: string, { held, next, last, recent, ...rest }: SequenceRow): DeviceSequence {
  const { lastSeq, askedAt, askedFrom } = rest
  return {
    device,
    sequence: {
      ...{ next, recent, held: new Map(held.map(({ counter, id, prev }) => [counter, { id, prev }])) },
      ...(last === undefined ? {} : { last }),
    },
    places: new Map(held.flatMap(({ counter, place }) => (place === undefined ? [] : [[counter, place] as const]))),
    lastSeq,
    ...(askedAt === undefined ? {} : { askedAt }),
    ...(askedFrom === undefined ? {} : { askedFrom }),
  }
}

export function putSequence(unit: Unit, group: Digest, { sequence, places, ...rest }: DeviceSequence): void {
  const { device, ...kept } = rest
  const held = [...sequence.held].map(([counter, { id, prev }]) => {
    const place = places.get(counter)
    return { counter, id, ...(prev === undefined ? {} : { prev }), ...(place === undefined ? {} : { place }) }
  })
  const { next, last, recent } = sequence
  const row: SequenceRow = {
    ...{ ...kept, next, recent: recent.slice(-keptIds), held },
    ...(last === undefined ? {} : { last }),
  }
  unit.put(keys.sequence(group, device), row)
}

/** The slot among messages as they are shown: before those of the device that came early, else at the end. */
export function slotBefore({ places }: DeviceSequence, counter: number): number | undefined {
  const later = [...places].filter(([one]) => one > counter).sort(([a], [b]) => a - b)
  const place = later[0]?.[1]
  return place === undefined ? undefined : Number(place.slice(0, 16))
}

export interface PlacedMessage {
  readonly before: DeviceSequence
  readonly after: DeviceSequence
  readonly arrival: Arrival
  /** Places of those that are not early any more. */
  readonly released: readonly string[]
}

export function placeIn(before: DeviceSequence, message: Placed, seq: number | undefined): PlacedMessage {
  const { sequence, arrival } = placeMessage(before.sequence, message)
  const isInOrder = arrival.kind === "in_order"
  const gone = [...before.places].filter(([counter]) => !sequence.held.has(counter))
  const places = new Map([...before.places].filter(([counter]) => sequence.held.has(counter)))
  const lastSeq = isInOrder && seq !== undefined ? Math.max(before.lastSeq, seq) : before.lastSeq
  return { before, after: { ...before, sequence, places, lastSeq }, arrival, released: gone.map(([, place]) => place) }
}

/**
 * The messages of one device in one conversation, in their order: what is next, what is missing, what came twice, and where a device
 * said two things in one place. A value, saved with the messages.
 */
import { type Digest, KezError } from "@kez/core"
import { maxHeldMessages } from "../limits.ts"

/** What is known of a device's messages. */
export interface Sequence {
  /** Counter of the next message in order. */
  readonly next: number
  /** Id of the one before it; undefined: nothing is known before `next`. */
  readonly last?: Digest
  /** Ids of the newest ones in order, to tell a repeat from a fork; the first is of counter `next - recent.length`. */
  readonly recent: readonly Digest[]
  /** Came early: they wait for one before them. By counter. */
  readonly held: ReadonlyMap<number, Held>
  /** Stretches that were given up, oldest first: what fills them comes late. */
  readonly lost?: readonly Stretch[]
  /** `next` and `last` are what another member said: the first message of the device itself tells them right. */
  readonly isTold?: true
}

/** Counters, both ends included. */
export interface Stretch {
  readonly from: number
  readonly to: number
}

interface Held {
  readonly id: Digest
  readonly prev: Digest | undefined
}

export interface Placed {
  readonly counter: number
  readonly id: Digest
  readonly prev?: Digest
}

export type Arrival =
  /** It follows; with it may come others that waited, in order, by id. `fault`: one that waited does not follow, and is dropped. */
  | InOrder
  /** It came early: those from `from` to `to` are missing, and are asked for. It may be shown, marked as out of order. */
  | { readonly kind: "gap"; readonly from: number; readonly to: number; readonly fault: KezError; readonly lost?: Lost }
  /** It was given up before. It may be shown, marked as out of order. */
  | { readonly kind: "late" }
  /** It came before. */
  | { readonly kind: "repeat"; readonly fault: KezError }
  /** Another message stands in its place, or in the place before: the device, or who has its keys, says two things. */
  | { readonly kind: "fork"; readonly counter: number; readonly fault: KezError }
  /** From before what is known here. */
  | { readonly kind: "outside"; readonly fault: KezError }

interface InOrder {
  readonly kind: "in_order"
  readonly released: readonly Digest[]
  readonly fault?: KezError
  readonly lost?: Lost
  /** Another member said that this would be the next one, and it is not. */
  readonly wronglyTold?: number
}

/** Given up because too many wait behind it. `fault`: one of those does not follow, and is dropped. */
export interface Lost extends Stretch {
  readonly fault?: KezError
}

export const maxRecentIds = 1_024
/** Stretches that are remembered as given up. */
const maxLost = 16

/** Nothing seen yet: messages begin with number 0. */
export const firstSequence: Sequence = { next: 0, recent: [], held: new Map() }

/** For a device whose earlier messages are not for us: what comes next, and what it has to follow. */
export function sequenceFrom(next: number, last: Digest | undefined): Sequence {
  return { next, recent: last === undefined ? [] : [last], held: new Map(), ...(last === undefined ? {} : { last }) }
}

/** What a message is, and the sequence after it. `fork` and `repeat` leave the sequence as it was. */
export function placeMessage(
  sequence: Sequence,
  message: Placed,
): { readonly sequence: Sequence; readonly arrival: Arrival } {
  const { counter } = message
  if (isWronglyTold(sequence, message)) return placeFirst(sequence, message)
  if (counter < sequence.next) return placeLate(sequence, counter) ?? { sequence, arrival: placeOld(sequence, message) }
  const held = sequence.held.get(counter)
  if (held !== undefined) {
    return { sequence, arrival: held.id === message.id ? repeat(counter) : forked(counter) }
  }
  return counter === sequence.next ? placeNext(sequence, message) : placeEarly(sequence, message)
}

function isWronglyTold({ isTold, next, last, held }: Sequence, { counter, prev }: Placed): boolean {
  if (isTold !== true || held.has(counter)) return false
  return counter < next || (counter === next && prev !== last)
}

/** The device is believed, not who spoke of it. */
function placeFirst(sequence: Sequence, message: Placed): { sequence: Sequence; arrival: Arrival } {
  const { isTold: _, last: __, held, next, ...rest } = sequence
  const placed = placeMessage({ ...rest, ...sequenceFrom(message.counter, message.prev), held }, message)
  const { arrival } = placed
  if (arrival.kind !== "in_order") return placed
  return { sequence: placed.sequence, arrival: { ...arrival, wronglyTold: next } }
}

/** The first stretch of messages that is missing, or undefined. */
export function gapOf({ next, held }: Sequence): { readonly from: number; readonly to: number } | undefined {
  if (held.size === 0) return undefined
  return { from: next, to: Math.min(...held.keys()) - 1 }
}

/** What is before `at` is not waited for any more. */
export function skipTo(
  { recent: _, held: before, last: __, isTold: ___, ...rest }: Sequence,
  at: number,
): { readonly sequence: Sequence; readonly fault?: KezError } {
  const held = new Map([...before].filter(([counter]) => counter >= at))
  const last = held.get(at)?.prev
  const from = sequenceFrom(at, last)
  const { now, fault } = withReleased({ ...rest, ...from, held })
  return { sequence: now, ...(fault === undefined ? {} : { fault }) }
}

/** The first hole is given up, up to `at`: what fills it comes late. */
export function giveUpTo(sequence: Sequence, at: number): { readonly sequence: Sequence; readonly fault?: KezError } {
  const to = Math.min(at, ...sequence.held.keys())
  const lost = { from: sequence.next, to: to - 1 }
  const skipped = skipTo(sequence, to)
  return { ...skipped, sequence: { ...skipped.sequence, lost: [...(sequence.lost ?? []), lost].slice(-maxLost) } }
}

function placeLate(
  sequence: Sequence,
  counter: number,
): { readonly sequence: Sequence; readonly arrival: Arrival } | undefined {
  const { lost: before = [] } = sequence
  if (!before.some(({ from, to }) => from <= counter && counter <= to)) return undefined
  const lost = before.flatMap(({ from, to }) => {
    if (counter < from || counter > to) return [{ from, to }]
    return [
      { from, to: counter - 1 },
      { from: counter + 1, to },
    ].filter((stretch) => stretch.from <= stretch.to)
  })
  return { sequence: { ...sequence, lost: lost.slice(-maxLost) }, arrival: { kind: "late" } }
}

function placeOld({ next, recent }: Sequence, { counter, id }: Placed): Arrival {
  const known = recent[recent.length - (next - counter)]
  if (known === id) return repeat(counter)
  if (known !== undefined) return forked(counter)
  const fault = new KezError("chat.repeat", `Cannot place message ${counter}: it is from before what is kept here`, {
    hint: "It was delivered late or twice. The archive may hold it.",
  })
  return { kind: "outside", fault }
}

function placeNext(sequence: Sequence, message: Placed): { sequence: Sequence; arrival: Arrival } {
  if (sequence.last !== undefined && message.prev !== sequence.last) {
    return { sequence, arrival: forked(sequence.next - 1) }
  }
  const { now, released, fault } = withReleased(extended(sequence, message.id))
  return { sequence: now, arrival: { kind: "in_order", released, ...(fault === undefined ? {} : { fault }) } }
}

/** With those that waited and follow now. */
function withReleased(sequence: Sequence): {
  readonly now: Sequence
  readonly released: readonly Digest[]
  readonly fault?: KezError
} {
  let now = sequence
  const released: Digest[] = []
  for (let held = now.held.get(now.next); held !== undefined; held = now.held.get(now.next)) {
    if (now.last !== undefined && held.prev !== now.last) {
      return { now: without(now, now.next), released, fault: forkFault(now.next) }
    }
    released.push(held.id)
    now = extended(without(now, now.next), held.id)
  }
  return { now, released }
}

function placeEarly(sequence: Sequence, message: Placed): { sequence: Sequence; arrival: Arrival } {
  const { counter, id, prev } = message
  const { next, held } = sequence
  if (held.size >= maxHeldMessages) return placeAfterLoss(sequence, message)
  const after = { ...sequence, held: new Map(held).set(counter, { id, prev }) }
  const to = Math.min(...after.held.keys()) - 1
  const fault = new KezError("chat.gap", `Messages ${next} to ${to} of a device are missing`, {
    hint: "They are asked for again. The server lost them, or holds them back.",
  })
  return { sequence: after, arrival: { kind: "gap", from: next, to, fault } }
}

/** However many wait, the next one is shown: the first stretch before them is given up. */
function placeAfterLoss(sequence: Sequence, message: Placed): { sequence: Sequence; arrival: Arrival } {
  const lost = { from: sequence.next, to: Math.min(message.counter, ...sequence.held.keys()) - 1 }
  const given = giveUpTo(sequence, message.counter)
  const { sequence: after, arrival } = placeMessage(given.sequence, message)
  if (arrival.kind !== "in_order" && arrival.kind !== "gap") return { sequence: after, arrival }
  const fault = given.fault === undefined ? {} : { fault: given.fault }
  return { sequence: after, arrival: { ...arrival, lost: { ...lost, ...fault } } }
}

function extended({ isTold: _, ...sequence }: Sequence, id: Digest): Sequence {
  const { next, recent } = sequence
  return { ...sequence, next: next + 1, last: id, recent: [...recent, id].slice(-maxRecentIds) }
}

function without(sequence: Sequence, counter: number): Sequence {
  const held = new Map(sequence.held)
  held.delete(counter)
  return { ...sequence, held }
}

function repeat(counter: number): Arrival {
  const fault = new KezError("chat.repeat", `Message ${counter} of a device came before`, { hint: "It is shown once." })
  return { kind: "repeat", fault }
}

function forked(counter: number): Arrival {
  return { kind: "fork", counter, fault: forkFault(counter) }
}

function forkFault(counter: number): KezError {
  return new KezError("chat.sender_fork", `A device said two different things as message ${counter}`, {
    hint: "Its state was restored from an old copy, or somebody else has its keys. Ask its owner.",
  })
}

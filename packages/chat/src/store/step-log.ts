/**
 * What was written and does not stand in its rows yet. A step of the engine changes a dozen small rows, most of them again in the next step: it is
 * written as one row, and the rows follow for many steps at once.
 */
import { decodeText } from "@kez/core"
import { ByteReader, encodeText, joinBytes, sized, uintBytes } from "../bytes.ts"
import { type Change, type RangeOptions, type Row, under } from "./store.ts"

/** Behind all keys that anybody asks for, so that no list holds them. */
const prefix = "\x7fstep/"
export const stepRange = under(prefix)
const digits = 16

const maxSteps = 16
/** Where rows cannot follow: a disk that is almost full. */
const mostSteps = 1_024
const maxKeptBytes = 262_144
/** What is larger goes into its rows at once. */
const maxStepBytes = 65_536

const [deleted, put] = [0, 1]
const costOfChange = 9
const isPlainKey = /^[\x20-\x7e]{1,1024}$/

/** Whether it is small enough, and its keys are those that a store takes: others would not come back as they are. */
export function fitsStep(changes: readonly Change[]): boolean {
  let bytes = 0
  for (const change of changes) {
    const key = "put" in change ? change.put : change.delete
    if (!isPlainKey.test(key)) return false
    bytes += costOfChange + key.length + ("put" in change ? change.value.length : 0)
  }
  return bytes <= maxStepBytes
}

/** 4 bytes: how many. For each change: 1 byte, 0 for a deletion; 4 bytes length and its key; for a put 4 bytes length and its value. */
export function encodeStep(changes: readonly Change[]): Uint8Array {
  return joinBytes(
    uintBytes(changes.length, 4),
    ...changes.flatMap((change) =>
      "put" in change
        ? [uintBytes(put, 1), sized(encodeText(change.put)), sized(change.value)]
        : [uintBytes(deleted, 1), sized(encodeText(change.delete))],
    ),
  )
}

export function decodeStep(bytes: Uint8Array): readonly Change[] {
  const reader = new ByteReader(bytes, "a step of the chat's store")
  return Array.from({ length: reader.uint(4) }, () => {
    const isPut = reader.uint(1) === put
    const key = decodeText(reader.sized(maxStepBytes), maxStepBytes)
    return isPut ? { put: key, value: reader.sized(maxStepBytes) } : { delete: key }
  })
}

/** A row as it is now; undefined: deleted. */
type Waiting = readonly [key: string, value: Uint8Array | undefined]

export class StepLog {
  /** The newest of each key; undefined: deleted. */
  #kept = new Map<string, Uint8Array | undefined>()
  #bytes = 0
  #first = 0
  #next = 0

  get isEmpty(): boolean {
    return this.#next === this.#first
  }

  /** So much waits that it goes into its rows now. */
  get isFull(): boolean {
    return this.#next - this.#first >= maxSteps || this.#bytes >= maxKeptBytes
  }

  /** So much that nothing more is taken before it is in its rows. */
  get isOverfull(): boolean {
    return this.#next - this.#first >= mostSteps
  }

  get nextKey(): string {
    return keyOf(this.#next)
  }

  /** A step that is on the disk, in its order. */
  add(changes: readonly Change[]): void {
    this.#next++
    for (const change of changes) {
      const value = "put" in change ? change.value : undefined
      this.#bytes += value?.length ?? 0
      this.#kept.set("put" in change ? change.put : change.delete, value)
    }
  }

  /** One that was found on the disk. */
  restore(key: string, changes: readonly Change[]): void {
    const n = Number(key.slice(prefix.length))
    if (this.isEmpty) this.#first = n
    this.#next = n
    this.add(changes)
  }

  /** What a row is; undefined: as it stands. */
  get(key: string): { readonly value: Uint8Array | undefined } | undefined {
    return this.#kept.has(key) ? { value: this.#kept.get(key) } : undefined
  }

  /** What waits within a range. */
  within({ from, to }: RangeOptions): readonly Waiting[] {
    return [...this.#kept].filter(([key]) => key >= from && key < to)
  }

  /** All that waits, as changes of rows: with them its steps go. */
  changes(): readonly Change[] {
    const kept = [...this.#kept].map(([key, value]) => (value === undefined ? { delete: key } : { put: key, value }))
    const steps = Array.from({ length: this.#next - this.#first }, (_, i) => ({ delete: keyOf(this.#first + i) }))
    return [...kept, ...steps]
  }

  /** They are in their rows. */
  clear(): void {
    this.#kept = new Map()
    this.#bytes = 0
    this.#first = this.#next
  }
}

/** What has to be read of the rows for a list: what was deleted since may stand among the first of them. */
export function wanted(options: RangeOptions, waiting: readonly Waiting[]): RangeOptions {
  const { limit } = options
  return limit === undefined || limit < 0 ? options : { ...options, limit: limit + waiting.length }
}

/** Rows as they were read by `wanted`, with what waits. */
export function merged(options: RangeOptions, rows: readonly Row[], waiting: readonly Waiting[]): readonly Row[] {
  if (waiting.length === 0) return rows
  const { limit = -1, reverse = false } = options
  const all = new Map(rows.map(({ key, value }) => [key, value] as const))
  for (const [key, value] of waiting) {
    if (value === undefined) all.delete(key)
    else all.set(key, value)
  }
  const sorted = [...all].map(([key, value]) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1))
  if (reverse) sorted.reverse()
  return limit < 0 ? sorted : sorted.slice(0, limit)
}

function keyOf(n: number): string {
  return `${prefix}${String(n).padStart(digits, "0")}`
}

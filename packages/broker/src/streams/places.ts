/**
 * Which place the next message of a stream will get. While this process alone writes into it, over one connection that keeps the order, that is known
 * before the broker has answered: what names the place can go out at the same time. Where it turns out wrong, somebody else writes there too.
 */
import type { Kept } from "./store.ts"

/** For so long nothing is told of a stream that somebody else was seen to write into. */
const sharedMs = 600_000

interface Tail {
  /** Of the newest message that the broker told of; undefined: unknown. */
  last: number | undefined
  next: number
  /** Published and not answered yet. */
  flying: number
  /** What flies takes one place each, in its order. */
  isSure: boolean
  sharedUntilMs: number
}

export class Places {
  readonly #nowMs: () => number
  readonly #tails = new Map<string, Tail>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** `publish` sends before it waits for anything, and is given the place that it will get, or undefined where that cannot be told. */
  async message(stream: string, publish: (place: number | undefined) => Promise<Kept>): Promise<Kept> {
    const tail = this.#tail(stream)
    const isTold = tail.isSure && this.#nowMs() >= tail.sharedUntilMs
    const place = isTold ? tail.next++ : undefined
    // Until all that flies has come down.
    if (!isTold) tail.isSure = false
    return this.#flying(tail, isTold, async () => {
      const kept = await publish(place)
      if (kept.isDuplicate) tail.isSure = false
      else this.#took(tail, kept.seq, place)
      return kept
    })
  }

  /** What may be refused, and takes a place only if it is not. */
  async commit<T>(stream: string, publish: () => Promise<T>, placeOf: (outcome: T) => number | undefined): Promise<T> {
    const tail = this.#tail(stream)
    tail.isSure = false
    return this.#flying(tail, false, async () => {
      const outcome = await publish()
      const seq = placeOf(outcome)
      if (seq !== undefined) this.#took(tail, seq, undefined)
      return outcome
    })
  }

  #took(tail: Tail, seq: number, place: number | undefined): void {
    if (place === undefined || place === seq) {
      tail.last = Math.max(tail.last ?? 0, seq)
      return
    }
    // Where something before it failed it is our own doing.
    if (tail.isSure) tail.sharedUntilMs = this.#nowMs() + sharedMs
    tail.isSure = false
    tail.last = seq
  }

  async #flying<T>(tail: Tail, isTold: boolean, run: () => Promise<T>): Promise<T> {
    tail.flying++
    try {
      return await run()
    } catch (error) {
      // It may be there or not, or come yet.
      tail.isSure = false
      tail.last = undefined
      throw error
    } finally {
      // What follows from an answer goes out before what is told ahead: in this same turn of the event loop.
      if (isTold) land(tail)
      else setImmediate(() => land(tail))
    }
  }

  #tail(stream: string): Tail {
    const known = this.#tails.get(stream)
    if (known !== undefined) return known
    const begun = { last: undefined, next: 0, flying: 0, isSure: false, sharedUntilMs: 0 }
    this.#tails.set(stream, begun)
    return begun
  }
}

function land(tail: Tail): void {
  tail.flying--
  if (tail.flying > 0 || tail.last === undefined) return
  tail.next = tail.last + 1
  tail.isSure = true
}

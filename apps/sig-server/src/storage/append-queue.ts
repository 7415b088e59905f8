/** Group commit: appends that wait while one transaction runs go into the next one together. */
import type { AppendResult, NewEvent } from "./storage.ts"

export interface WaitingAppend {
  readonly event: NewEvent
  readonly expectedSize: number
}

/** Writes a batch in one transaction; gives a result for each, in their order. */
export type WriteBatch = (batch: readonly WaitingAppend[]) => Promise<readonly AppendResult[]>

interface Entry extends WaitingAppend {
  readonly resolve: (result: AppendResult) => void
  readonly reject: (error: unknown) => void
}

/** Bounded by what its callers wait for: it holds one entry for each promise that they hold. */
export class AppendQueue {
  readonly #write: WriteBatch
  readonly #maxBatch: number
  readonly #waiting: Entry[] = []
  #running: Promise<void> | undefined

  constructor(write: WriteBatch, maxBatch: number) {
    this.#write = write
    this.#maxBatch = maxBatch
  }

  append(event: NewEvent, expectedSize: number): Promise<AppendResult> {
    const { promise, resolve, reject } = Promise.withResolvers<AppendResult>()
    this.#waiting.push({ event, expectedSize, resolve, reject })
    this.#running ??= this.#drain()
    return promise
  }

  /** When all that was handed over is done. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async #drain(): Promise<void> {
    // Whoever appends in the same turn of the event loop comes along.
    await Promise.resolve()
    while (this.#waiting.length > 0) await this.#writeNext(this.#waiting.splice(0, this.#maxBatch))
    this.#running = undefined
  }

  async #writeNext(batch: readonly Entry[]): Promise<void> {
    try {
      const results = await this.#write(batch)
      for (const [place, { resolve, reject }] of batch.entries()) {
        const result = results[place]
        if (result === undefined) reject(new Error("unreachable: a batch has a result for each of its events"))
        else resolve(result)
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}

/** Group commit: what is to be written while one transaction runs goes into the next one together. */

export type Outcome<Result> = { readonly value: Result } | { readonly error: unknown }

/** Writes a batch in one transaction; gives an outcome for each, in their order. */
export type WriteBatch<Item, Result> = (batch: readonly Item[]) => Promise<readonly Outcome<Result>[]>

interface Entry<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/** Bounded by what its callers wait for: it holds one entry for each promise that they hold. */
export class BatchQueue<Item, Result> {
  readonly #write: WriteBatch<Item, Result>
  readonly #maxBatch: number
  #waiting: Entry<Item, Result>[] = []
  #running: Promise<void> | undefined

  constructor(write: WriteBatch<Item, Result>, maxBatch: number) {
    this.#write = write
    this.#maxBatch = maxBatch
  }

  add(item: Item): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    this.#waiting.push({ item, resolve, reject })
    this.#running ??= this.#drain()
    return promise
  }

  /** When all that was handed over is done. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async #drain(): Promise<void> {
    // Whoever adds in the same turn of the event loop comes along.
    await Promise.resolve()
    while (this.#waiting.length > 0) await this.#writeNext(this.#waiting.splice(0, this.#maxBatch))
    this.#running = undefined
  }

  async #writeNext(batch: readonly Entry<Item, Result>[]): Promise<void> {
    try {
      const outcomes = await this.#write(batch.map(({ item }) => item))
      for (const [place, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[place] ?? { error: new Error("unreachable: a batch has an outcome for each item") }
        if ("value" in outcome) resolve(outcome.value)
        else reject(outcome.error)
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}

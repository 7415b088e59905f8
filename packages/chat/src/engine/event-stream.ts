/** Events for any number of readers, each at its own pace. */
import type { EngineEvent } from "./event.ts"

export class EventStream {
  readonly #readers = new Set<Reader>()
  #isClosed = false

  tell(event: EngineEvent): void {
    for (const reader of this.#readers) reader.push(event)
  }

  read(): AsyncIterableIterator<EngineEvent> {
    const reader = new Reader(() => this.#readers.delete(reader))
    if (this.#isClosed) reader.close()
    else this.#readers.add(reader)
    return reader
  }

  close(): void {
    this.#isClosed = true
    for (const reader of this.#readers) reader.close()
  }
}

class Reader implements AsyncIterableIterator<EngineEvent> {
  readonly #waiting: EngineEvent[] = []
  readonly #asking: ((result: IteratorResult<EngineEvent>) => void)[] = []
  readonly #left: () => void
  #isClosed = false

  constructor(left: () => void) {
    this.#left = left
  }

  push(event: EngineEvent): void {
    const asking = this.#asking.shift()
    if (asking === undefined) this.#waiting.push(event)
    else asking({ value: event, done: false })
  }

  close(): void {
    this.#isClosed = true
    for (const asking of this.#asking.splice(0)) asking({ value: undefined, done: true })
  }

  next(): Promise<IteratorResult<EngineEvent>> {
    const event = this.#waiting.shift()
    if (event !== undefined) return Promise.resolve({ value: event, done: false })
    if (this.#isClosed) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve) => this.#asking.push(resolve))
  }

  return(): Promise<IteratorResult<EngineEvent>> {
    this.#left()
    this.close()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<EngineEvent> {
    return this
  }
}

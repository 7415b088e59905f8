/**
 * The signed heads of a store that is followed: without them its mirror would be fresh to nobody. They are read before events and judged
 * after them, so that what they name is here by then. One page for each look at the store, whatever it serves. SPEC STORE-16
 */
import { type Code, KezError } from "@kez/core"
import type { ChainService } from "./chain-service.ts"
import type { FeedEntry } from "./mirror-page.ts"
import { inChainOrder, ownFaults, type Tally } from "./mirror-tally.ts"
import type { Storage } from "./storage/storage.ts"

export interface HeadFollowerOptions {
  readonly markName: string
  readonly service: Pick<ChainService, "postHead">
  readonly storage: Pick<Storage, "readMark" | "writeMark">
  readonly read: (after: number) => Promise<readonly FeedEntry[]>
  /** Is told of a look that failed: how long to wait until the next one. */
  readonly onFailure: (error: unknown, failures: number) => number
  readonly elapsedMs: () => number
}

export class HeadFollower {
  readonly #options: HeadFollowerOptions
  #cursor: number | undefined
  /** Read, and not judged yet. */
  #waiting: readonly FeedEntry[] = []
  #failures = 0
  #nextLookMs = 0

  constructor(options: HeadFollowerOptions) {
    this.#options = options
  }

  /** Reads what is new. That the other store does not answer keeps nobody from following its events. */
  async look(signal: AbortSignal): Promise<void> {
    const { storage, markName, read, elapsedMs } = this.#options
    if (this.#waiting.length > 0 || elapsedMs() < this.#nextLookMs) return
    this.#cursor ??= Number((await storage.readMark(markName)) ?? 0)
    try {
      this.#waiting = await read(this.#cursor)
      if (this.#waiting.length === 0) this.#failures = 0
    } catch (error) {
      if (!signal.aborted) this.#waitAfter(error)
    }
  }

  /** Judges what was read, as if anybody had posted it. To be called when all events that the other store had at that time were read. */
  async take(): Promise<Tally | undefined> {
    const last = this.#waiting.at(-1)
    if (last === undefined) return undefined
    const tally = await inChainOrder(this.#waiting, (entry) => this.#tryPost(entry))
    await this.#options.storage.writeMark(this.#options.markName, String(last.cursor))
    this.#cursor = last.cursor
    this.#waiting = []
    // Pages of nothing but noise are read ever more slowly.
    if (tally.stored + tally.known === 0) this.#waitAfter(undefined)
    else this.#failures = 0
    return tally
  }

  /** The other store has another history: its heads are read from the first one on. */
  async restart(): Promise<void> {
    await this.#options.storage.writeMark(this.#options.markName, "0")
    this.#cursor = 0
    this.#waiting = []
  }

  #waitAfter(error: unknown): void {
    this.#nextLookMs = this.#options.elapsedMs() + this.#options.onFailure(error, this.#failures++)
  }

  async #tryPost({ chain, text }: FeedEntry): Promise<"stored" | "known" | Code> {
    try {
      return (await this.#options.service.postHead(chain, text)) === "kept" ? "stored" : "known"
    } catch (error) {
      // Expired, forged, of a chain that is not here: whatever a POST would refuse.
      if (error instanceof KezError && !ownFaults.has(error.code)) return error.code
      throw error
    }
  }
}

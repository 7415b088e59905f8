/**
 * Follows another store without trusting it: every event is judged as if anybody had posted it. What the other store holds back
 * is not noticed here, but by readers who ask a second store or know a signed head. SPEC §8
 */
import { type Code, type Digest, KezError } from "@kez/core"
import type { ChainService } from "./chain-service.ts"
import { mirrorMaxWaitMs, mirrorPageEvents, mirrorPageMs, mirrorParallelChains, mirrorPollMs } from "./limits.ts"
import { type FeedEntry, readPage, WaitError } from "./mirror-page.ts"
import type { Storage } from "./storage/storage.ts"

/** What happened, without anything personal: no key, chain or subject. */
export type MirrorReport =
  | ({ readonly type: "page" } & PageResult)
  /** The other store does not tell what it told before: it is read again from the start, and nothing held is dropped. */
  | { readonly type: "restarted" }
  | { readonly type: "failed"; readonly code: Code | "unknown"; readonly waitMs: number; readonly error: unknown }

export interface PageResult {
  readonly cursor: number
  /** Of valid ones: new here (losing branches included), and held before. */
  readonly stored: number
  readonly known: number
  readonly refused: ReadonlyMap<Code, number>
}

export interface MirrorOptions {
  /** Base URL of the other store. */
  readonly url: string
  readonly service: Pick<ChainService, "append">
  readonly storage: Pick<Storage, "readMark" | "writeMark">
  readonly report?: (report: MirrorReport) => void
  readonly fetch?: typeof globalThis.fetch
  /** Resolves early when the signal is aborted. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>
  /** 0 to 1. */
  readonly random?: () => number
  /** Milliseconds of a clock that nobody sets. */
  readonly elapsedMs?: () => number
  readonly pageEvents?: number
  readonly pageMs?: number
  readonly pollMs?: number
}

export interface MirrorState {
  /** How far it has come in the other store. */
  readonly cursor: number
  /** Whether the last look found nothing more. */
  readonly isCaughtUp: boolean
  /** Since a look that found nothing more, or since the start. */
  readonly lagMs: number
  /** In a row. */
  readonly failures: number
}

export interface Mirror {
  state(): MirrorState
  /** Stops it; what is being written is finished first. */
  close(): Promise<void>
}

/** The last event that was read: its cursor, and what its line said. */
interface Mark {
  readonly cursor: number
  readonly digest: Digest
}

/** These say that this store has a problem, not the event: it is tried again. */
const ownFaults: ReadonlySet<Code> = new Set(["store.full", "store.busy", "store.write"])

/** Throws `usage` for a URL that is none. Everything later is retried for ever, ever more slowly. */
export function startMirror(options: MirrorOptions): Mirror {
  return new Follower(options, parseBase(options.url))
}

class Follower implements Mirror {
  readonly #options: MirrorOptions
  readonly #base: URL
  readonly #markName: string
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  #mark: Mark | undefined
  #isCaughtUp = false
  #failures = 0
  #wholeAtMs: number

  constructor(options: MirrorOptions, base: URL) {
    this.#options = options
    this.#base = base
    this.#markName = `mirror ${base.href}`
    this.#wholeAtMs = this.#elapsedMs()
    this.#running = this.#run()
  }

  state(): MirrorState {
    const lagMs = this.#elapsedMs() - this.#wholeAtMs
    return { cursor: this.#mark?.cursor ?? 0, isCaughtUp: this.#isCaughtUp, lagMs, failures: this.#failures }
  }

  #elapsedMs(): number {
    return (this.#options.elapsedMs ?? (() => performance.now()))()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    const { wait = waitFor } = this.#options
    let isMarkRead = false
    while (!signal.aborted) {
      let waitMs: number
      try {
        if (!isMarkRead) this.#mark = parseMark(await this.#options.storage.readMark(this.#markName))
        isMarkRead = true
        waitMs = await this.#step()
      } catch (error) {
        if (signal.aborted) return
        waitMs = this.#fail(error)
      }
      if (waitMs > 0) await wait(waitMs, signal)
    }
  }

  /** Reads and stores one page; returns how long to wait before the next. */
  async #step(): Promise<number> {
    const { pageEvents = mirrorPageEvents, pollMs = mirrorPollMs, report } = this.#options
    const mark = this.#mark
    // The last event that was seen is asked for again. If it is gone or another one, this is not the history that was followed.
    const entries = await this.#read(mark === undefined ? 0 : mark.cursor - 1, pageEvents)
    const [first] = entries
    if (mark !== undefined && (first?.cursor !== mark.cursor || first.digest !== mark.digest))
      return await this.#restart()
    const fresh = mark === undefined ? entries : entries.slice(1)
    this.#isCaughtUp = entries.length < pageEvents
    const last = fresh.at(-1)
    if (last === undefined) {
      this.#failures = 0
      this.#wholeAtMs = this.#elapsedMs()
      return this.#jitter(pollMs)
    }
    const result = await this.#store(fresh)
    await this.#writeMark(last)
    if (this.#isCaughtUp) this.#wholeAtMs = this.#elapsedMs()
    report?.({ type: "page", cursor: last.cursor, ...result })
    // Pages of nothing but noise would keep this store busy for ever.
    if (result.stored + result.known === 0) return this.#backOff()
    if (this.#isCaughtUp) this.#failures = 0
    return this.#isCaughtUp ? this.#jitter(pollMs) : 0
  }

  #read(after: number, limit: number): Promise<readonly FeedEntry[]> {
    const { pageMs = mirrorPageMs, fetch } = this.#options
    const common = { base: this.#base, after, limit, timeoutMs: pageMs, signal: this.#stop.signal }
    return readPage(fetch === undefined ? common : { ...common, fetch })
  }

  /** What the other store holds now may lack what it had: nothing of that is dropped here. */
  async #restart(): Promise<number> {
    await this.#options.storage.writeMark(this.#markName, "")
    this.#mark = undefined
    this.#isCaughtUp = false
    this.#options.report?.({ type: "restarted" })
    // One that changes its history with each answer must not be read from the start without a pause.
    return this.#backOff()
  }

  /** Events of one chain one after the other, chains side by side: they share waits for the disk. */
  async #store(entries: readonly FeedEntry[]): Promise<Omit<PageResult, "cursor">> {
    const tally: Tally = { stored: 0, known: 0, refused: new Map() }
    const waiting = [...Map.groupBy(entries, (entry) => entry.chain).values()]
    const worker = async (): Promise<void> => {
      for (let group = waiting.pop(); group !== undefined; group = waiting.pop()) {
        for (const entry of group) await this.#append(entry, tally)
      }
    }
    const results = await Promise.allSettled(Array.from({ length: mirrorParallelChains }, worker))
    for (const result of results) if (result.status === "rejected") throw result.reason
    return tally
  }

  async #append({ chain, text }: FeedEntry, tally: Tally): Promise<void> {
    const code = await this.#tryAppend(chain, text)
    if (code === "known" || code === "stored") tally[code]++
    else tally.refused.set(code, (tally.refused.get(code) ?? 0) + 1)
  }

  async #tryAppend(chain: Digest, text: string): Promise<"stored" | "known" | Code> {
    try {
      const done = await this.#options.service.append(chain, text, { isCopy: true })
      switch (done.status) {
        case "known":
          return "known"
        case "stored":
        case "lost":
          return "stored"
        case "behind":
        case "refused":
          return done.refusal.code
      }
    } catch (error) {
      // A chain that is damaged here does not keep the others from being followed.
      if (error instanceof KezError && !ownFaults.has(error.code)) return error.code
      throw error
    }
  }

  /** Only after the events are on the disk: if the process dies in between, they are read again and known. */
  async #writeMark({ cursor, digest }: FeedEntry): Promise<void> {
    await this.#options.storage.writeMark(this.#markName, JSON.stringify({ cursor, digest }))
    this.#mark = { cursor, digest }
  }

  #fail(error: unknown): number {
    this.#isCaughtUp = false
    const backOffMs = this.#backOff()
    const asked = error instanceof WaitError ? Math.min(error.waitMs, mirrorMaxWaitMs) : 0
    const waitMs = Math.max(backOffMs, asked)
    const code = error instanceof KezError ? error.code : "unknown"
    this.#options.report?.({ type: "failed", code, waitMs, error })
    return waitMs
  }

  #backOff(): number {
    const { pollMs = mirrorPollMs } = this.#options
    return this.#jitter(Math.min(mirrorMaxWaitMs, pollMs * 2 ** Math.min(this.#failures++, 16)))
  }

  /** Not all mirrors of one store at the same moment. */
  #jitter(ms: number): number {
    return ms * (0.75 + (this.#options.random ?? Math.random)() / 2)
  }
}

interface Tally {
  stored: number
  known: number
  readonly refused: Map<Code, number>
}

function parseBase(url: string): URL {
  const base = URL.canParse(url) ? new URL(url) : undefined
  const isPlain =
    base !== undefined && base.username === "" && base.password === "" && base.search === "" && base.hash === ""
  if (isPlain && (base.protocol === "https:" || base.protocol === "http:")) return base
  throw new KezError(
    "usage",
    "Cannot mirror: expected the http or https URL of a store, without user, query or fragment",
  )
}

function parseMark(text: string | undefined): Mark | undefined {
  if (text === undefined || text === "") return undefined
  return JSON.parse(text)
}

function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener("abort", done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener("abort", done)
  })
}

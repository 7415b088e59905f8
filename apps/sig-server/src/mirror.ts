/**
 * Follows another store without trusting it: every event and every head is judged as if anybody had posted it. What the other
 * store holds back is not noticed here, but by readers who ask a second store or know a signed head. SPEC §8
 */
import { type Code, type Digest, KezError } from "@kez/core"
import type { ChainService } from "./chain-service.ts"
import { mirrorMaxWaitMs, mirrorPageEvents, mirrorPageMs, mirrorPollMs } from "./limits.ts"
import { HeadFollower } from "./mirror-heads.ts"
import { type FeedEntry, type FeedMember, readPage, WaitError } from "./mirror-page.ts"
import { inChainOrder, ownFaults, type Tally } from "./mirror-tally.ts"
import type { Storage } from "./storage/storage.ts"

/** What happened, without anything personal: no key, chain or subject. */
export type MirrorReport =
  | ({ readonly type: "page"; readonly cursor: number } & Tally)
  | ({ readonly type: "heads" } & Tally)
  /** The other store does not tell what it told before: it is read again from the start, and nothing held is dropped. */
  | { readonly type: "restarted" }
  | { readonly type: "failed"; readonly code: Code | "unknown"; readonly waitMs: number; readonly error: unknown }

export interface MirrorOptions {
  /** Base URL of the other store. */
  readonly url: string
  readonly service: Pick<ChainService, "append" | "postHead">
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

/** Throws `usage` for a URL that is none. Everything later is retried for ever, ever more slowly. */
export function startMirror(options: MirrorOptions): Mirror {
  return new Follower(options, parseBase(options.url))
}

class Follower implements Mirror {
  readonly #options: MirrorOptions
  readonly #base: URL
  readonly #markName: string
  readonly #stop = new AbortController()
  readonly #heads: HeadFollower
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
    this.#heads = new HeadFollower({
      ...options,
      markName: `mirror heads ${base.href}`,
      read: (after) => this.#read("head", after),
      onFailure: (error, failures) => this.#failHeads(error, failures),
      elapsedMs: () => this.#elapsedMs(),
    })
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

  /** One look at the other store; returns how long to wait before the next. */
  async #step(): Promise<number> {
    await this.#heads.look(this.#stop.signal)
    const waitMs = await this.#followEvents()
    const heads = this.#isCaughtUp ? await this.#heads.take() : undefined
    if (heads !== undefined) this.#options.report?.({ type: "heads", ...heads })
    return waitMs
  }

  /** Reads and stores one page of events. */
  async #followEvents(): Promise<number> {
    const { pageEvents = mirrorPageEvents, pollMs = mirrorPollMs, report } = this.#options
    const mark = this.#mark
    // The last event that was seen is asked for again. If it is gone or another one, this is not the history that was followed.
    const entries = await this.#read("event", mark === undefined ? 0 : mark.cursor - 1)
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
    const result = await inChainOrder(fresh, (entry) => this.#tryAppend(entry))
    await this.#writeMark(last)
    if (this.#isCaughtUp) this.#wholeAtMs = this.#elapsedMs()
    report?.({ type: "page", cursor: last.cursor, ...result })
    // Pages of nothing but noise would keep this store busy for ever.
    if (result.stored + result.known === 0) return this.#backOff()
    if (this.#isCaughtUp) this.#failures = 0
    return this.#isCaughtUp ? this.#jitter(pollMs) : 0
  }

  #read(member: FeedMember, after: number): Promise<readonly FeedEntry[]> {
    const { pageEvents = mirrorPageEvents, pageMs = mirrorPageMs, fetch } = this.#options
    const { signal } = this.#stop
    const common = { base: this.#base, member, after, limit: pageEvents, timeoutMs: pageMs, signal }
    return readPage(fetch === undefined ? common : { ...common, fetch })
  }

  /** What the other store holds now may lack what it had: nothing of that is dropped here. */
  async #restart(): Promise<number> {
    await this.#options.storage.writeMark(this.#markName, "")
    await this.#heads.restart()
    this.#mark = undefined
    this.#isCaughtUp = false
    this.#options.report?.({ type: "restarted" })
    // One that changes its history with each answer must not be read from the start without a pause.
    return this.#backOff()
  }

  async #tryAppend({ chain, text }: FeedEntry): Promise<"stored" | "known" | Code> {
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
    return this.#tell(error, this.#failures++)
  }

  /** Without an error: what came was of no use. */
  #failHeads(error: unknown, failures: number): number {
    return error === undefined ? this.#waitAfter(failures) : this.#tell(error, failures)
  }

  #tell(error: unknown, failures: number): number {
    const asked = error instanceof WaitError ? Math.min(error.waitMs, mirrorMaxWaitMs) : 0
    const waitMs = Math.max(this.#waitAfter(failures), asked)
    const code = error instanceof KezError ? error.code : "unknown"
    this.#options.report?.({ type: "failed", code, waitMs, error })
    return waitMs
  }

  #backOff(): number {
    return this.#waitAfter(this.#failures++)
  }

  #waitAfter(failures: number): number {
    const { pollMs = mirrorPollMs } = this.#options
    return this.#jitter(Math.min(mirrorMaxWaitMs, pollMs * 2 ** Math.min(failures, 16)))
  }

  /** Not all mirrors of one store at the same moment. */
  #jitter(ms: number): number {
    return ms * (0.75 + (this.#options.random ?? Math.random)() / 2)
  }
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

/**
 * When a client that lost its line knocks again: as long again as it has been away, spread over half of it, since many others lost theirs too. One draw
 * for each attempt: nats.js asks anew each time it has waited, and whoever drew anew each time would hardly ever be due.
 */
const firstWaitMs = 200
const maxWaitMs = 30_000

export class Knocking {
  readonly #random: () => number
  readonly #nowMs: () => number
  /** When the line was lost; undefined: it is there. */
  #lostAtMs: number | undefined
  #triedAtMs: number | undefined
  #dueAtMs: number | undefined

  constructor(random: () => number, nowMs: () => number = Date.now) {
    this.#random = random
    this.#nowMs = nowMs
    this.lost()
  }

  lost(): void {
    this.#lostAtMs ??= this.#nowMs()
  }

  back(): void {
    this.#lostAtMs = undefined
    this.#triedAtMs = undefined
    this.#dueAtMs = undefined
  }

  /** From now until the next attempt. */
  waitMs(): number {
    this.lost()
    const awayMs = this.#nowMs() - (this.#lostAtMs ?? 0)
    return Math.min(maxWaitMs, Math.max(firstWaitMs, awayMs)) * (0.5 + this.#random() / 2)
  }

  /** What nats.js is told: it counts from its last attempt, tries once so long has passed, and asks again otherwise. The first one is at once. */
  sinceLastMs(): number {
    const nowMs = this.#nowMs()
    this.lost()
    if (this.#triedAtMs !== undefined) this.#dueAtMs ??= nowMs + this.waitMs()
    const dueAtMs = this.#dueAtMs ?? nowMs
    if (nowMs < dueAtMs) return dueAtMs - (this.#triedAtMs ?? nowMs)
    this.#triedAtMs = nowMs
    this.#dueAtMs = undefined
    return 0
  }
}

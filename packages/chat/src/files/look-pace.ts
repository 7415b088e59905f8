/** When the disk is looked at again for what is shared: each minute, at once after a change that was seen, and soon where something was left out for a moment. */

const usualSeconds = 60
/** After the first look, the second and so on that left out what was being written into. Then as usual. */
const soonSeconds = [5, 10, 20, 40] as const

export class LookPace {
  /** Unix seconds; when the last one ended. */
  #endedAt = 0
  #underWay = 0
  #isStale = false
  /** Looks, one after another, that left something out. */
  #partial = 0

  /** Something is not what was hashed. */
  noteStale(): void {
    this.#isStale = true
  }

  begin(): void {
    this.#isStale = false
    this.#underWay += 1
  }

  end(now: number, isWhole: boolean): void {
    this.#underWay -= 1
    this.#endedAt = now
    this.#partial = isWhole ? 0 : this.#partial + 1
  }

  isDue(now: number): boolean {
    const wait = soonSeconds[this.#partial - 1] ?? usualSeconds
    return this.#underWay === 0 && (this.#isStale || now - this.#endedAt >= wait)
  }
}

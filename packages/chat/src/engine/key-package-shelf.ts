/**
 * Key packages that were taken and not used yet, and when a device that had none is asked for again: a server hands out few to each requester. In memory:
 * after a restart it begins anew.
 */

/** `own`: of this account. `first`: nobody of the other is in the conversation, which waits for it. `further`: a new device of somebody who is in it. */
export type Urgency = "own" | "first" | "further"

/** Seconds until the first, second, … time; the last one repeats. Five an hour are what a server gives for one contact. */
const waits: { readonly [U in Urgency]: readonly number[] } = {
  own: [0, 3, 5, 10, 30, 60],
  first: [0, 5, 30, 300, 1_800, 3_600],
  // Its own other devices add it within seconds, and its key packages have to be there first.
  further: [10, 60, 300, 900, 1_200, 3_600],
}

interface Asking {
  count: number
  dueAt: number
}

export class KeyPackageShelf {
  readonly #taken = new Map<string, Uint8Array>()
  readonly #asking = new Map<string, Asking>()

  /** Whether a device is to be asked for now. What is on the shelf is not. */
  isDue(device: string, urgency: Urgency, now: number): boolean {
    if (this.#taken.has(device)) return false
    const asking = this.#asking.get(device) ?? { count: 0, dueAt: now + waitOf(urgency, 0) }
    this.#asking.set(device, asking)
    return asking.dueAt <= now
  }

  asked(devices: readonly string[], urgency: Urgency, now: number): void {
    for (const device of devices) {
      const count = (this.#asking.get(device)?.count ?? 0) + 1
      this.#asking.set(device, { count, dueAt: now + waitOf(urgency, count) })
    }
  }

  put(device: string, bytes: Uint8Array): void {
    this.#taken.set(device, bytes)
    this.#asking.delete(device)
  }

  take(device: string): Uint8Array | undefined {
    return this.#taken.get(device)
  }

  use(device: string): void {
    this.#taken.delete(device)
  }

  /** Until somebody is to be asked for again. What is due already is asked for with the next work. */
  nextInSeconds(now: number): number {
    return Math.min(...[...this.#asking.values()].map(({ dueAt }) => dueAt - now).filter((seconds) => seconds > 0))
  }
}

function waitOf(urgency: Urgency, count: number): number {
  return waits[urgency][Math.min(count, waits[urgency].length - 1)] ?? 0
}

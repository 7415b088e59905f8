/**
 * Work for the processor in small portions. Between two of them the network is served, so that no place stands idle
 * while what was found at another is judged.
 */
import { setImmediate } from "node:timers/promises"

// There is one processor for all of it, and so one line.
let last: Promise<void> = Promise.resolve()

/** Resolves in a turn of the event loop in which nobody else's does. */
export function nextTurn(): Promise<void> {
  last = last.then(() => setImmediate())
  return last
}

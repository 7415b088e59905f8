/** Places at a host: few requests at once, a bounded line behind them. SPEC §7. */
import { KezError } from "@kez/core"

export interface QueueLimits {
  readonly maxRequestsPerHost: number
  readonly maxQueuedPerHost: number
}

/** Runs the task when a place at the host is free. */
export type RunAtHost = <T>(host: string, signal: AbortSignal, task: () => Promise<T>) => Promise<T>

interface Line {
  running: number
  readonly waiting: Set<() => void>
}

/** Creates one set of lines. A call that finds its line full throws `net.busy`; a stopped one leaves its line. */
export function createHostQueue(limits: QueueLimits): RunAtHost {
  const lines = new Map<string, Line>()

  async function enter(host: string, line: Line, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (line.running < limits.maxRequestsPerHost) {
      line.running += 1
      return
    }
    if (line.waiting.size >= limits.maxQueuedPerHost) {
      throw new KezError(
        "net.busy",
        `Cannot fetch from ${host}: expected a free place, got ${line.waiting.size} waiting`,
      )
    }
    await new Promise<void>((resolve, reject) => {
      // The one who leaves hands the place over, so `running` does not change here.
      const proceed = () => {
        signal.removeEventListener("abort", leave)
        resolve()
      }
      const leave = () => {
        line.waiting.delete(proceed)
        reject(signal.reason)
      }
      line.waiting.add(proceed)
      signal.addEventListener("abort", leave, { once: true })
    })
  }

  function exit(host: string, line: Line): void {
    const [next] = line.waiting
    if (next) {
      line.waiting.delete(next)
      next()
      return
    }
    line.running -= 1
    // Hosts come from hostile texts: nothing may be kept per host once it is quiet.
    if (line.running === 0) lines.delete(host)
  }

  return async (host, signal, task) => {
    signal.throwIfAborted()
    const line = lines.get(host) ?? { running: 0, waiting: new Set() }
    lines.set(host, line)
    await enter(host, line, signal)
    try {
      return await task()
    } finally {
      exit(host, line)
    }
  }
}

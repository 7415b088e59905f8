/** How `npm start` is asked to end: Ctrl-C, SIGTERM, or its terminal's being closed. Who asks again does not want to wait. */
import { secondSignalMs } from "./limits.ts"
import type { Part } from "./part.ts"

export interface Ending {
  readonly asked: Promise<"asked">
  /** Aborted when it is asked to end, or by `abort`. */
  readonly signal: AbortSignal
  abort(): void
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const

export function listenForEnd(parts: readonly Part[]): Ending {
  const controller = new AbortController()
  const { promise, resolve } = Promise.withResolvers<"asked">()
  let firstMs: number | undefined
  const hear = (): void => {
    const nowMs = performance.now()
    firstMs ??= nowMs
    controller.abort()
    resolve("asked")
    if (nowMs - firstMs >= secondSignalMs) endAtOnce(parts)
  }
  for (const signal of signals) process.on(signal, hear)
  return { asked: promise, signal: controller.signal, abort: () => controller.abort() }
}

/** What was acknowledged is on the disk: nothing is lost by it. */
function endAtOnce(parts: readonly Part[]): void {
  for (const { pid } of parts) {
    try {
      if (pid !== undefined) process.kill(pid, "SIGKILL")
    } catch {
      // It has ended already.
    }
  }
  process.exit(130)
}

/** Bounded waiting: one signal that joins a caller's signal and a time limit. SPEC §7. */
import { KezError } from "@kez/core"

export interface Deadline {
  readonly parent?: AbortSignal | undefined
  readonly timeoutMs: number
  /** Completes the sentence "Cannot …". */
  readonly task: string
}

/** Without a reason of ours each end would make an error with its stack, for nobody. */
const unread = new Error("its reader has gone")

/**
 * Runs a task that is stopped at the deadline with `net.timeout`, or when the parent signal fires with its reason.
 * It returns in time even if the task ignores its signal.
 */
export async function withDeadline<T>(deadline: Deadline, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { parent, timeoutMs, task } = deadline
  const controller = new AbortController()
  const expire = () => controller.abort(new KezError("net.timeout", timeoutMessage(task, timeoutMs)))
  const follow = () => controller.abort(readReason(parent, task))
  // Not AbortSignal.any with AbortSignal.timeout: those timers do not keep the process alive and linger after success.
  const timer = setTimeout(expire, timeoutMs)
  parent?.addEventListener("abort", follow, { once: true })
  try {
    if (parent?.aborted) follow()
    controller.signal.throwIfAborted()
    return await Promise.race([run(controller.signal), waitForAbort(controller.signal)])
  } finally {
    clearTimeout(timer)
    parent?.removeEventListener("abort", follow)
    // What is still running under this signal has no reader any more.
    controller.abort(unread)
  }
}

function waitForAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }))
}

/** A caller that uses `AbortSignal.timeout` means a time limit too. */
function readReason(parent: AbortSignal | undefined, task: string): unknown {
  const reason: unknown = parent?.reason
  if (reason instanceof DOMException && reason.name === "TimeoutError") {
    return new KezError("net.timeout", timeoutMessage(task, undefined), { cause: reason })
  }
  return reason
}

function timeoutMessage(task: string, timeoutMs: number | undefined): string {
  const time = timeoutMs === undefined ? "the time given" : `${timeoutMs} ms`
  return `Cannot ${task}: expected an answer within ${time}, got none`
}

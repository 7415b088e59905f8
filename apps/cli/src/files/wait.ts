/** Waiting for transfers to be over, for Ctrl-C, or for a time. */
import { KezError } from "@kez/core"

export type WaitEnd = "over" | "interrupted" | "late"

/** `over`: resolves when it is; `stopped`: rejects when nothing can go on. */
export async function waitFor(
  over: Promise<void>,
  { stopped, seconds }: { readonly stopped: Promise<never>; readonly seconds: number | undefined },
): Promise<WaitEnd> {
  let interrupt: () => void = () => undefined
  const interrupted = new Promise<WaitEnd>((resolve) => {
    interrupt = () => resolve("interrupted")
  })
  process.once("SIGINT", interrupt)
  process.once("SIGTERM", interrupt)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<WaitEnd>((resolve) => {
    if (seconds !== undefined) timer = setTimeout(() => resolve("late"), seconds * 1_000)
  })
  // Nothing else may hold the process open while it waits.
  const hold = setInterval(() => undefined, 60_000)
  try {
    return await Promise.race([over.then((): WaitEnd => "over"), interrupted, late, stopped])
  } finally {
    clearTimeout(timer)
    clearInterval(hold)
    process.off("SIGINT", interrupt)
    process.off("SIGTERM", interrupt)
  }
}

const maxWaitSeconds = 31_536_000

export function readWaitSeconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const seconds = Number(text)
  if (/^\d+$/.test(text) && seconds <= maxWaitSeconds) return seconds
  throw new KezError("usage", "Cannot wait so long: expected a number of seconds")
}

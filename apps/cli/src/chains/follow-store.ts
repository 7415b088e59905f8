/** Following one store: a stream that is opened again whenever it ends, less and less often while that fails. SPEC §8 */
import { setTimeout as sleep } from "node:timers/promises"
import { type Net, RateLimitError } from "@kez/channels"
import { KezError } from "@kez/core"
import { readServerEvents } from "./server-events.ts"

const firstWaitMs = 1_000
const maxWaitMs = 60_000
/** A store may say at every line that something changed: it is asked what no more often than this. */
const minBetweenMs = 250

export interface Following {
  /** `…/v1/chains/ID/stream`. */
  readonly url: string
  readonly signal: AbortSignal
  /** Called when the stream stands, and whenever it says that the chain changed. */
  onChange(): Promise<void>
  /** Called with every failure, and with undefined when the stream stands. */
  onState(failure: KezError | undefined): void
}

/** Never returns but by its signal, whose reason it throws. */
export async function followStore(net: Net, following: Following): Promise<never> {
  const { signal } = following
  let failures = 0
  let lastId = ""
  for (;;) {
    signal.throwIfAborted()
    let waitMs = 0
    try {
      for await (const id of follow(net, following, lastId)) {
        failures = 0
        if (id !== "") lastId = id
      }
      failures += 1
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof KezError)) throw error
      failures += 1
      if (error instanceof RateLimitError) waitMs = 1_000 * error.retryAfterSeconds
      following.onState(error)
    }
    await sleep(Math.max(waitMs, waitAfter(failures, Math.random())), undefined, { signal })
  }
}

/** Doubles from a second to a minute; spread out, so that readers of a store that comes back do not all come at once. */
export function waitAfter(failures: number, random: number): number {
  return Math.min(maxWaitMs, firstWaitMs * 2 ** Math.max(0, failures - 1)) * (0.75 + random / 2)
}

/** One connection. Gives the id of each event that it dealt with. */
async function* follow(
  net: Net,
  { url, signal, onChange, onState }: Following,
  lastId: string,
): AsyncGenerator<string> {
  const stream = await net.openStream(url, {
    signal,
    accept: ["text/event-stream"],
    headers: lastId === "" ? {} : { "last-event-id": lastId },
    isChosen: true,
  })
  try {
    if (stream.status !== 200) throw refused(url, stream.status)
    onState(undefined)
    // What changed while nobody listened is here already.
    await onChange()
    yield ""
    let last = performance.now()
    for await (const { event, id } of readServerEvents(stream.lines())) {
      if (event !== "head") continue
      const tooSoon = minBetweenMs - (performance.now() - last)
      if (tooSoon > 0) await sleep(tooSoon, undefined, { signal })
      last = performance.now()
      await onChange()
      yield id
    }
  } finally {
    stream.close()
  }
}

function refused(url: string, status: number): KezError {
  const what = status === 404 ? "it has no such chain" : `it answered ${status}`
  return new KezError("net.status", `Cannot follow ${url}: ${what}`)
}

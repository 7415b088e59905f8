/** One look at all relays together: which verified events of a key they hold. SPEC §7.4. */
import { KezError } from "@kez/core"
import type { Evidence, Net } from "./channel.ts"
import { maxRelays, relayGraceMs, relayWaitMs } from "./limits.ts"
import { assertEventSignature, type EventExpectation, type NostrEvent, readEvent } from "./nostr-event.ts"
import { askRelay, type Filter } from "./nostr-relay.ts"
import { RateLimitError } from "./rate-limit.ts"

export interface RelayLook {
  /** What each relay did, in the order of the settings. */
  readonly relays: readonly RelayReport[]
  /** Each verified event once. */
  readonly events: readonly NostrEvent[]
}

export interface RelayReport {
  readonly url: string
  /** It said that it has no more: the only answer that can mean absence. */
  readonly isComplete: boolean
  /** Ids of the verified events that it sent. */
  readonly sent: ReadonlySet<string>
  readonly evidence: Evidence
}

export interface LookQuestion {
  /** The author's key as hex. */
  readonly author: string
  readonly kinds: readonly number[]
  /** The `d` tag of application data; that of a proof unless given. */
  readonly name?: string
  readonly filters: readonly Filter[]
  /** Whether this is worth a check of its signature. All others are counted and forgotten. */
  isWanted(event: NostrEvent): boolean
  /** Whether a whole answer of one relay ends the wait for the others soon. */
  isEnough(events: readonly NostrEvent[]): boolean
}

/**
 * Asks all relays of the settings at once. It waits for all of them, but at most `relayWaitMs` from the first open
 * connection on, and `relayGraceMs` once there is enough. Throws only the signal's reason.
 */
export async function lookAtRelays(question: LookQuestion, net: Net, signal: AbortSignal): Promise<RelayLook> {
  signal.throwIfAborted()
  const urls = relaysOf(net)
  const verified = new Map<string, NostrEvent>()
  const stop = new AbortController()
  const timers = new Map<number, NodeJS.Timeout>()
  const stopIn = (delayMs: number) => {
    if (timers.has(delayMs)) return
    const late = new KezError("net.timeout", "Cannot wait for the relay: expected a whole answer in time, got none")
    timers.set(
      delayMs,
      setTimeout(() => stop.abort(late), delayMs),
    )
  }
  const follow = () => stop.abort(signal.reason)
  signal.addEventListener("abort", follow, { once: true })
  try {
    const looks = urls.map(async (url) => {
      const report = await askOne(url, question, {
        net,
        verified,
        signal: stop.signal,
        onOpen: () => stopIn(relayWaitMs),
      })
      const isDecided = timers.has(relayGraceMs)
      if (report.isComplete && !isDecided && question.isEnough([...verified.values()])) stopIn(relayGraceMs)
      return report
    })
    const relays = await Promise.all(looks)
    signal.throwIfAborted()
    return { relays, events: [...verified.values()] }
  } finally {
    for (const timer of timers.values()) clearTimeout(timer)
    signal.removeEventListener("abort", follow)
  }
}

/**
 * Whether what nobody sent is not there: at least half of the relays gave a whole answer. One that keeps something back, while
 * the others are down or silent, decides nothing.
 */
export function isAnswered({ relays }: RelayLook): boolean {
  const answered = relays.filter(({ isComplete }) => isComplete).length
  return relays.length > 0 && answered * 2 >= relays.length
}

/** The relays that are asked, each once. */
export function relaysOf(net: Net): readonly string[] {
  return [...new Set(net.settings.relays)].slice(0, maxRelays)
}

interface Asking {
  readonly net: Net
  /** What all relays together have sent, by id; an event is verified once. */
  readonly verified: Map<string, NostrEvent>
  readonly signal: AbortSignal
  onOpen(): void
}

async function askOne(url: string, question: LookQuestion, asking: Asking): Promise<RelayReport> {
  const { net, verified, signal, onOpen } = asking
  const tally = { events: 0, faults: new Map<string, number>(), sent: new Set<string>() }
  const expected: EventExpectation = { ...question, now: net.now() }
  const place = { url, fetchedAt: net.now() }
  const onEvent = (value: unknown) => {
    tally.events += 1
    try {
      const event = readEvent(value, expected)
      if (!question.isWanted(event)) return
      // The id is the digest of all that counts, so a second copy needs no second check.
      if (!verified.has(event.id)) assertEventSignature(event)
      verified.set(event.id, event)
      tally.sent.add(event.id)
    } catch (error) {
      if (!(error instanceof KezError)) throw error
      tally.faults.set(error.code, (tally.faults.get(error.code) ?? 0) + 1)
    }
  }
  try {
    const { isComplete, remarks } = await askRelay(url, { filters: question.filters, onOpen, onEvent }, net, signal)
    const note = [describeTally(tally), ...remarks].join("; ")
    return { url, isComplete, sent: tally.sent, evidence: { ...place, note, ...(isComplete ? {} : refusal) } }
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    const note = [...(tally.events === 0 ? [] : [describeTally(tally)]), error.message].join("; ")
    const retry = error instanceof RateLimitError ? { retryAfterSeconds: error.retryAfterSeconds } : {}
    return { url, isComplete: false, sent: tally.sent, evidence: { ...place, note, code: error.code, ...retry } }
  }
}

const refusal = { code: "net.refused" } as const

interface Tally {
  readonly events: number
  readonly faults: ReadonlyMap<string, number>
}

/** One relay's lies are told beside its name, and say nothing about the person. */
function describeTally({ events, faults }: Tally): string {
  const refused = [...faults].map(([code, count]) => `${count} refused (${code})`)
  return [events === 1 ? "1 event" : `${events} events`, ...refused].join(", ")
}

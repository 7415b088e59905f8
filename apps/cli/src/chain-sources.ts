/** Asking one place for a chain, through the guarded fetcher; what it serves is checked by core. SPEC VER-5, VER-6. */
import type { Net } from "@kez/channels"
import {
  type ChainReading,
  type ChainSource,
  type Code,
  type Evidence,
  envelopeDigest,
  KezError,
  limits,
  readChain,
  replayChain,
  type SigchainEvent,
} from "@kez/core"

const compactPrefix = "kez:zc1:"

/** What one place said, before it is known how much it matters. */
export interface Asked {
  readonly url: string
  readonly outcome: "found" | "absent" | "failed"
  readonly reading: ChainReading
  readonly evidence: Evidence
}

/** How much a place matters: whether its silence is one, and whether a 404 of it is an answer. SPEC VER-6 */
export interface Weight {
  readonly kind: "hint" | "other"
  readonly expected: boolean
}

/** What a place answered, for the verifier and for the reader. */
export interface Served {
  readonly source: ChainSource
  readonly evidence: Evidence
  /** False for a document that lies on this computer. */
  readonly remote: boolean
}

/** Never throws for what the place did: a place that fails is evidence. */
export async function askPlace(net: Net, url: string, timeoutMs: number): Promise<Asked> {
  const evidence = { kind: "chain", source: url } as const
  const nothing = { url, reading: { events: [], fault: undefined } }
  try {
    const { status, body, sha256, fetchedAt } = await net.fetch(url, {
      signal: AbortSignal.timeout(timeoutMs),
      maxWireBytes: limits.maxChainBytes,
      maxBodyBytes: limits.maxChainBytes,
    })
    const seen = { ...evidence, fetchedAt, httpStatus: status }
    if (status === 404 || status === 410) {
      return { ...nothing, outcome: "absent", evidence: { ...seen, note: "no chain there" } }
    }
    if (status !== 200) return { ...nothing, outcome: "failed", evidence: { ...seen, code: "net.status" } }
    return { url, outcome: "found", reading: readServed(body, sha256), evidence: { ...seen, sha256 } }
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    return { ...nothing, outcome: "failed", evidence: { ...evidence, code: error.code, note: error.message } }
  }
}

/** The documents read last, by their digest: many accounts of one identity name one chain. */
const lastRead = new Map<string, ChainReading>()
const maxLastRead = 4

function readServed(body: Uint8Array, sha256: string): ChainReading {
  const reading = lastRead.get(sha256) ?? readDocumentChain(body)
  lastRead.delete(sha256)
  lastRead.set(sha256, reading)
  const [oldest] = lastRead.keys()
  if (lastRead.size > maxLastRead && oldest !== undefined) lastRead.delete(oldest)
  return reading
}

/** The answer of a place as a source for the verifier. */
export function weigh(asked: Asked, weight: Weight): Served {
  const { outcome, reading, evidence } = asked
  if (outcome !== "found") {
    // A domain without a web server is nothing to worry about.
    const { note } = evidence
    const seen =
      weight.expected || note === undefined ? evidence : { ...evidence, note: `no chain from there: ${note}` }
    return served(asked, weight, { outcome, ...codeOf(evidence) }, outcome === "failed" ? seen : evidence)
  }
  const { events, fault } = reading
  const seen = { ...evidence, note: fault?.message ?? `${events.length} events`, ...codeOf(fault) }
  // A page that is no chain at all, such as a site's own "not found" with status 200, is no answer to the question.
  if (events.length === 0) return served(asked, weight, { outcome: "failed", ...codeOf(fault) }, seen)
  if (weight.expected) return served(asked, weight, { outcome: "found", events, ...codeOf(fault) }, seen)
  // The faults of a place that nobody named are evidence; what is valid there still counts, revocations above all.
  const valid = validPart(events)
  const note = valid.length < events.length ? { note: `${valid.length} of ${events.length} events are valid` } : {}
  const result = valid.length === 0 ? ({ outcome: "failed" } as const) : ({ outcome: "found", events: valid } as const)
  return served(asked, weight, result, { ...seen, ...note })
}

/** A chain document that the reader handed in. */
export function chainOfDocument(name: string, bytes: Uint8Array): Served {
  const { events, fault } = readDocumentChain(bytes)
  const note = fault === undefined ? `${events.length} events` : fault.message
  const code = codeOf(fault)
  return {
    source: { name, kind: "other", expected: true, outcome: "found", events, ...code },
    evidence: { kind: "chain", source: name, note, ...code },
    remote: false,
  }
}

/** JSONL or compact, as far as it can be read. */
export function readDocumentChain(bytes: Uint8Array): ChainReading {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return readChain(
    text.subarray(0, compactPrefix.length).toString("latin1") === compactPrefix ? text.toString("latin1") : bytes,
  )
}

function served(
  { url }: Asked,
  weight: Weight,
  result: Pick<ChainSource, "outcome" | "events" | "code">,
  evidence: Evidence,
): Served {
  return { source: { name: url, ...weight, ...result }, evidence, remote: true }
}

function codeOf(from: { readonly code?: Code } | undefined): { readonly code?: Code } {
  return from?.code === undefined ? {} : { code: from.code }
}

function validPart(events: readonly SigchainEvent[]): readonly SigchainEvent[] {
  try {
    const [genesis] = events
    return genesis === undefined ? [] : replayChain(events, { chain: envelopeDigest(genesis) }).path
  } catch (error) {
    if (error instanceof KezError) return []
    throw error
  }
}

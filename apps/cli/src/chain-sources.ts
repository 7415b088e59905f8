/** What places served, as sources for the verifier; core checks all of it. SPEC VER-5, VER-6. */
import {
  type ChainSource,
  type Code,
  type Digest,
  type Evidence,
  envelopeDigest,
  KezError,
  replayChain,
  type SigchainEvent,
} from "@kez/core"
import type { Asked, ChainDocument, Forks } from "./chains/ask-chain.ts"
import { chainOf, readDocumentChain } from "./chains/chain-document.ts"
import { underChainId } from "./chains/store-url.ts"

/** How much a place matters: whether its silence is one, and whether a 404 of it is an answer. SPEC VER-6 */
export interface Weight {
  readonly kind: "store" | "hint" | "other"
  readonly expected: boolean
}

/** What a place answered, for the verifier and for the reader. */
export interface Served {
  readonly source: ChainSource
  /** The events of its document, which are one branch; those of the source unless given. */
  readonly branch?: readonly SigchainEvent[]
  readonly evidence: Evidence
  /** Where it is asked the next time; undefined for a document that lies on this computer, and for evidence of forks. */
  readonly place: string | undefined
  /** The chain that evidence of forks is about: it does not begin with event 0. */
  readonly forkOf?: Digest
}

/** The answer of a place as sources for the verifier: one, but where it has several documents, or evidence of forks. */
export function weigh(asked: Asked, weight: Weight): readonly Served[] {
  const { outcome, evidence, url } = asked
  if (outcome !== "found") {
    // A domain without a web server is nothing to worry about.
    const { note } = evidence
    const seen =
      weight.expected || note === undefined ? evidence : { ...evidence, note: `no chain from there: ${note}` }
    const source = { name: url, ...weight, outcome, ...codeOf(evidence) }
    return [{ source, evidence: outcome === "failed" ? seen : evidence, place: undefined }]
  }
  const documents = asked.documents.map((document) => weighDocument(document, asked, weight))
  return [...documents, ...asked.forks.flatMap((forks) => weighForks(forks, asked, weight))]
}

function weighDocument({ name, reading, evidence }: ChainDocument, asked: Asked, weight: Weight): Served {
  const { events, fault } = reading
  const { url, heads } = asked
  const chain = chainOf(events)
  // One place served both: who has the marked event beside the winning path serves no less than before. SPEC VER-5, VER-10
  const beside = asked.forks.filter((forks) => forks.name.startsWith(`${name}/`)).flatMap((forks) => forks.events)
  const seen = { ...evidence, note: fault?.message ?? `${events.length} events`, ...codeOf(fault) }
  const where = name.startsWith("nostr:") ? url : name
  // What only the reader's settings may reach is not asked once it is in them no more.
  const isOpen = weight.kind !== "store" || /^https:\/\/[^/:]+\//.test(where)
  const place = chain === undefined || !isOpen ? undefined : underChainId(where, chain)
  const as = (
    result: Pick<ChainSource, "outcome" | "events" | "code">,
    evidence: Evidence,
    branch?: readonly SigchainEvent[],
  ): Served => {
    const own = heads.filter(({ payload }) => payload.chain === chain)
    const source = { name, ...weight, ...result, ...(own.length === 0 ? {} : { heads: own }) }
    return { source, evidence, place, ...(branch === undefined ? {} : { branch }) }
  }
  // A page that is no chain at all, such as a site's own "not found" with status 200, is no answer to the question.
  if (events.length === 0) return as({ outcome: "failed", ...codeOf(fault) }, seen)
  if (weight.expected) {
    const all = [...events, ...validBeside(events, beside)]
    return as({ outcome: "found", events: all, ...codeOf(fault) }, seen, events)
  }
  // The faults of a place that nobody named are evidence; what is valid there still counts, revocations above all.
  const valid = validPart(events)
  const note = valid.length < events.length ? { note: `${valid.length} of ${events.length} events are valid` } : {}
  if (valid.length === 0) return as({ outcome: "failed" }, { ...seen, ...note })
  return as({ outcome: "found", events: [...valid, ...validBeside(events, beside)] }, { ...seen, ...note }, valid)
}

/** Evidence of forks counts where it is valid; its faults are evidence, never a status. A store that is silent about it is silent. */
function weighForks({ name, events, fault }: Forks, { documents }: Asked, weight: Weight): readonly Served[] {
  const chain = documents
    .filter((document) => name.startsWith(`${document.name}/`))
    .map(({ reading }) => chainOf(reading.events))[0]
  const about = chain === undefined ? {} : { forkOf: chain }
  if (fault !== undefined) {
    const source = { name, ...weight, outcome: "failed", ...codeOf(fault) } as const
    return [{ source, evidence: fault, place: undefined, ...about }]
  }
  if (events.length === 0) return []
  const evidence = { kind: "chain", source: name, note: `${events.length} events beside the winning branch` } as const
  const source = { name, kind: weight.kind, expected: false, outcome: "found", events } as const
  return [{ source, evidence, place: undefined, ...about }]
}

/** A chain document that the reader handed in. */
export function chainOfDocument(name: string, bytes: Uint8Array): Served {
  const { events, fault } = readDocumentChain(bytes)
  const note = fault === undefined ? `${events.length} events` : fault.message
  const code = codeOf(fault)
  return {
    source: { name, kind: "other", expected: true, outcome: "found", events, ...code },
    evidence: { kind: "chain", source: name, note, ...code },
    place: undefined,
  }
}

function codeOf(from: { readonly code?: Code } | undefined): { readonly code?: Code } {
  return from?.code === undefined ? {} : { code: from.code }
}

/** Faults in evidence of forks are none of the place's answer: what is not valid in it stays out. SPEC VER-6 */
function validBeside(events: readonly SigchainEvent[], beside: readonly SigchainEvent[]): readonly SigchainEvent[] {
  const chain = chainOf(events)
  if (chain === undefined || beside.length === 0) return []
  try {
    const replay = replayChain([...events, ...beside], { chain })
    return beside.filter((event) => replay.knows(envelopeDigest(event)))
  } catch (error) {
    if (error instanceof KezError) return []
    throw error
  }
}

function validPart(events: readonly SigchainEvent[]): readonly SigchainEvent[] {
  try {
    const chain = chainOf(events)
    return chain === undefined ? [] : replayChain(events, { chain }).path
  } catch (error) {
    if (error instanceof KezError) return []
    throw error
  }
}

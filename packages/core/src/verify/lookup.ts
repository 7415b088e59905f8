/** Which chain a primary or a reference means, among all that the sources of one question served. SPEC [VER-5], [CHAIN-18], [CHAIN-19]. */
import type { Code } from "../codes.ts"
import type { Digest } from "../digest.ts"
import { envelopeDigest, type SigchainEvent } from "../envelope/envelope.ts"
import { KezError } from "../error.ts"
import { hasPop } from "../sigchain/pop.ts"
import { faultOfEvent, groupByChain, replayChain } from "../sigchain/replay.ts"
import type { ChainReplay } from "../sigchain/result.ts"
import type { ChainSource, VerifyInput } from "./input.ts"

/** By what a chain is looked up. */
export type ChainKey = { readonly primary: string } | { readonly chain: Digest }

export type LookUp =
  /** The sources, of which those that were left out have become silent. */
  | { readonly is: "found"; readonly replay: ChainReplay; readonly sources: readonly ChainSource[] }
  /** More valid events than a reader unites. */
  | { readonly is: "too large" }
  /** Two chains of one primary. */
  | { readonly is: "several" }
  | { readonly is: "none"; readonly isMarked: boolean; faultOf(source: ChainSource): Code | undefined }

type United =
  | { readonly primaries: readonly string[]; readonly replay: ChainReplay; readonly sources: readonly ChainSource[] }
  | { readonly primaries: readonly string[]; readonly replay: "too large" }
  /** Why its event 0 is not valid: it is nobody's chain. */
  | { readonly fault: Code }

type Chains = ReadonlyMap<Digest, readonly SigchainEvent[]>

/** Looks chains up in what was served; each is replayed once, and none that has nothing to do with the question. */
export function createLookUp(input: VerifyInput): (key: ChainKey) => LookUp {
  const { marks = [] } = input
  const known = new Map<Digest, United>()
  let grouped: Chains | undefined

  function chains(): Chains {
    grouped ??= groupByChain(input.chains.flatMap((source) => source.events ?? []))
    return grouped
  }

  function united(chain: Digest): United {
    const result = known.get(chain) ?? unite(input.chains, chain, chains().get(chain) ?? [])
    known.set(chain, result)
    return result
  }

  /** By its id, or because the key is or was its primary on any branch, or because the reader remembers that it was. [VER-10] */
  function isMeant(chain: Digest, key: ChainKey): boolean {
    if ("chain" in key) return chain === key.chain
    if (isRemembered(chain, key.primary)) return true
    // Anybody can serve thousands of chains: those that do not name the key are not verified.
    const events = chains().get(chain) ?? []
    if (!events.some((event) => isMadePrimary(key.primary, event))) return false
    const result = united(chain)
    return "primaries" in result && result.primaries.includes(key.primary)
  }

  function isRemembered(chain: Digest, primary: string): boolean {
    return marks.some((mark) => mark.chain === chain && mark.primaries.includes(primary))
  }

  /** The document, else an event 0 that would have begun what is looked for; of several the first by digest. [VER-7] */
  function faultAtStart({ code, events = [] }: ChainSource, key: ChainKey): Code | undefined {
    const starts = events
      .filter(({ payload }) => payload.seq === 0 && ("chain" in key || payload.primary === key.primary))
      .map(envelopeDigest)
    const meant = "chain" in key ? starts.filter((digest) => digest === key.chain) : starts.toSorted()
    return code ?? meant.map(united).flatMap((result) => ("fault" in result ? [result.fault] : []))[0]
  }

  return (key) => {
    const served = [...chains().keys()].filter((chain) => isMeant(chain, key) && !("fault" in united(chain)))
    const marked = marks
      .filter(({ chain, primaries }) =>
        "chain" in key ? chain === key.chain : served.includes(chain) || primaries.includes(key.primary),
      )
      .map(({ chain }) => chain)
    if (served.length === 0) {
      return { is: "none", isMarked: marked.length > 0, faultOf: (source) => faultAtStart(source, key) }
    }
    // A second event 0 cannot displace the one chain that the reader holds a mark of. [CHAIN-19]
    const [chain, ...others] = new Set(marked.length > 0 ? marked : served)
    if (chain === undefined || others.length > 0 || !served.includes(chain)) return { is: "several" }
    const result = united(chain)
    if ("fault" in result || result.replay === "too large") return { is: "too large" }
    return { is: "found", replay: result.replay, sources: result.sources }
  }
}

function unite(sources: readonly ChainSource[], chain: Digest, events: readonly SigchainEvent[]): United {
  const replay = tryReplay(events, chain)
  if (replay === undefined) return { fault: faultOfStart(events, chain) }
  if (replay !== "too large") return { primaries: replay.everyPrimary, replay, sources }
  // A key that was one in what is left out stays one: else its claim would be of no chain, and pass. [CHAIN-18]
  const primaries = events.flatMap(primariesMadeBy)
  const chosen = sources.map(withoutStranger)
  const left = groupByChain(chosen.flatMap((source) => source.events ?? [])).get(chain)
  const again = left === undefined ? undefined : tryReplay(left, chain)
  return again === undefined || again === "too large"
    ? { primaries, replay: "too large" }
    : { primaries, replay: again, sources: chosen }
}

/**
 * Of a chain with too many events: those of places that only a hint or the subject names are left out, so that nobody who holds
 * a stolen device key and such a place can silence the stores that the reader chose. [CHAIN-18]
 */
function withoutStranger(source: ChainSource): ChainSource {
  const { kind, events = [] } = source
  if (kind === "local" || kind === "store" || events.length === 0) return source
  return { ...source, outcome: "failed", code: "limit.chain", events: [], heads: [] }
}

/** Undefined: its event 0 is not valid. */
function tryReplay(events: readonly SigchainEvent[], chain: Digest): ChainReplay | "too large" | undefined {
  try {
    return replayChain(events, { chain })
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    return error.code === "limit.chain" ? "too large" : undefined
  }
}

function faultOfStart(events: readonly SigchainEvent[], chain: Digest): Code {
  const start = events.find((event) => event.payload.seq === 0 && envelopeDigest(event) === chain)
  return (start === undefined ? undefined : faultOfEvent(start)?.code) ?? "chain.genesis"
}

/** Whether an event makes the key a primary, with its own consent as far as the event itself shows. */
function isMadePrimary(key: string, event: SigchainEvent): boolean {
  const { payload, signature } = event
  if (payload.seq === 0 && signature.key === key) return true
  return payload.op === "rotate" && payload.payload.new_primary === key && hasPop(event)
}

function primariesMadeBy(event: SigchainEvent): readonly string[] {
  const { payload, signature } = event
  const keys = payload.seq === 0 ? [signature.key] : []
  return payload.op === "rotate" && hasPop(event) ? [...keys, payload.payload.new_primary] : keys
}

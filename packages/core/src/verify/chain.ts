/** The chain of a claim: found among all sources, and what it says about the sources. SPEC [VER-5] to [VER-7], [VER-10], [VER-11]. */
import type { Code } from "../codes.ts"
import type { Digest } from "../digest.ts"
import { envelopeDigest, type SigchainEvent } from "../envelope/envelope.ts"
import { KezError } from "../error.ts"
import { type HeadMeaning, judgeHead } from "../sigchain/head.ts"
import { hasPop } from "../sigchain/pop.ts"
import { groupByChain, replayChain } from "../sigchain/replay.ts"
import type { ChainReplay } from "../sigchain/result.ts"
import type { ChainSource, VerifyInput } from "./input.ts"
import type { ChainMark, Evidence, Flag, Problem } from "./verdict.ts"

/** By what a chain is looked up. */
export type ChainKey = { readonly primary: string } | { readonly chain: Digest }

export interface ChainFinding {
  readonly replay: ChainReplay | undefined
  readonly problems: readonly Problem[]
  readonly flags: readonly Flag[]
  readonly evidence: readonly Evidence[]
  readonly liveUntil: string | undefined
  /** Who signed the heads that say so. [HEAD-3] */
  readonly liveBy: readonly string[]
  readonly mark: ChainMark | undefined
}

/** Looks chains up in what the sources of one question served; each is replayed once. */
export type FindChain = (key: ChainKey) => ChainFinding

export function createFinder(input: VerifyInput): FindChain {
  const found = new Map<string, ChainFinding>()
  let chains: ReadonlyMap<Digest, readonly SigchainEvent[]> | undefined
  return (key) => {
    const name = "chain" in key ? key.chain : key.primary
    chains ??= groupByChain(input.chains.flatMap((source) => source.events ?? []))
    const finding = found.get(name) ?? findChain(input, chains, key)
    found.set(name, finding)
    return finding
  }
}

function findChain(
  input: VerifyInput,
  chains: ReadonlyMap<Digest, readonly SigchainEvent[]>,
  key: ChainKey,
): ChainFinding {
  const marks = (input.marks ?? []).filter((mark) =>
    "chain" in key ? mark.chain === key.chain : mark.primaries.includes(key.primary),
  )
  const evidence = input.chains.map(sourceEvidence)
  const outcomes = replaysFor(chains, key)
  if (outcomes.includes("too long")) {
    const chosen = withoutStrangers(input.chains)
    if (chosen !== undefined) {
      const rest = { ...input, chains: chosen }
      return findChain(rest, groupByChain(chosen.flatMap((source) => source.events ?? [])), key)
    }
    return { ...nothing, problems: [{ status: "unreachable", reason: "limit.chain" }], evidence }
  }
  const replays = outcomes.filter((outcome) => outcome !== "too long")
  const marked = new Set(marks.map((mark) => mark.chain))
  // A second event 0 cannot displace the one chain that the reader holds a mark of. [CHAIN-19]
  const pinned = replays.filter(({ chain }) => marked.has(chain))
  const [replay, ...others] = pinned.length > 0 ? pinned : replays
  if (replay === undefined) return { ...missing(input, key, marks), evidence }
  if (others.length > 0 || marked.size > 1 || (marked.size === 1 && !marked.has(replay.chain))) {
    return { ...nothing, problems: [{ status: "fork", reason: "chain.fork" }], evidence }
  }
  return judgeChain(input, replay, marks, evidence)
}

const nothing: Omit<ChainFinding, "evidence"> = {
  replay: undefined,
  problems: [],
  flags: [],
  liveUntil: undefined,
  liveBy: [],
  mark: undefined,
}

/**
 * Too many events: those of places that only a hint or the subject names are left out, so that nobody who holds a stolen device
 * key and such a place can silence the stores that the reader chose. Undefined when there are none to leave out. [CHAIN-18]
 */
function withoutStrangers(chains: readonly ChainSource[]): readonly ChainSource[] | undefined {
  const isStranger = ({ kind, events = [] }: ChainSource) => kind !== "local" && kind !== "store" && events.length > 0
  if (!chains.some(isStranger)) return undefined
  return chains.map((source) =>
    isStranger(source) ? { ...source, outcome: "failed", code: "limit.chain", events: [], heads: [] } : source,
  )
}

/** Every chain that the key finds: by its id, or because the key is or was its primary on any branch. */
function replaysFor(
  chains: ReadonlyMap<Digest, readonly SigchainEvent[]>,
  key: ChainKey,
): readonly (ChainReplay | "too long")[] {
  return [...chains].flatMap(([chain, events]) => {
    // Chains that have nothing to do with the question are not verified: anybody can serve thousands of them.
    if ("chain" in key ? chain !== key.chain : !events.some((event) => isMadePrimary(key.primary, event))) return []
    return tryReplay(events, chain).filter(
      (outcome) => outcome === "too long" || "chain" in key || outcome.everyPrimary.includes(key.primary),
    )
  })
}

/** Whether an event makes the key a primary, with its own consent as far as the event itself shows. */
function isMadePrimary(key: string, event: SigchainEvent): boolean {
  const { payload, signature } = event
  if (payload.op !== "rotate") return payload.seq === 0 && signature.key === key
  if (payload.seq === 0 && signature.key === key) return true
  return payload.payload.new_primary === key && hasPop(event)
}

function tryReplay(events: readonly SigchainEvent[], chain: Digest): readonly (ChainReplay | "too long")[] {
  try {
    return [replayChain(events, { chain })]
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    // Else its event 0 is not valid: it is nobody's chain.
    return error.code === "limit.chain" ? ["too long"] : []
  }
}

/** [VER-7] */
function missing(input: VerifyInput, key: ChainKey, marks: readonly ChainMark[]): Omit<ChainFinding, "evidence"> {
  const refused = input.chains.find(
    ({ expected, outcome, code }) => expected && outcome === "found" && code !== undefined,
  )
  const problem = (status: Problem["status"], reason: Code) => ({ ...nothing, problems: [{ status, reason }] })
  if (input.chains.some(isSilent)) return problem("unreachable", "chain.unreachable")
  if (refused?.code !== undefined) return problem("invalid", refused.code)
  if (marks.length > 0) return problem("unreachable", "chain.rollback")
  if ("chain" in key) return problem("invalid", "claim.not_in_chain")
  if (input.requireChain === true || input.requireFresh === true) return problem("unreachable", "chain.required")
  return { ...nothing, flags: ["no_chain"] }
}

function judgeChain(
  input: VerifyInput,
  replay: ChainReplay,
  marks: readonly ChainMark[],
  evidence: readonly Evidence[],
): ChainFinding {
  const problems: Problem[] = []
  const flags = new Set<Flag>()
  if (replay.status === "fork") problems.push({ status: "fork", reason: "chain.fork" })
  if (replay.contested) flags.add("contested")

  const faults = input.chains.map((source) => faultOf(source, replay))
  const confirmed = input.chains.some((source, i) => faults[i] === undefined && serves(source, replay.head.digest))
  const fault = faults.find((code) => code !== undefined)
  if (fault !== undefined && !confirmed) problems.push({ status: "invalid", reason: fault })
  const silent = input.chains.some((source, i) => isSilent(source) || (source.expected && faults[i] !== undefined))

  const mark = marks.find((candidate) => candidate.chain === replay.chain)
  if (mark !== undefined && !replay.knows(mark.digest)) {
    const behind = replay.head.seq < mark.seq
    problems.push(
      behind ? { status: "unreachable", reason: "chain.rollback" } : { status: "fork", reason: "chain.fork" },
    )
  }
  if (mark !== undefined && input.chains.some((source) => servesLessThan(source, replay, mark))) flags.add("rollback")

  const heads = judgeHeads(input, replay)
  problems.push(...heads.problems)
  if (silent || heads.liveUntil === undefined) {
    flags.add("stale")
    if (input.requireFresh === true) problems.push({ status: "unreachable", reason: "chain.stale" })
  }
  const trusted = problems.every(({ reason }) => reason === "chain.stale")
  return {
    replay,
    problems,
    flags: [...flags],
    evidence: [...evidence, ...heads.evidence],
    liveUntil: heads.liveUntil,
    liveBy: heads.liveBy,
    mark: trusted ? markOf(replay) : undefined,
  }
}

function markOf({ chain, head, state }: ChainReplay): ChainMark {
  return { chain, seq: head.seq, digest: head.digest, primaries: state.primaries }
}

/** An expected source that gave no answer. A 404 of a hinted URL is none: the hint says that the chain is there. [VER-6] */
function isSilent({ expected, outcome, kind }: ChainSource): boolean {
  return expected && (outcome === "failed" || (outcome === "absent" && kind === "hint"))
}

function serves(source: ChainSource, digest: Digest): boolean {
  return (source.events ?? []).some((event) => envelopeDigest(event) === digest)
}

/** Why what a source served cannot be all in order: its document was refused, or an event in it is not valid. */
function faultOf(source: ChainSource, replay: ChainReplay): Code | undefined {
  // What nobody was told to expect can be evidence, never a status. [VER-6]
  if (source.outcome !== "found" || !source.expected) return undefined
  if (source.code !== undefined) return source.code
  if (replay.refused.length === 0) return undefined
  const served = new Set((source.events ?? []).map(envelopeDigest))
  return replay.refused.find((refusal) => served.has(refusal.digest))?.code
}

function servesLessThan(source: ChainSource, replay: ChainReplay, mark: ChainMark): boolean {
  // A mark on a branch that lost says nothing about who serves the one that won.
  const held = replay.digests[mark.seq] === mark.digest || !replay.knows(mark.digest)
  if (source.kind === "local" || !held || !serves(source, replay.chain)) return false
  return !(source.events ?? []).some((event) => event.payload.seq >= mark.seq && replay.knows(envelopeDigest(event)))
}

function judgeHeads(input: VerifyInput, replay: ChainReplay) {
  const problems: Problem[] = []
  const evidence: Evidence[] = []
  const liveBy = new Set<string>()
  let liveUntil: string | undefined
  for (const source of input.chains) {
    for (const head of source.heads ?? []) {
      const meaning = tryJudge(() => judgeHead(head, replay, input.now))
      if (meaning instanceof KezError) {
        if (meaning.code !== "chain.unknown") evidence.push({ kind: "head", source: source.name, code: meaning.code })
        continue
      }
      evidence.push({ kind: "head", source: source.name, note: `${meaning.says}, signed by ${meaning.signer}` })
      if (meaning.says === "live") {
        liveBy.add(meaning.signer)
        if (liveUntil === undefined || meaning.expiresAt > liveUntil) liveUntil = meaning.expiresAt
      }
      if (meaning.says === "beyond") problems.push({ status: "unreachable", reason: "chain.withheld" })
      if (meaning.says === "conflict") problems.push({ status: "fork", reason: "chain.fork" })
    }
  }
  return { problems, evidence, liveUntil, liveBy: [...liveBy] }
}

function tryJudge(judge: () => HeadMeaning): HeadMeaning | KezError {
  try {
    return judge()
  } catch (error) {
    if (error instanceof KezError) return error
    throw error
  }
}

function sourceEvidence({ name, outcome, code }: ChainSource): Evidence {
  return { kind: "chain", source: name, note: outcome, ...(code === undefined ? {} : { code }) }
}

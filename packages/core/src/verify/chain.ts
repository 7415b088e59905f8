/** The chain of a claim: found among all sources, and what it says about the sources. SPEC [VER-5] to [VER-7], [VER-10], [VER-11]. */
import type { Code } from "../codes.ts"
import type { Digest } from "../digest.ts"
import { envelopeDigest, type SigchainEvent } from "../envelope/envelope.ts"
import { KezError } from "../error.ts"
import { type HeadMeaning, judgeHead } from "../sigchain/head.ts"
import { hasPop } from "../sigchain/pop.ts"
import { type ChainReplay, groupByChain, replayChain } from "../sigchain/replay.ts"
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
  mark: undefined,
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
  const confirmed = input.chains.some((source, i) => faults[i] === undefined && serves(source, replay))
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

function serves(source: ChainSource, replay: ChainReplay): boolean {
  return (source.events ?? []).some((event) => envelopeDigest(event) === replay.chain)
}

/** Why what a source served cannot be all in order: its document was refused, or an event in it is not valid. */
function faultOf(source: ChainSource, replay: ChainReplay): Code | undefined {
  if (source.outcome !== "found") return undefined
  if (source.code !== undefined) return source.code
  if (replay.refused.length === 0) return undefined
  const served = new Set((source.events ?? []).map(envelopeDigest))
  return replay.refused.find((refusal) => served.has(refusal.digest))?.code
}

function servesLessThan(source: ChainSource, replay: ChainReplay, mark: ChainMark): boolean {
  if (source.kind === "local" || !serves(source, replay)) return false
  return !(source.events ?? []).some((event) => event.payload.seq >= mark.seq && replay.knows(envelopeDigest(event)))
}

function judgeHeads(input: VerifyInput, replay: ChainReplay) {
  const problems: Problem[] = []
  const evidence: Evidence[] = []
  let liveUntil: string | undefined
  for (const source of input.chains) {
    for (const head of source.heads ?? []) {
      const meaning = tryJudge(() => judgeHead(head, replay, input.now))
      if (meaning instanceof KezError) {
        if (meaning.code !== "chain.unknown") evidence.push({ kind: "head", source: source.name, code: meaning.code })
        continue
      }
      evidence.push({ kind: "head", source: source.name, note: `${meaning.says}, signed by ${meaning.signer}` })
      if (meaning.says === "live" && (liveUntil === undefined || meaning.expiresAt > liveUntil))
        liveUntil = meaning.expiresAt
      if (meaning.says === "beyond") problems.push({ status: "unreachable", reason: "chain.withheld" })
      if (meaning.says === "conflict") problems.push({ status: "fork", reason: "chain.fork" })
    }
  }
  return { problems, evidence, liveUntil }
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

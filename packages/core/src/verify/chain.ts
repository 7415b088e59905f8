/** What the chain that was found says, and what it says about its sources; or that none was. SPEC [VER-6], [VER-7], [VER-10], [VER-11]. */
import type { Code } from "../codes.ts"
import type { Digest } from "../digest.ts"
import { envelopeDigest } from "../envelope/envelope.ts"
import { KezError } from "../error.ts"
import { type HeadMeaning, judgeHead } from "../sigchain/head.ts"
import type { ChainReplay } from "../sigchain/result.ts"
import type { ChainSource, VerifyInput } from "./input.ts"
import { type ChainKey, createLookUp, type LookUp } from "./lookup.ts"
import type { ChainMark, Evidence, Flag, Problem } from "./verdict.ts"

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
  const lookUp = createLookUp(input)
  return (key) => {
    const name = "chain" in key ? key.chain : key.primary
    const finding = found.get(name) ?? findChain(input, key, lookUp(key))
    found.set(name, finding)
    return finding
  }
}

function findChain(input: VerifyInput, key: ChainKey, found: LookUp): ChainFinding {
  const evidence = input.chains.map(sourceEvidence)
  switch (found.is) {
    case "found":
      return judgeChain({ ...input, chains: found.sources }, found.replay)
    case "too large":
      return { ...nothing, problems: [{ status: "unreachable", reason: "limit.chain" }], evidence }
    case "several":
      return { ...nothing, problems: [{ status: "fork", reason: "chain.fork" }], evidence }
    case "none":
      return { ...missing(input, key, found), evidence }
  }
}

const nothing: Omit<ChainFinding, "evidence"> = {
  replay: undefined,
  problems: [],
  flags: [],
  liveUntil: undefined,
  liveBy: [],
  mark: undefined,
}

/** [VER-7] */
function missing(
  input: VerifyInput,
  key: ChainKey,
  { isMarked, faultOf }: Extract<LookUp, { is: "none" }>,
): Omit<ChainFinding, "evidence"> {
  const problem = (status: Problem["status"], reason: Code) => ({ ...nothing, problems: [{ status, reason }] })
  if (input.chains.some(isSilent)) return problem("unreachable", "chain.unreachable")
  const fault = input.chains.filter(isExpectedAnswer).map(faultOf).find(isCode)
  if (fault !== undefined) return problem("invalid", fault)
  if (isMarked) return problem("unreachable", "chain.rollback")
  if ("chain" in key) return problem("invalid", "claim.not_in_chain")
  if (input.requireChain === true || input.requireFresh === true) return problem("unreachable", "chain.required")
  return { ...nothing, flags: ["no_chain"] }
}

function judgeChain(input: VerifyInput, replay: ChainReplay): ChainFinding {
  const { chains: sources, marks = [] } = input
  const problems: Problem[] = []
  const flags = new Set<Flag>()
  if (replay.status === "fork") problems.push({ status: "fork", reason: "chain.fork" })
  if (replay.contested) flags.add("contested")

  const faultOf = (source: ChainSource) => faultIn(source, replay)
  const fault = sources.filter(isExpectedAnswer).map(faultOf).find(isCode)
  const isConfirmed = sources.some(
    (source) => source.outcome === "found" && faultOf(source) === undefined && serves(source, replay.head.digest),
  )
  if (fault !== undefined && !isConfirmed) problems.push({ status: "invalid", reason: fault })

  for (const mark of marks.filter(({ chain }) => chain === replay.chain)) {
    problems.push(...judgeMark(replay, mark))
    if (sources.some((source) => servesLessThan(source, replay, mark))) flags.add("rollback")
  }

  const heads = judgeHeads(input, replay)
  problems.push(...heads.problems)
  if (sources.some(isSilent) || fault !== undefined || heads.liveUntil === undefined) {
    flags.add("stale")
    if (input.requireFresh === true) problems.push({ status: "unreachable", reason: "chain.stale" })
  }
  const trusted = problems.every(({ reason }) => reason === "chain.stale")
  return {
    replay,
    problems,
    flags: [...flags],
    evidence: [...sources.map(sourceEvidence), ...heads.evidence],
    liveUntil: heads.liveUntil,
    liveBy: heads.liveBy,
    mark: trusted ? markOf(replay) : undefined,
  }
}

/** What stands at the mark, when the marked event is not known. [VER-10] */
function judgeMark(replay: ChainReplay, { seq, digest }: ChainMark): readonly Problem[] {
  if (replay.knows(digest)) return []
  return replay.head.seq < seq
    ? [{ status: "unreachable", reason: "chain.rollback" }]
    : [{ status: "fork", reason: "chain.fork" }]
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

/** A source whose faults are a status. What nobody was told to expect can be evidence, never a status. [VER-6] */
function isExpectedAnswer({ outcome, expected }: ChainSource): boolean {
  return expected && outcome === "found"
}

function isCode(code: Code | undefined): code is Code {
  return code !== undefined
}

/** Why what a source served cannot be all in order: its document was refused, or an event in it is not valid. */
function faultIn(source: ChainSource, replay: ChainReplay): Code | undefined {
  if (source.code !== undefined || replay.refused.length === 0) return source.code
  const served = new Set((source.events ?? []).map(envelopeDigest))
  return replay.refused.find((refusal) => served.has(refusal.digest))?.code
}

/** Whether a source answers with the chain as it was before the mark. */
function servesLessThan(source: ChainSource, replay: ChainReplay, { seq, digest }: ChainMark): boolean {
  // A mark on a branch that lost says nothing about who serves the one that won.
  const hasLost = replay.knows(digest) && !replay.digests.includes(digest) && !replay.isUndecided(digest)
  if (hasLost || source.kind === "local" || source.outcome !== "found" || !serves(source, replay.chain)) return false
  return !(source.events ?? []).some((event) => event.payload.seq >= seq && replay.knows(envelopeDigest(event)))
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

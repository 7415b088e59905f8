/** From what was typed to the whole graph: the chain, then every active account of it, looked at together. */
import { type ChainReplay, formatIdentity, isDigest, KezError, parseIdentity } from "@kez/core"
import type { ChainTarget } from "../chains/chain-target.ts"
import type { Answer } from "../consult.ts"
import type { Context } from "../context.ts"
import { exitCodes } from "../exit-codes.ts"
import { currentIdentity } from "../keys/signers.ts"
import { exitCodeOfVerdict, nextStep } from "../verdict-text.ts"
import type { Demands } from "../verify-accounts.ts"
import { type Asked, buildGraph, type IdentityGraph } from "./graph-model.ts"
import { findKnownChain, type KnownChain, type Wanted } from "./known-chain.ts"
import { createVerifyMany, createVerifyNone, type VerifyMany } from "./verify-subjects.ts"

/** As many digits of a chain id as must be there. */
const minChainChars = "sha256:".length + 8
/** Looking at accounts may bring newer events of the chain, and with them more accounts. */
const maxRounds = 3

export interface GatherOptions {
  readonly demands: Demands
  readonly offline: boolean
}

export interface Gathered {
  readonly graph: IdentityGraph
  readonly exitCode: number
  /** What the reader can do next, where something is to be done. */
  readonly next: string | undefined
}

/** Throws `chain.unknown` for a key or an id whose chain is not known, `chain.required`, `chain.fork` for a key with several. */
export async function gatherGraph(
  context: Context,
  typed: string | undefined,
  options: GatherOptions,
): Promise<Gathered> {
  const verify = (primary?: string): VerifyMany =>
    options.offline ? createVerifyNone(context) : createVerifyMany(context, { ...options.demands, primary })
  const find = (wanted: Wanted) => findKnownChain(context, wanted, options.demands.documents)
  const bring = async (target: ChainTarget): Promise<void> => {
    if (!options.offline) await bringChain(context, target, options.demands)
  }
  const { asked, known, answer } = await start(context, typed, { verify, find, bring })
  const around =
    known === undefined
      ? { known, answers: [] }
      : await lookAround(context, { known, answer, verify, find, bring, isOffline: options.offline })
  const { replay, freshUntil } = around.known ?? { replay: undefined, freshUntil: undefined }
  const early = answer === undefined ? around.answers : [answer, ...around.answers]
  const answers = replay === undefined ? early : await judgeAgain(early, replay, verify)
  const graph = buildGraph({ asked, replay, freshUntil, answers, now: context.now() })
  const own = answer === undefined ? undefined : answers[0]
  // Where somebody looked at the account, its verdict says so.
  if (options.demands.requireChain && replay === undefined && (own === undefined || isUnseen(own))) {
    throw new KezError("chain.required", `Cannot show ${asked.identity}: its chain is not known`, {
      hint: "Hand the chain in with --chain FILE, or name a store: --store URL.",
    })
  }
  return { graph, exitCode: exitCodeOf(graph, own), next: own === undefined ? undefined : nextOf(own) }
}

/** Those that were judged before the newest events of their chain were found: what these revoke must not look proven. */
async function judgeAgain(
  answers: readonly Answer[],
  { chain, head, state }: ChainReplay,
  verify: Means["verify"],
): Promise<readonly Answer[]> {
  const isEarly = ({ verdict }: Answer): boolean => verdict.chain?.id === chain && verdict.chain.head.seq < head.seq
  const early = answers.filter(isEarly)
  if (early.length === 0) return answers
  const second = await verify(state.primary)(early.map(({ verdict }) => verdict.subject))
  const bySubject = new Map(second.map((answer) => [answer.verdict.subject, answer]))
  return answers.map((answer) => {
    const again = isEarly(answer) ? bySubject.get(answer.verdict.subject) : undefined
    return again === undefined ? answer : { ...again, lastProven: answer.lastProven }
  })
}

/** The two ways to learn more. */
interface Means {
  verify(primary?: string): VerifyMany
  find(wanted: Wanted): Promise<KnownChain | undefined>
  /** Asks the stores, and the places that served it before, for a chain that no account leads to. */
  bring(target: ChainTarget): Promise<void>
}

async function bringChain(context: Context, target: ChainTarget, { stores, net, timeoutMs }: Demands): Promise<void> {
  const { placesOf } = await import("../chains/chain-target.ts")
  const places = await placesOf(context, target, stores)
  if (places.length === 0) return
  const { pullChains } = await import("../chains/pull-chain.ts")
  const { chain, key } = target
  const wanted = chain === undefined ? (key === undefined ? {} : { key }) : { chain }
  await pullChains(context, await net(), { places, ...wanted, timeoutMs })
}

interface Start {
  readonly asked: Asked
  readonly known: KnownChain | undefined
  /** What the asked account itself showed. */
  readonly answer?: Answer
}

async function start(context: Context, typed: string | undefined, means: Means): Promise<Start> {
  if (typed?.startsWith("sha256:")) return startFromChain(typed.replace(/…$/, ""), means)
  const isName = typed === undefined || !typed.includes(":")
  const identity = isName ? (await currentIdentity(context, typed)).key : formatIdentity(parseIdentity(typed))
  const [system = ""] = identity.split(":", 1)
  if (system !== "ed25519" && system !== "nostr") return startFromAccount(identity, means)
  const before = await means.find({ key: identity })
  await means.bring({ name: identity, key: identity, ...(before === undefined ? {} : { chain: before.replay.chain }) })
  const known = await means.find({ key: identity })
  if (known !== undefined) return { asked: { kind: "key", identity }, known }
  // A nostr key is an account too: its notes may prove whose it is.
  if (system === "nostr") return startFromAccount(identity, means)
  throw unknownChain(identity)
}

async function startFromChain(typed: string, { find, bring }: Means): Promise<Start> {
  if (typed.length < minChainChars) {
    throw new KezError("usage", "Cannot choose a chain by this id: expected sha256: and at least 8 of its digits")
  }
  const chain = isDigest(typed) ? typed : (await find({ chain: typed }))?.replay.chain
  if (chain !== undefined) await bring({ name: chain, chain })
  const known = await find({ chain: typed })
  if (known === undefined) throw unknownChain("this id")
  return { asked: { kind: "chain", identity: known.replay.chain }, known }
}

async function startFromAccount(subject: string, { verify, find }: Means): Promise<Start> {
  const [answer] = await verify()([subject])
  const asked: Asked = { kind: "account", identity: subject }
  if (answer === undefined) return { asked, known: undefined }
  const { verdict, lastProven } = answer
  // Where nothing is to be seen now, the chain by which it was proven before still tells whose it may be.
  const id = verdict.chain?.id ?? (verdict.primary === undefined ? lastProven?.chain : undefined)
  const byId = id === undefined ? undefined : await find({ chain: id })
  const known = byId ?? (verdict.primary === undefined ? await find({ subject }) : undefined)
  return { asked, known, answer }
}

interface Around extends Means {
  readonly known: KnownChain
  readonly answer: Answer | undefined
  readonly isOffline: boolean
}

/** Every active account of the chain, with the chain as it is known afterwards. */
async function lookAround(
  context: Context,
  { known, answer, verify, find, isOffline }: Around,
): Promise<{ readonly known: KnownChain; readonly answers: readonly Answer[] }> {
  let newest = known
  const seen = new Set(answer === undefined ? [] : [answer.verdict.subject])
  const answers: Answer[] = []
  for (let round = 0; round < maxRounds; round++) {
    const missing = activeSubjects(newest.replay).filter((subject) => !seen.has(subject))
    if (missing.length === 0) break
    if (missing.length > 1 && !isOffline) context.terminal.progress(`looking at ${missing.length} accounts`)
    answers.push(...(await verify(newest.replay.state.primary)(missing)))
    for (const subject of missing) seen.add(subject)
    newest = (await find({ chain: known.replay.chain })) ?? newest
  }
  return { known: newest, answers }
}

function activeSubjects({ state }: ChainReplay): readonly string[] {
  return [...state.subjects.values()].filter(({ status }) => status === "active").map(({ subject }) => subject)
}

/** The asked account's own verdict decides, as in `kez verify id`; of a key or a chain, whether its history is one. */
function exitCodeOf({ centre }: IdentityGraph, answer: Answer | undefined): number {
  if (answer === undefined) return centre.chain?.status === "fork" ? exitCodes.fork : exitCodes.ok
  return isUnseen(answer) ? exitCodes.ok : exitCodeOfVerdict(answer.verdict)
}

function nextOf(answer: Answer): string | undefined {
  return isUnseen(answer) ? undefined : nextStep(answer.verdict)
}

/** Whether nobody looked: then there is no verdict on the account. */
function isUnseen({ verdict }: Answer): boolean {
  return verdict.flags.includes("unpublished")
}

function unknownChain(what: string): KezError {
  return new KezError("chain.unknown", `Cannot find the chain of ${what} on this computer`, {
    hint: "Name one of its accounts instead (kez graph dns:example.org), or hand the chain in with --chain FILE, or name a store: --store URL.",
  })
}

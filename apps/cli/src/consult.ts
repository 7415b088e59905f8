/** Everything that is looked at before a verdict: the account's place, this computer, and where the chain may lie. SPEC VER-5 */
import type { AccountLook, Net } from "@kez/channels"
import {
  type ChainMark,
  type ChainSource,
  type Digest,
  type Evidence,
  envelopeDigest,
  type Publication,
  replayChain,
  type SeenAccount,
  type SigchainEvent,
  type Verdict,
  verifyClaim,
} from "@kez/core"
import type { Asked, Served, Weight } from "./chain-sources.ts"
import type { Context } from "./context.ts"
import { lazy } from "./lazy.ts"
import { domainOf, keysOfProofs, type ProofKeys, wellKnownOf } from "./proof-keys.ts"
import { count } from "./short-text.ts"
import { hasStore, readStore } from "./store/access.ts"
import type { KnownSource } from "./store/sources.ts"
import type { Proven } from "./store/verdicts.ts"
import { nextTurn } from "./turns.ts"

// Most files are judged without any of these.
const loadRemember = lazy(() => import("./remember.ts"))
const loadChainSources = lazy(() => import("./chain-sources.ts"))
const loadTables = lazy(() =>
  Promise.all([
    import("./store/chains.ts"),
    import("./store/heads.ts"),
    import("./store/marks.ts"),
    import("./store/sources.ts"),
  ]),
)

/** How the local store is called in evidence. */
const localName = "this computer"
/** How long a result waits for a place that nobody named. */
const unexpectedMs = 3_000
/** Domains whose well-known place is asked because a file names them. */
const maxDomains = 4

/** What the account's own place said, and the URLs beside it. */
export interface Look {
  readonly publication: Publication
  readonly hints: readonly string[]
  /** How the platform is, where that was asked. */
  readonly health?: AccountLook["health"]
}

export interface Question {
  /** As typed; absent for a file, whose claim names its own. */
  readonly subject?: string
  /** Key identity that the reader expects. */
  readonly primary?: string
  /** What this computer remembers of the account. */
  readonly seen?: SeenAccount
  /** Whom the account was proven to belong to the last time: where its proof is gone, their chain may say why. */
  readonly lastPrimary?: string
  readonly requireChain: boolean
  readonly requireFresh: boolean
  /** Chain documents that the reader handed in. */
  readonly documents: readonly Served[]
  readonly timeoutMs: number
  /** Undefined: nothing may be asked but this computer. */
  readonly net: (() => Promise<Net>) | undefined
  look(): Promise<Look>
}

export interface Answer {
  readonly verdict: Verdict
  /** When the account was proven before this. */
  readonly lastProven: Proven | undefined
  /** Whether the claim is by a key that a rotation of the identity replaced. */
  readonly isEarlierKey?: boolean
  readonly health?: AccountLook["health"]
}

/** What this computer knows of some chains. */
export interface Local {
  readonly chains: readonly Digest[]
  readonly source: ChainSource
  readonly marks: readonly ChainMark[]
  readonly places: readonly KnownSource[]
}

export interface LookUp {
  readonly primaries: readonly string[]
  readonly chains: readonly Digest[]
}

/** Looks, judges, and remembers what was found, all before anything is shown. */
export async function consult(context: Context, question: Question): Promise<Answer> {
  const { remembered } = await judge(context, question)
  return remembered
}

/** A verdict that is not to be shown before what it stands on is on the disk. */
export interface Judged {
  readonly remembered: Promise<Answer>
  /** Events that are held in memory until then. */
  readonly events: number
}

/** Looks and judges. Several that are remembered at the same time are written together. */
export async function judge(context: Context, question: Question): Promise<Judged> {
  const asked = new Map<string, Promise<Asked>>()
  const ask = (url: string | undefined, timeoutMs: number): Promise<Asked> | undefined => {
    if (question.net === undefined || url === undefined) return undefined
    const pending = asked.get(url) ?? askVia(question.net, url, timeoutMs)
    asked.set(url, pending)
    pending.catch(() => {}) // its error is thrown where it is awaited, which may be later than another one
    return pending
  }
  // Asked while the account's own place is, so that it costs no time of its own.
  const shortMs = Math.min(unexpectedMs, question.timeoutMs)
  for (const domain of domainOf(question.subject ?? "")) ask(wellKnownOf(domain), shortMs)
  const look = await question.look()
  await nextTurn()
  const keys = keysOfProofs("candidates" in look.publication ? look.publication.candidates : [])
  const expected = expectedPrimary(question, look)
  const lookUp = lookUpOf(expected, keys)
  // Unsigned text may not send us anywhere.
  const isSigned = lookUp.primaries.length + lookUp.chains.length > 0
  const weights = weightsOf(isSigned ? [...look.hints, ...keys.hints] : [])
  for (const domain of keys.domains.slice(0, maxDomains)) ask(wellKnownOf(domain), shortMs)

  const before = await readLocal(context, lookUp)
  for (const { url, kind } of before.places) weights.set(url, weights.get(url) ?? { kind, expected: true })
  for (const url of weights.keys()) ask(url, question.timeoutMs)
  const first = [...(await settle(asked, weights)), ...question.documents]
  // A place may name a chain that is known here by other keys: what is held of it, and who served it, counts too.
  const named = chainsOf(first, lookUp)
  const local = await readLocal(context, { ...lookUp, chains: [...lookUp.chains, ...named] })
  for (const { url, kind } of local.places) weights.set(url, weights.get(url) ?? { kind, expected: true })
  for (const url of weights.keys()) ask(url, question.timeoutMs)
  const served = [...(await settle(asked, weights)), ...question.documents]
  await nextTurn()
  const material = { look, keys, expected, local, lookUp, served, unasked: unasked(question, weights) }
  const remembered = conclude(context, question, material)
  remembered.catch(() => {}) // its error is thrown where it is awaited
  const sources = [local.source, ...served.map(({ source }) => source)]
  return { remembered, events: sources.reduce((sum, one) => sum + (one.events?.length ?? 0), 0) }
}

interface Material {
  readonly look: Look
  readonly keys: ProofKeys
  readonly expected: string | undefined
  readonly local: Local
  readonly lookUp: LookUp
  readonly served: readonly Served[]
  readonly unasked: readonly ChainSource[]
}

async function conclude(context: Context, question: Question, material: Material): Promise<Answer> {
  const { look, local, lookUp, served } = material
  const judged = decide(question, material, context.now())
  const verdict = { ...judged, evidence: withDetails(judged.evidence, local, served) }
  const isEarlierKey = wasPrimary(verdict, [local.source, ...served.map(({ source }) => source)])
  const wanted = new Set([...local.chains, ...chainsOf(served, lookUp)])
  const published = look.publication.status === "found"
  // A file whose chain nobody knows leaves nothing behind, and where there is no store there is nothing to read.
  const { health } = look
  if (!published && served.length === 0 && !hasStore(context)) {
    return { verdict, lastProven: undefined, isEarlierKey, health }
  }
  const { remember } = await loadRemember()
  const lastProven = await remember(context, {
    verdict,
    served: served.filter(({ source }) => wanted.has(chainOf(source.events ?? []) ?? "")),
    marks: local.marks,
    accountId: look.publication.status === "found" ? look.publication.accountId : undefined,
    published,
  })
  return { verdict, lastProven, isEarlierKey, health }
}

/** The key of the last proof is no demand of the reader's: it counts where its chain ended the matter, and nowhere else. */
function decide(question: Question, { look, keys, expected, local, served, unasked }: Material, now: number): Verdict {
  const { subject, primary, seen, requireChain, requireFresh } = question
  const facts = {
    ...(subject === undefined ? {} : { subject }),
    publication: look.publication,
    chains: [local.source, ...served.map(({ source }) => source), ...unasked, ...keys.hosts.map(hostSource)],
    marks: local.marks,
    ...(seen === undefined ? {} : { seen }),
    now,
    requireChain,
    requireFresh,
  }
  const judged = verifyClaim(expected === undefined ? facts : { ...facts, primary: expected })
  return primary === expected || judged.status === "revoked" ? judged : verifyClaim(facts)
}

function wasPrimary({ claim, chain, primary }: Verdict, sources: readonly ChainSource[]): boolean {
  if (claim === undefined || chain === undefined || claim.primary === primary) return false
  const events = sources.flatMap((source) => source.events ?? [])
  return replayChain(events, { chain: chain.id }).state.primaries.includes(claim.primary)
}

/** An account that is unpublished and revoked is revoked, for who knows whose it was. [VER-2] */
function expectedPrimary({ primary, lastPrimary }: Question, { publication }: Look): string | undefined {
  return primary ?? (publication.status === "absent" ? lastPrimary : undefined)
}

function lookUpOf(primary: string | undefined, { primaries, chains }: ProofKeys): LookUp {
  return { primaries: [...new Set([...primaries, ...(primary === undefined ? [] : [primary])])], chains }
}

function weightsOf(hints: readonly string[]): Map<string, Weight> {
  return new Map(hints.map((url) => [url, { kind: "hint", expected: true }]))
}

async function askVia(net: () => Promise<Net>, url: string, timeoutMs: number): Promise<Asked> {
  const [{ askPlace }, network] = await Promise.all([loadChainSources(), net()])
  return askPlace(network, url, timeoutMs)
}

async function settle(
  asked: ReadonlyMap<string, Promise<Asked>>,
  weights: ReadonlyMap<string, Weight>,
): Promise<readonly Served[]> {
  if (asked.size === 0) return []
  const [{ weigh }, answers] = await Promise.all([loadChainSources(), Promise.all(asked.values())])
  return answers.map((one) => weigh(one, weights.get(one.url) ?? { kind: "other", expected: false }))
}

/** Expected places that were not asked because the reader wished so: silent like any other. */
function unasked({ net }: Question, weights: ReadonlyMap<string, Weight>): readonly ChainSource[] {
  if (net !== undefined) return []
  return [...weights].map(([name, weight]) => ({ name, ...weight, outcome: "failed" }))
}

/** The protocol to ask such a host is still to come: until then it is a source that did not answer. SPEC §8 */
function hostSource(name: string): ChainSource {
  return { name, kind: "hint", expected: true, outcome: "failed", code: "channel.unsupported" }
}

/** Chain ids of documents that concern the keys asked for. */
function chainsOf(served: readonly Served[], { primaries, chains }: LookUp): readonly Digest[] {
  return served.flatMap(({ source: { events = [] } }) => {
    const chain = chainOf(events)
    if (chain === undefined) return []
    return chains.includes(chain) || events.some((event) => namesPrimary(event, primaries)) ? [chain] : []
  })
}

function chainOf(events: readonly SigchainEvent[]): Digest | undefined {
  const [genesis] = events
  return genesis === undefined ? undefined : envelopeDigest(genesis)
}

function namesPrimary({ payload }: SigchainEvent, primaries: readonly string[]): boolean {
  return (
    primaries.includes(payload.primary) || (payload.op === "rotate" && primaries.includes(payload.payload.new_primary))
  )
}

async function readLocal(context: Context, lookUp: LookUp): Promise<Local> {
  const source = { name: localName, kind: "local", expected: false } as const
  const none: Local = { chains: [], source: { ...source, outcome: "absent" }, marks: [], places: [] }
  return readStore<Local>(context, none, async (store) => {
    const [{ chainsOfKey, loadEvents }, { loadHeads }, { loadMarks }, { loadSources }] = await loadTables()
    const byKey = lookUp.primaries.flatMap((key) => chainsOfKey(store, key, "primary"))
    const chains = [...new Set([...lookUp.chains, ...byKey])]
    const events = chains.flatMap((chain) => loadEvents(store, chain))
    const heads = chains.flatMap((chain) => loadHeads(store, chain, context.now()))
    return {
      chains,
      source: { ...source, outcome: events.length === 0 ? "absent" : "found", events, heads },
      marks: loadMarks(store, { chains, primaries: lookUp.primaries }),
      places: chains.flatMap((chain) => loadSources(store, chain)),
    }
  })
}

/** Each thing once, and what the places said in full. */
function withDetails(evidence: readonly Evidence[], local: Local, served: readonly Served[]): readonly Evidence[] {
  const details = new Map(served.map((one) => [one.source.name, one.evidence]))
  const { name, events = [] } = local.source
  const note = events.length === 0 ? "holds no chain of this key" : `holds ${count(events.length, "event")}`
  details.set(name, { kind: "chain", source: name, note })
  const full = evidence.map((one) => (one.kind === "chain" ? (details.get(one.source) ?? one) : one))
  return [...new Map([...full, ...details.values()].map((one) => [JSON.stringify(one), one])).values()]
}

/** Everything that is looked at before a verdict: the account's place, this computer, and where the chain may lie. SPEC VER-5 */
import type { AccountLook, Net } from "@kez/channels"
import {
  type ChainMark,
  type ChainSource,
  type Digest,
  type Evidence,
  limits,
  type Publication,
  replayChain,
  type SeenAccount,
  type SigchainEvent,
  type Verdict,
  verifyClaim,
} from "@kez/core"
import type { Served } from "./chain-sources.ts"
import { type AskedPlaces, type Asking, createAsking, storeUrls } from "./chains/asking.ts"
import { chainOf } from "./chains/chain-document.ts"
import { type Local, type LookUp, readLocal } from "./chains/local-chains.ts"
import { chainUrl } from "./chains/store-url.ts"
import type { Context } from "./context.ts"
import { lazy } from "./lazy.ts"
import { domainOf, hintsToFollow, keysOfProofs, type ProofKeys, wellKnownOf } from "./proof-keys.ts"
import { count } from "./short-text.ts"
import { hasStore } from "./store/access.ts"
import type { Proven } from "./store/verdicts.ts"
import { nextTurn } from "./turns.ts"

// Most files are judged without any of these.
const loadRemember = lazy(() => import("./remember.ts"))
/** How long a result waits for a place that nobody named. */
const unexpectedMs = 3_000
/** Domains and keys whose own places are asked because proofs name them. */
const maxNamed = 4

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
  /** Base URLs of the reader's stores; none unless given. */
  readonly stores?: readonly string[]
  /** What other questions of this moment asked already. */
  readonly shared?: AskedPlaces
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
  /** Whether every place that should have the chain answered. */
  readonly isWhole?: boolean
  readonly health?: AccountLook["health"]
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
  const asking = createAsking(question.net, question.shared)
  // Asked while the account's own place is, so that it costs no time of its own.
  askNamed(asking, question, [question.subject ?? ""])
  await askEarly(context, asking, question)
  const look = await question.look()
  await nextTurn()
  const keys = keysOfProofs("candidates" in look.publication ? look.publication.candidates : [], question.subject)
  const expected = expectedPrimary(question, look)
  const lookUp = lookUpOf(expected, keys)
  // Unsigned text may not send us anywhere.
  const hosts = keys.hosts.map(hostUrl).slice(0, limits.maxAccountHints)
  for (const url of [...hintsToFollow(keys, look.hints), ...hosts])
    asking.add({ url, weight: hinted, timeoutMs: question.timeoutMs })
  askNamed(asking, question, [
    ...keys.domains.slice(0, maxNamed).map((domain) => `dns:${domain}`),
    ...lookUp.primaries.slice(0, maxNamed),
  ])

  const before = await readLocal(context, lookUp)
  const isCut = askStores(asking, question, { ...lookUp, marks: before.marks })
  askKnown(asking, question, before)
  // A place may name a chain that is known here by other keys: what is held of it, and who served it, counts too.
  const named = chainsOf([...(await asking.served()), ...question.documents], lookUp)
  const local = await readLocal(context, { ...lookUp, chains: [...lookUp.chains, ...named] })
  askKnown(asking, question, local)
  const served = [...(await asking.served()), ...question.documents, ...(isCut ? [tooMany] : [])]
  await nextTurn()
  const remembered = conclude(context, question, { look, keys, expected, local, lookUp, served })
  remembered.catch(() => {}) // its error is thrown where it is awaited
  const sources = [local.source, ...served.map(({ source }) => source)]
  return { remembered, events: sources.reduce((sum, one) => sum + (one.events?.length ?? 0), 0) }
}

const hinted = { kind: "hint", expected: true } as const

/** Places that the subject or a nostr key names: nobody has to keep a chain there, and nobody waits long for them. [DNS-5] */
function askNamed(asking: Asking, { timeoutMs }: Question, identities: readonly string[]): void {
  const urls = identities.flatMap((identity) => {
    if (identity.startsWith("nostr:")) return [identity]
    return domainOf(identity).flatMap((domain) => wellKnownOf(domain) ?? [])
  })
  const shortMs = Math.min(unexpectedMs, timeoutMs)
  for (const url of urls) asking.add({ url, weight: { kind: "other", expected: false }, timeoutMs: shortMs })
}

/** The chain that the reader expects is asked for while the account's own place is looked at. */
async function askEarly(context: Context, asking: Asking, question: Question): Promise<void> {
  const primary = question.primary ?? question.lastPrimary
  if (primary === undefined || (question.stores ?? []).length === 0) return
  const lookUp = { primaries: [primary], chains: [] }
  const { marks } = await readLocal(context, lookUp)
  askStores(asking, question, { ...lookUp, marks })
}

function askStores(
  asking: Asking,
  { stores = [], timeoutMs }: Question,
  about: LookUp & { readonly marks: readonly ChainMark[] },
): boolean {
  const { urls, isCut } = storeUrls(stores, about)
  for (const url of urls) asking.add({ url, weight: { kind: "store", expected: true }, timeoutMs, isChosen: true })
  return isCut
}

/** Places that served these chains before. */
function askKnown(asking: Asking, { timeoutMs }: Question, { places }: Local): void {
  for (const { url, kind } of places) asking.add({ url, weight: { kind, expected: true }, timeoutMs })
}

/** More proofs by different keys than stores are asked about: those left out are not checked, and that is no pass. */
const tooMany: Served = {
  source: { name: "other keys", kind: "store", expected: true, outcome: "failed", code: "limit.candidates" },
  evidence: { kind: "chain", source: "other keys", code: "limit.candidates", note: "not asked about: too many proofs" },
  place: undefined,
}

interface Material {
  readonly look: Look
  readonly keys: ProofKeys
  readonly expected: string | undefined
  readonly local: Local
  readonly lookUp: LookUp
  readonly served: readonly Served[]
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
  const isWhole = !served.some(({ source }) => source.expected && source.outcome === "failed")
  if (!published && served.length === 0 && !hasStore(context)) {
    return { verdict, lastProven: undefined, isEarlierKey, isWhole, health }
  }
  const { remember } = await loadRemember()
  const lastProven = await remember(context, {
    verdict,
    served: served.filter(({ source, forkOf }) => wanted.has(forkOf ?? chainOf(source.events ?? []) ?? "")),
    marks: local.marks,
    accountId: look.publication.status === "found" ? look.publication.accountId : undefined,
    published,
  })
  return { verdict, lastProven, isEarlierKey, isWhole, health }
}

/** The key of the last proof is no demand of the reader's: it counts where its chain ended the matter, and nowhere else. */
function decide(question: Question, { look, expected, local, served }: Material, now: number): Verdict {
  const { subject, primary, seen, requireChain, requireFresh } = question
  const facts = {
    ...(subject === undefined ? {} : { subject }),
    publication: look.publication,
    chains: [local.source, ...served.map(({ source }) => source)],
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

/** Where a host that a reference names has its chain. SPEC REF-1, §8 */
function hostUrl({ host, chain }: ProofKeys["hosts"][number]): string {
  return chainUrl(`https://${host}`, chain)
}

/** Chain ids of documents that concern the keys asked for. */
function chainsOf(served: readonly Served[], { primaries, chains }: LookUp): readonly Digest[] {
  return served.flatMap(({ source: { events = [] } }) => {
    const chain = chainOf(events)
    if (chain === undefined) return []
    return chains.includes(chain) || events.some((event) => namesPrimary(event, primaries)) ? [chain] : []
  })
}

function namesPrimary({ payload }: SigchainEvent, primaries: readonly string[]): boolean {
  return (
    primaries.includes(payload.primary) || (payload.op === "rotate" && primaries.includes(payload.payload.new_primary))
  )
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

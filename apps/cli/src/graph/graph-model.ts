/** An identity as a graph: its key and chain, the accounts around it, the devices beyond. Data only; drawings read this. SPEC §5, §6 */
import type { ChainReplay, Code, Device, Digest, Evidence, Flag, Status, SubjectEntry, Verdict } from "@kez/core"
import type { Answer } from "../consult.ts"
import { compareSubjects } from "./account-order.ts"
import { accountBadge, type Badge, centreBadge } from "./graph-badges.ts"

/** What the person typed, canonical. */
export interface Asked {
  readonly kind: "account" | "key" | "chain"
  readonly identity: string
}

export interface GraphInput {
  readonly asked: Asked
  /** The identity's chain; undefined where none is known. */
  readonly replay: ChainReplay | undefined
  /** Until when a signed head confirms the end of `replay`, where this computer knows one. */
  readonly freshUntil?: string | undefined
  /** One for each account that was looked at, in any order. */
  readonly answers: readonly Answer[]
  /** Unix seconds. */
  readonly now: number
}

export interface IdentityGraph {
  readonly asked: Asked
  readonly centre: Centre
  /** First ring, in a fixed order. */
  readonly accounts: readonly Account[]
  /** Second ring: each after the device that added it. */
  readonly devices: readonly GraphDevice[]
  /** Unix seconds. */
  readonly checkedAt: number
}

export interface Centre {
  /** Undefined: no proof named a key. */
  readonly primary: string | undefined
  /** Keys that were the primary before, first to last. */
  readonly previous: readonly string[]
  /** Undefined: no chain is known, so nothing was checked for revocation. */
  readonly chain: GraphChain | undefined
  readonly badge: Badge
}

export interface GraphChain {
  readonly id: Digest
  readonly status: "ok" | "contested" | "fork"
  readonly head: { readonly seq: number; readonly digest: Digest }
  /** Undefined: no signed head confirms that this is its end. */
  readonly freshUntil: string | undefined
}

export interface Account {
  readonly subject: string
  readonly isAsked: boolean
  /** Whether its own place shows a valid proof of the identity in the centre, now. */
  readonly isProven: boolean
  readonly badge: Badge
  /** `unchecked`: nobody looked. */
  readonly status: Status | "unchecked"
  readonly reason: Code | undefined
  readonly flags: readonly Flag[]
  /** Whether the chain lists it as active; undefined: no chain is known. */
  readonly isListed: boolean | undefined
  /** The account's permanent number, by the chain or by the last proof seen here. */
  readonly permanentId: string | undefined
  /** When the claim ends; undefined: it does not, or no claim was seen. */
  readonly expiresAt: string | undefined
  /** The look at its place that says most. */
  readonly evidence: Evidence | undefined
  /** Unix seconds, before this look. */
  readonly lastProven: number | undefined
  readonly retryAfterSeconds: number | undefined
}

export interface GraphDevice {
  readonly key: string
  /** The primary of that time, or a device. */
  readonly addedBy: string
  readonly seq: number
  /** Revoked on a losing branch. */
  readonly isSuspended: boolean
  readonly isAsked: boolean
  /** Place in `devices` of the one that added it; undefined: a primary did, or a device that is gone. */
  readonly parent: number | undefined
  /** 0 for those that hang on the centre. */
  readonly depth: number
}

/** The same input in any order gives the same graph. */
export function buildGraph({ asked, replay, freshUntil, answers, now }: GraphInput): IdentityGraph {
  const own = asked.kind === "account" ? answers.find(({ verdict }) => verdict.subject === asked.identity) : undefined
  const isFork = answers.some(({ verdict }) => verdict.status === "fork" && isOf(verdict, replay))
  const chain =
    replay === undefined ? undefined : chainOf(replay, { isFork, fresh: [freshUntil, ...liveOf(answers, replay)] })
  const askedKey = asked.kind === "key" ? asked.identity : undefined
  const primary = replay?.state.primary ?? own?.verdict.primary ?? own?.lastProven?.primary ?? askedKey
  return {
    asked,
    centre: {
      primary,
      previous: replay?.state.primaries.filter((key) => key !== primary) ?? [],
      chain,
      badge: centreBadge(primary, isFork ? "fork" : chain?.status),
    },
    accounts: accountsOf({ asked, replay, answers }, primary),
    devices: devicesOf(replay?.state.devices ?? [], asked),
    checkedAt: now,
  }
}

/** Whether a verdict speaks of the identity in the centre. */
function isOf({ chain, primary }: Verdict, replay: ChainReplay | undefined): boolean {
  return (
    replay === undefined ||
    chain?.id === replay.chain ||
    (primary !== undefined && replay.everyPrimary.includes(primary))
  )
}

function liveOf(answers: readonly Answer[], replay: ChainReplay): readonly (string | undefined)[] {
  return answers.map(({ verdict: { chain } }) =>
    chain?.id === replay.chain && chain.head.digest === replay.head.digest ? chain.liveUntil : undefined,
  )
}

function chainOf(
  replay: ChainReplay,
  { isFork, fresh }: { readonly isFork: boolean; readonly fresh: readonly (string | undefined)[] },
): GraphChain {
  const status = isFork || replay.status === "fork" ? "fork" : replay.contested ? "contested" : "ok"
  const ends = fresh.filter((time) => time !== undefined).sort()
  return { id: replay.chain, status, head: replay.head, freshUntil: ends.at(-1) }
}

function accountsOf(
  { asked, replay, answers }: Pick<GraphInput, "asked" | "replay" | "answers">,
  primary: string | undefined,
): readonly Account[] {
  const entries = [...(replay?.state.subjects.values() ?? [])].filter(({ status }) => status === "active")
  const bySubject = new Map(entries.map((entry) => [entry.subject, { entry, answer: undefined as Answer | undefined }]))
  const nodes = new Map<string, { entry: SubjectEntry | undefined; answer: Answer | undefined }>(bySubject)
  for (const answer of answers) {
    const { subject } = answer.verdict
    nodes.set(subject, { entry: nodes.get(subject)?.entry, answer })
  }
  return [...nodes]
    .toSorted(([a], [b]) => compareSubjects(a, b))
    .map(([subject, { entry, answer }]) => accountOf({ subject, entry, answer, replay, primary, asked }))
}

interface AccountInput {
  readonly subject: string
  readonly entry: SubjectEntry | undefined
  readonly answer: Answer | undefined
  readonly replay: ChainReplay | undefined
  readonly primary: string | undefined
  readonly asked: Asked
}

function accountOf({ subject, entry, answer, replay, primary, asked }: AccountInput): Account {
  const verdict = answer?.verdict
  // A proof of somebody else's is a good proof, and none of this identity: it must not look like one.
  const isForeign = verdict?.status === "valid" && !isSame(verdict, replay, primary)
  const status = isForeign ? "invalid" : statusOf(verdict)
  const reason = isForeign ? "proof.primary_mismatch" : verdict?.reason
  const flags = verdict?.flags ?? []
  return {
    subject,
    isAsked: asked.kind === "account" && asked.identity === subject,
    isProven: status === "valid" && !flags.includes("unpublished"),
    badge: accountBadge({ status, reason, flags, isForeign }),
    status,
    reason,
    flags,
    isListed: replay === undefined ? undefined : entry !== undefined,
    permanentId: entry?.subjectId ?? answer?.lastProven?.accountId,
    expiresAt: verdict?.claim?.expiresAt,
    evidence: bestEvidence(verdict?.evidence ?? []),
    lastProven: answer?.lastProven?.provenAt,
    retryAfterSeconds: verdict?.retryAfterSeconds,
  }
}

/** A place at which nobody looked is not one that gave no answer. */
function statusOf(verdict: Verdict | undefined): Account["status"] {
  if (verdict === undefined) return "unchecked"
  return verdict.status === "unreachable" && verdict.flags.includes("unpublished") ? "unchecked" : verdict.status
}

function isSame(
  { chain, primary: by }: Verdict,
  replay: ChainReplay | undefined,
  primary: string | undefined,
): boolean {
  if (by === undefined) return false
  if (replay === undefined) return by === primary
  return chain === undefined ? replay.state.primaries.includes(by) : chain.id === replay.chain
}

/** The last look at the account's own place that had an answer, else the last one. */
function bestEvidence(evidence: readonly Evidence[]): Evidence | undefined {
  const places = evidence.filter(({ kind }) => kind === "place")
  return places.findLast(({ sha256 }) => sha256 !== undefined) ?? places.at(-1)
}

/** Depth first, so that each stands after the one that added it. */
function devicesOf(devices: readonly Device[], asked: Asked): readonly GraphDevice[] {
  const keys = new Set(devices.map(({ key }) => key))
  const byAdder = Map.groupBy(devices, ({ addedBy }) => (keys.has(addedBy) ? addedBy : ""))
  const placed: GraphDevice[] = []
  const stack = (byAdder.get("") ?? [])
    .map((device) => ({ device, parent: undefined as number | undefined, depth: 0 }))
    .reverse()
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { device, parent, depth } = next
    const { key, addedBy, seq, suspended } = device
    const place = placed.length
    placed.push({ key, addedBy, seq, isSuspended: suspended, isAsked: key === asked.identity, parent, depth })
    for (const child of (byAdder.get(key) ?? []).toReversed())
      stack.push({ device: child, parent: place, depth: depth + 1 })
  }
  return placed
}

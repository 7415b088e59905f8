/**
 * The states of a conversation from version 0 on, each signed by a device that the one before allows. The group id is the digest of
 * version 0; each later one names its predecessor. SPEC §2.3, `conversation_state`.
 */
import {
  assertSignature,
  canonicalize,
  type Digest,
  decodeEnvelope,
  decodeText,
  type Envelope,
  envelopeDigest,
  formatTime,
  KezError,
  parseJson,
  type Signer,
  signEnvelope,
} from "@kez/core"
import { assertObject, fault } from "@kez/core/schema"
import { type Chains, chainOf, standingAt, standingNow } from "../chains.ts"
import { maxStateEntryBytes, maxStateVersions } from "../limits.ts"
import { assertMayChange, assertMayCreate } from "./authority.ts"
import {
  applyChange,
  digestOfBody,
  parseStateBody,
  parseStateChange,
  type StateBody,
  type StateChange,
  stateFault,
} from "./state-body.ts"

/** One version as it travels: the envelope, and the body of version 0 or what a later one changes. */
export interface StateEntry {
  readonly envelope: Envelope<"conversation_state">
  readonly body?: StateBody
  readonly change?: StateChange
}

export interface StateLog {
  /** Digest of version 0. */
  readonly group: Digest
  readonly entries: readonly StateEntry[]
  /** Digest of the version in force. */
  readonly digest: Digest
  readonly body: StateBody
}

export interface Author {
  readonly chain: Digest
  readonly signer: Signer
  /** Unix seconds. */
  readonly now: number
}

export async function createStateLog(body: StateBody, author: Author): Promise<StateLog> {
  assertMayCreate(body, author.chain)
  const envelope = await signState({ number: 0, state: digestOfBody(body) }, author)
  return firstState({ envelope, body })
}

/** The next version, or the code by which every member would refuse it. */
export async function signNextState(log: StateLog, change: StateChange, author: Author): Promise<StateEntry> {
  const next = applyChange(log.body, change)
  assertMayChange(log.body, next, author.chain)
  const links = { group: log.group, number: log.entries.length, prev: log.digest, state: digestOfBody(next) }
  return { envelope: await signState(links, author), change }
}

/** At which head the author of a version is judged: the one a commit names; undefined for a version of the past. */
export type AuthorHead = (chain: Digest) => Digest | undefined

interface AuthorJudge {
  /** Undefined: what one's own store holds was judged before it was written. */
  readonly chains: Chains | undefined
  readonly head: AuthorHead
}

/** The log with one more version. Throws `chat.state`, `chat.policy` or `chat.credential`. */
export function continueState(log: StateLog, entry: StateEntry, judge: AuthorJudge): StateLog {
  const { number, group, prev, state, chain } = entry.envelope.payload
  if (log.entries.length >= maxStateVersions) {
    throw new KezError("limit.size", `Cannot change the conversation: it has ${maxStateVersions} versions already`, {
      hint: "Begin a new conversation with its members.",
    })
  }
  if (group !== log.group) throw stateFault("it is of another conversation")
  if (number !== log.entries.length || prev !== log.digest) throw stateFault("it does not follow the version in force")
  if (entry.change === undefined) throw stateFault("it does not say what it changes")
  const body = applyChange(log.body, entry.change)
  if (digestOfBody(body) !== state) throw stateFault("its digest is not that of the state it leads to")
  assertMayChange(log.body, body, chain)
  assertAuthor(entry, judge)
  return { ...log, entries: [...log.entries, entry], digest: envelopeDigest(entry.envelope), body }
}

/** The log of a conversation that one is new in. `group` is the group id that the MLS group has. */
export function verifyStateLog(entries: readonly StateEntry[], group: Digest, chains: Chains | undefined): StateLog {
  const [first, ...later] = entries
  if (first === undefined) throw stateFault("it has no version 0")
  const judge = { chains, head: () => undefined }
  const begun = firstState(first)
  if (begun.group !== group) throw stateFault("the group id is not the digest of version 0")
  assertAuthor(first, judge)
  return later.reduce((log, entry) => continueState(log, entry, judge), begun)
}

/** Who made the version that brought somebody in, the last time; undefined: nobody who is a member now. */
export function broughtInBy({ entries }: Pick<StateLog, "entries">, chain: Digest): Digest | undefined {
  let by: Digest | undefined
  for (const { envelope, body, change } of entries) {
    if (change?.remove?.includes(chain) === true) by = undefined
    const named = body?.members ?? change?.set ?? []
    if (named.some((member) => member.chain === chain)) by ??= envelope.payload.chain
  }
  return by
}

/** Who made the version that last changed the name; undefined: it never had one. */
export function namedBy({ entries }: Pick<StateLog, "entries">): Digest | undefined {
  let last: string | undefined
  let by: Digest | undefined
  for (const { envelope, body, change } of entries) {
    const name = body?.name ?? change?.name
    if (name === undefined || name === last) continue
    last = name
    by = envelope.payload.chain
  }
  return by
}

export function encodeStateEntry(entry: StateEntry): string {
  return canonicalize(entry)
}

/** Size, then structure, then signature. Throws the codes of decoding. */
export function decodeStateEntry(bytes: string | Uint8Array): StateEntry {
  const value = parseJson(decodeText(bytes, maxStateEntryBytes))
  assertObject(value, "state")
  const { envelope, body, change, ...rest } = value
  if (envelope === undefined) throw fault("schema.missing_member", "state", "a member envelope")
  if (Object.keys(rest).length > 0) throw fault("schema.unknown_member", "state", "envelope, and body or change")
  if ((body === undefined) === (change === undefined)) throw fault("schema.missing_member", "state", "body or change")
  const read = decodeEnvelope(canonicalize(envelope), "conversation_state")
  assertSignature(read)
  return body === undefined
    ? { envelope: read, change: parseStateChange(change ?? null) }
    : { envelope: read, body: parseStateBody(body) }
}

function firstState(entry: StateEntry): StateLog {
  const { number, state, chain } = entry.envelope.payload
  if (number !== 0 || entry.body === undefined) throw stateFault("version 0 is missing")
  if (digestOfBody(entry.body) !== state) throw stateFault("its digest is not that of its body")
  assertMayCreate(entry.body, chain)
  const digest = envelopeDigest(entry.envelope)
  return { group: digest, entries: [entry], digest, body: entry.body }
}

/** A version of the past needs an author that the chain listed once; a new one an author that it lists at the head. */
function assertAuthor({ envelope }: StateEntry, { chains, head }: AuthorJudge): void {
  if (chains === undefined) return
  const { chain } = envelope.payload
  const device = envelope.signature.key
  const replay = chainOf(chains, chain)
  const named = head(chain)
  const isAuthor =
    named === undefined ? standingNow(replay, device) !== "unknown" : standingAt(replay, named, device) === "current"
  if (!isAuthor) throw stateFault("it is signed by a device that the author's sigchain does not list")
}

type Links = { readonly number: number; readonly state: Digest; readonly group?: Digest; readonly prev?: Digest }

function signState(links: Links, { chain, signer, now }: Author): Promise<Envelope<"conversation_state">> {
  const payload = {
    type: "kez.chat.conversation_state",
    version: 1,
    chain,
    ...links,
    created_at: formatTime(now),
  } as const
  return signEnvelope("conversation_state", payload, signer)
}

/** What a store says beside a chain document: evidence of forks, signed heads, why it refused. All of it may be a lie. SPEC §8 */
import { decodeUtf8, type FetchAnswer } from "@kez/channels"
import {
  type ChainHead,
  type Code,
  codes,
  type Digest,
  decodeEnvelope,
  isDigest,
  type Json,
  type JsonObject,
  KezError,
  limits,
  parseJson,
  type SigchainEvent,
} from "@kez/core"

/** Heads of one answer that are looked at; a store gives the newest first. */
export const maxHeads = 16
/** Chains that a store may name for one primary; one that names more, or something else, names none. SPEC VER-6 */
const maxChains = 4

/** JSONL of events that need not follow each other; lines that are no events are left out. */
export function readLooseEvents(body: Uint8Array): readonly SigchainEvent[] {
  const lines = textOf(body).split("\n", limits.maxKnownEvents)
  return lines.flatMap((line) => tryEnvelope(line, "sigchain_event") ?? [])
}

/** `heads` of the answer of `…/head`, each an envelope or the text of one. */
export function readHeads(body: Uint8Array): readonly ChainHead[] {
  const heads = membersOf(body)?.["heads"]
  if (!Array.isArray(heads)) return []
  return heads.slice(0, maxHeads).flatMap((head: unknown) => {
    const text = typeof head === "string" ? head : JSON.stringify(head)
    return tryEnvelope(text, "chain_head") ?? []
  })
}

/** Why a store refused. */
export interface Problem {
  /** Undefined where it named none that we know. */
  readonly code: Code | undefined
  /** Whether the event was kept all the same; undefined where it does not say. */
  readonly isKept: boolean | undefined
  /** Ids of the chains of a primary that has several; empty where they are not as many as are asked for. */
  readonly chains: readonly Digest[]
}

export function readProblem({ body }: Pick<FetchAnswer, "body">): Problem {
  const members = membersOf(body)
  const code = members?.["code"]
  const chains = members?.["chains"]
  const kept = members?.["kept"]
  return {
    isKept: typeof kept === "boolean" ? kept : undefined,
    code: codes.find((known) => known === code),
    chains: Array.isArray(chains) && chains.length <= maxChains && chains.every(isChainId) ? chains : [],
  }
}

function isChainId(value: unknown): value is Digest {
  return typeof value === "string" && isDigest(value)
}

/** By the strict parser, which bounds the nesting. */
function membersOf(body: Uint8Array): JsonObject | undefined {
  try {
    const value = parseJson(textOf(body))
    return isObject(value) ? value : undefined
  } catch (error) {
    if (error instanceof KezError) return undefined
    throw error
  }
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function textOf(body: Uint8Array): string {
  try {
    return decodeUtf8(body)
  } catch (error) {
    if (error instanceof KezError) return ""
    throw error
  }
}

function tryEnvelope<K extends "sigchain_event" | "chain_head">(text: string, kind: K) {
  try {
    return decodeEnvelope(text, kind)
  } catch (error) {
    if (error instanceof KezError) return undefined
    throw error
  }
}

/** Judging a server's answer about a handle: the statement, its place in the log, and what was seen before. SPEC §7.8. */
import { canonicalize } from "../canonical.ts"
import { type Digest, isDigest } from "../digest.ts"
import { KezError } from "../error.ts"
import { type Json, type JsonObject, parseJson } from "../json.ts"
import { clockSkewSeconds } from "../limits.ts"
import { decodeText, encodeUtf8 } from "../text.ts"
import { parseTime } from "../time.ts"
import { openCheckpoint } from "../tlog/checkpoint.ts"
import { isIncluded } from "../tlog/proof.ts"
import { type ProofText, parseProofText } from "../tlog/proof-text.ts"
import { type DirectoryStatement, decodeLeaf, hashOfStatement } from "./leaf.ts"
import { advance, type DirectoryMemory, keyOf, lastSeen } from "./memory.ts"

/** Of an answer about one handle. */
export const maxLookUpBytes = 16_384

export type HandleState = "registered" | "moved" | "released"

export interface LookUpRequest {
  /** The body of a 200 or a 410. */
  readonly body: string | Uint8Array
  /** Canonical, as asked for. */
  readonly handle: string
  readonly memory: DirectoryMemory
  /** Of the two sizes that `consistencyNeeded` gives; empty where it gives none. */
  readonly consistency: readonly Uint8Array[]
  /** Unix seconds. */
  readonly now: number
}

export interface LookUp {
  readonly state: HandleState
  readonly chain: Digest
  /** Whether the chain agrees is for the chain to say: it has to list `kez:handle@host`, and to know the signer. */
  readonly statement: DirectoryStatement
  /** Of a handle that was moved: `handle@host`, which has to name the same chain. */
  readonly movedTo: string | undefined
  readonly memory: DirectoryMemory
}

/** The sizes between which a consistency proof is needed to judge an answer; undefined: none is. */
export function consistencyNeeded(
  body: string | Uint8Array,
  memory: DirectoryMemory,
): { readonly first: number; readonly second: number } | undefined {
  const { checkpoint } = readAnswer(body).proof
  const second = openCheckpoint(checkpoint, keyOf(memory.host, memory.key)).size
  const first = lastSeen(memory).size
  return first > 0 && first < second ? { first, second } : undefined
}

/**
 * Throws `account.id` and `account.one_sided` for an answer about another handle, `directory.proof` for a statement that is not in the log, the codes of
 * `advance` for a log that contradicts the one seen, `account.changed` for another chain than was seen, `directory.rollback` for an older entry.
 */
export function judgeLookUp({ body, handle, memory, consistency, now }: LookUpRequest): LookUp {
  const { members, statement, proof } = readAnswer(body)
  const { host } = memory
  if (members["handle"] !== handle || members["host"] !== host) {
    throw new KezError("account.id", `Cannot use the answer: it is not about ${handle}@${host}`)
  }
  const { payload } = statement
  const state = stateOf(statement, { handle, host })
  if (parseTime(payload.created_at) > now + clockSkewSeconds) {
    throw new KezError("time.future", `Cannot use the answer: its statement is dated ${payload.created_at}`)
  }
  const checkpoint = openCheckpoint(proof.checkpoint, keyOf(host, memory.key))
  if (!isIncluded({ ...checkpoint, index: proof.index, leaf: hashOfStatement(statement), path: proof.path })) {
    throw new KezError("directory.proof", `Cannot use the answer: its statement is not in the log of ${host}`)
  }
  const grown = advance(memory, { checkpoint: proof.checkpoint, consistency })
  const { chain } = payload
  if (!isDigest(chain)) throw new Error("unreachable: the schema of a statement has a digest here")
  assertSameOwner(memory, { handle, chain, index: proof.index })
  return {
    state,
    chain,
    statement,
    movedTo: payload.type === "kez.chat.handle_move" ? `${payload.new_handle}@${payload.new_host}` : undefined,
    memory: { ...grown, handles: { ...grown.handles, [handle]: { chain, index: proof.index } } },
  }
}

interface Answer {
  readonly members: JsonObject
  readonly statement: DirectoryStatement
  readonly proof: ProofText
}

function readAnswer(body: string | Uint8Array): Answer {
  const members = parseJson(decodeText(body, maxLookUpBytes))
  if (!isObject(members)) throw new KezError("schema.type", "Cannot read the answer: expected an object")
  const { registration, statement = registration, proof } = members
  if (statement === undefined || proof === undefined) {
    throw new KezError("schema.missing_member", "Cannot read the answer: expected a statement and its proof")
  }
  if (!Array.isArray(proof) || !proof.every((line) => typeof line === "string")) {
    throw new KezError("schema.type", "Cannot read the answer: expected a proof as a list of lines")
  }
  return {
    members,
    statement: decodeLeaf(encodeUtf8(canonicalize(statement))),
    proof: parseProofText(proof.map((line) => `${line}\n`).join("")),
  }
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function stateOf(
  { payload }: DirectoryStatement,
  asked: { readonly handle: string; readonly host: string },
): HandleState {
  if (payload.handle !== asked.handle || payload.host !== asked.host) {
    throw new KezError(
      "account.one_sided",
      `Cannot use the answer: its owner signed for ${payload.handle}@${payload.host}`,
    )
  }
  switch (payload.type) {
    case "kez.chat.handle_registration":
      return "registered"
    case "kez.chat.handle_move":
      return "moved"
    case "kez.chat.handle_release":
      return "released"
  }
}

/** A handle is never given to another chain, so that another one is a lie, or a server that breaks its own rule. [H11] */
function assertSameOwner(
  { host, handles }: DirectoryMemory,
  found: { readonly handle: string; readonly chain: Digest; readonly index: number },
): void {
  const seen = Object.hasOwn(handles, found.handle) ? handles[found.handle] : undefined
  if (seen === undefined) return
  if (seen.chain !== found.chain) {
    throw new KezError("account.changed", `Cannot trust ${found.handle}@${host}: it belonged to another chain`, {
      hint: "A handle is never given to somebody else. Ask its owner by another way before you write anything.",
    })
  }
  if (found.index < seen.index) {
    throw new KezError(
      "directory.rollback",
      `Cannot use the answer: ${host} shows an older entry of ${found.handle} than before`,
    )
  }
}

/** Finds every valid event of a chain, branch by branch, with one working state. SPEC §5.4 and §5.5. */
import type { Code } from "../codes.ts"
import type { Digest } from "../digest.ts"
import { KezError } from "../error.ts"
import { maxKnownEvents } from "../limits.ts"
import { type Authority, applyEvent, revokedBy } from "./apply.ts"
import type { EventGraph, EventNode } from "./graph.ts"
import { assertContinues } from "./link.ts"
import { type KeyLine, WorkingState } from "./state.ts"

/** An event that is valid in the state after its parent. */
export interface ValidEvent extends EventNode {
  readonly parent: ValidEvent | undefined
  readonly authority: Authority
  /** Its signer, and who added that. */
  readonly signer: KeyLine
  /** Keys that it burned, if it is a `revoke_device`. */
  readonly revokedKeys: readonly string[]
  /** The primary and the commitment after it: by these the ranks of its successors are judged. */
  readonly primary: string
  readonly next: Digest | undefined
  /** Valid successors, sorted by digest. */
  readonly successors: ValidEvent[]
}

export interface Refusal {
  readonly digest: Digest
  readonly seq: number
  readonly code: Code
}

export interface Walk {
  readonly root: ValidEvent | undefined
  readonly refused: readonly Refusal[]
  /** Digests of all valid events, those of losing branches included. Grows when the walk is carried on. */
  readonly valid: Set<Digest>
  /** Every primary of any branch, in order of discovery. */
  readonly primaries: readonly string[]
  /** Whether any event has two valid successors. */
  readonly splits: boolean
  /** The valid event that was found last: the end of the chain, when nothing splits. */
  readonly last: ValidEvent | undefined
  /** The state after `last`, when nothing splits and no branch had to be left. */
  readonly state: WorkingState | undefined
}

const none: readonly string[] = []

interface Frame {
  readonly node: ValidEvent
  readonly mark: number
  readonly candidates: readonly EventNode[]
  tried: number
}

/**
 * Depth first, without recursion: an attacker chooses the depth. Throws `limit.chain` above 20,000 valid events; others do
 * not count, or whoever can serve garbage could silence a chain. [CHAIN-18]
 */
export function walkChain(graph: EventGraph, genesis: EventNode): Walk {
  const state = new WorkingState(genesis.event.payload.primary)
  const refused: Refusal[] = []
  const valid = new Set<Digest>()
  const primaries = new Set<string>()
  const frames: Frame[] = []
  let pending = 0
  const root = enter(genesis, undefined)
  let last = root
  let splits = false
  let atLast = true
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const candidate = frame.candidates[frame.tried++]
    if (candidate === undefined) {
      // At the end of the only branch the state is wanted as it is.
      if (pending === 0 && !splits) break
      frames.pop()
      state.rollback(frame.mark)
      atLast = false
      continue
    }
    pending--
    const entered = enter(candidate, frame.node)
    if (entered === undefined) continue
    frame.node.successors.push(entered)
    splits ||= frame.node.successors.length > 1
    last = entered
  }
  return { root, refused, valid, primaries: [...primaries], splits, last, state: splits || !atLast ? undefined : state }

  function enter(node: EventNode, parent: ValidEvent | undefined): ValidEvent | undefined {
    const mark = state.mark()
    try {
      const applied = tryApply(state, node, parent)
      admit(valid, node.digest)
      primaries.add(applied.primary)
      const candidates = graph.successors(node.digest)
      pending += candidates.length
      frames.push({ node: applied, mark, candidates, tried: 0 })
      return applied
    } catch (error) {
      if (!(error instanceof KezError) || valid.size > maxKnownEvents) throw error
      refused.push({ digest: node.digest, seq: node.seq, code: error.code })
      return undefined
    }
  }
}

/** Counts a valid event. Throws `limit.chain` for the 20,001st. */
export function admit(valid: Set<Digest>, digest: Digest): void {
  valid.add(digest)
  if (valid.size <= maxKnownEvents) return
  throw new KezError("limit.chain", `Cannot unite the chain: expected at most ${maxKnownEvents} valid events`)
}

/** Applies a node in the state after `parent`, or throws and leaves the state as it was. */
export function tryApply(state: WorkingState, node: EventNode, parent: ValidEvent | undefined): ValidEvent {
  const { payload, signature } = node.event
  if (parent !== undefined) assertContinues(parent, payload)
  const revokedKeys =
    payload.op === "revoke_device" ? revokedBy(state, payload.payload.keys, payload.payload.keep ?? []) : none
  const authority = applyEvent(state, node.event)
  const signer = state.lineOf(signature.key)
  return { ...node, parent, authority, signer, revokedKeys, primary: state.primary, next: state.next, successors: [] }
}

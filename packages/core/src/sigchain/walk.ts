/** Finds every valid event of a chain, branch by branch, with one working state. SPEC §5.4 and §5.5. */
import type { Code } from "../codes.ts"
import type { Digest } from "../digest.ts"
import { KezError } from "../error.ts"
import { type Authority, applyEvent, revokedBy } from "./apply.ts"
import type { EventGraph, EventNode } from "./graph.ts"
import { assertContinues } from "./link.ts"
import { WorkingState } from "./state.ts"

/** An event that is valid in the state after its parent. */
export interface ValidEvent extends EventNode {
  readonly parent: ValidEvent | undefined
  readonly authority: Authority
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
  /** Whether any event has two valid successors. */
  readonly splits: boolean
  /** The valid event that was found last: the end of the chain, when nothing splits. */
  readonly last: ValidEvent | undefined
  /** The state after `last`, when nothing splits and no branch had to be left. */
  readonly state: WorkingState | undefined
}

interface Frame {
  readonly node: ValidEvent
  readonly mark: number
  readonly untried: EventNode[]
}

/** Depth first, without recursion: an attacker chooses the depth. */
export function walkChain(graph: EventGraph, genesis: EventNode): Walk {
  const state = new WorkingState(genesis.event.payload.primary)
  const refused: Refusal[] = []
  const frames: Frame[] = []
  let pending = 0
  const root = enter(genesis, undefined)
  let last = root
  let splits = false
  let atLast = true
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const candidate = frame.untried.pop()
    if (candidate === undefined) {
      // At the end of the only branch the state is wanted as it is.
      if (pending === 0 && !splits) break
      frames.pop()
      state.rollback(frame.mark)
      atLast = false
      continue
    }
    pending--
    const valid = enter(candidate, frame.node)
    if (valid === undefined) continue
    frame.node.successors.unshift(valid)
    splits ||= frame.node.successors.length > 1
    last = valid
  }
  return { root, refused, splits, last, state: splits || !atLast ? undefined : state }

  function enter(node: EventNode, parent: ValidEvent | undefined): ValidEvent | undefined {
    const mark = state.mark()
    try {
      const valid = tryApply(state, node, parent)
      const untried = [...graph.successors(node.digest)]
      pending += untried.length
      frames.push({ node: valid, mark, untried })
      return valid
    } catch (error) {
      if (!(error instanceof KezError)) throw error
      refused.push({ digest: node.digest, seq: node.seq, code: error.code })
      return undefined
    }
  }
}

/** Applies a node in the state after `parent`, or throws and leaves the state as it was. */
export function tryApply(state: WorkingState, node: EventNode, parent: ValidEvent | undefined): ValidEvent {
  const { payload } = node.event
  if (parent !== undefined) assertContinues(parent, payload)
  const revokedKeys =
    payload.op === "revoke_device" ? revokedBy(state, payload.payload.keys, payload.payload.keep ?? []) : []
  const authority = applyEvent(state, node.event)
  return { ...node, parent, authority, revokedKeys, primary: state.primary, next: state.next, successors: [] }
}

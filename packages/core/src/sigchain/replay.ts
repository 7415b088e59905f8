/** From a set of events to the state of a chain. SPEC §5.5 to §5.7. */
import type { Digest } from "../digest.ts"
import { acceptEnvelope, type SigchainEvent } from "../envelope/envelope.ts"
import { KezError } from "../error.ts"
import { applyEvent } from "./apply.ts"
import { choosePath } from "./fork.ts"
import { EventGraph, type EventNode } from "./graph.ts"
import { assertContinues, type ChainPosition } from "./link.ts"
import { type ChainReplay, pathTo, Result, type Session, stateAfter } from "./result.ts"
import { WorkingState } from "./state.ts"
import { admit, tryApply, type ValidEvent, type Walk, walkChain } from "./walk.ts"

export interface ReplayOptions {
  /** Chain id. Needed when the events have more than one event 0. */
  readonly chain?: Digest
  /** The result of an earlier replay: its events count too, and nothing of it is verified again. It stays as it is. */
  readonly previous?: ChainReplay
}

/**
 * The state that all these events together define; their order decides nothing. Events that are not valid have no effect and
 * are listed in `refused`. Throws `chain.genesis` when no event 0 (of `chain`) is among them or it is not valid,
 * `chain.fork` for more than one event 0 without `chain`, `limit.chain` above 20,000 valid events.
 */
export function replayChain(events: Iterable<SigchainEvent>, options: ReplayOptions = {}): ChainReplay {
  const { previous, chain = previous?.chain } = options
  const session = previous === undefined ? undefined : Result.sessionOf(previous)
  const graph = graphOf(previous, session)
  const added: EventNode[] = []
  for (const event of events) {
    const node = graph.add(event)
    if (node !== undefined) added.push(node)
  }
  if (previous !== undefined && session?.linear !== undefined && chain === previous.chain) {
    const { linear } = session
    // The working state moves on with the new result.
    session.linear = undefined
    const carried = carryOn(graph, linear, added)
    if (carried !== undefined) return finish(graph, carried)
  }
  return finish(graph, walkChain(graph, genesisOf(graph, chain)))
}

/**
 * Why an event is not valid where it stands in a chain, or as event 0 of a new one: the fault that a replay would find, without one,
 * and without a trace in `chain`. Undefined: it is valid there. Where its predecessor is not known it is compared with the end.
 */
export function faultOfEvent(received: SigchainEvent, chain?: ChainReplay): KezError | undefined {
  const event = acceptEnvelope(received, "sigchain_event")
  const { primary, prev = "" } = event.payload
  const linear = chain === undefined ? undefined : Result.sessionOf(chain)?.linear
  const known = linear?.last?.digest === prev ? linear.state : undefined
  const state = known ?? (chain === undefined ? new WorkingState(primary) : stateAt(chain, prev))
  const mark = state?.mark()
  try {
    if (chain !== undefined) assertContinues(positionOf(chain, prev) ?? chain.head, event.payload)
    if (state !== undefined) applyEvent(state, event)
    if (mark !== undefined) state?.rollback(mark)
    return undefined
  } catch (error) {
    if (error instanceof KezError) return error
    throw error
  }
}

function positionOf(chain: ChainReplay, digest: Digest): ChainPosition | undefined {
  return chain.knows(digest) ? Result.sessionOf(chain)?.graph.get(digest) : undefined
}

/** The state after a valid event: its ancestors are valid, and are not judged again. */
function stateAt(chain: ChainReplay, digest: Digest): WorkingState | undefined {
  const graph = chain.knows(digest) ? Result.sessionOf(chain)?.graph : undefined
  const events: SigchainEvent[] = []
  for (let node = graph?.get(digest); node !== undefined; node = graph?.get(node.event.payload.prev ?? "")) {
    events.push(node.event)
  }
  return events.length === 0 ? undefined : stateAfter(events.reverse())
}

/** A graph with the events of an earlier result, no others: its own one, if no later result has added to it. */
function graphOf(previous: ChainReplay | undefined, session: Session | undefined): EventGraph {
  if (session !== undefined) {
    return session.graph.size === session.size ? session.graph : session.graph.prefix(session.size)
  }
  const graph = new EventGraph()
  for (const event of previous?.path ?? []) graph.add(event)
  return graph
}

/** Events by chain id, ids in sorted order; events that lead back to no event 0 are left out. */
export function groupByChain(events: Iterable<SigchainEvent>): ReadonlyMap<Digest, readonly SigchainEvent[]> {
  const graph = new EventGraph()
  for (const event of events) graph.add(event)
  return new Map(graph.geneses.map((genesis) => [genesis.digest, [...descendants(graph, genesis)]]))
}

/** Chain ids of all events 0 among the events, sorted. */
export function listChains(events: Iterable<SigchainEvent>): readonly Digest[] {
  return [...groupByChain(events).keys()]
}

function* descendants(graph: EventGraph, root: EventNode): Generator<SigchainEvent> {
  const stack = [root]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    yield node.event
    for (const successor of graph.successors(node.digest)) stack.push(successor)
  }
}

/**
 * The chain as one branch of a fork sees it: the events that lead to `digest`, and those that descend from it.
 * Throws `chain.unknown` when the event is not known.
 */
export function branchOf(replay: ChainReplay, digest: Digest): ChainReplay {
  const session = Result.sessionOf(replay)
  const graph = session?.graph.prefix(session.size) ?? new EventGraph()
  const start = graph.get(digest)
  if (start === undefined) {
    throw new KezError("chain.unknown", "Cannot follow the branch: the chain has no such event")
  }
  const events = [...descendants(graph, start)]
  for (let node: EventNode | undefined = start; node !== undefined; ) {
    events.push(node.event)
    const prev: Digest | undefined = node.event.payload.prev
    node = prev === undefined ? undefined : graph.get(prev)
  }
  return replayChain(events, { chain: replay.chain })
}

function genesisOf(graph: EventGraph, chain: Digest | undefined): EventNode {
  const wanted = chain === undefined ? graph.geneses : graph.geneses.filter((node) => node.digest === chain)
  const [genesis, ...others] = wanted
  if (genesis === undefined)
    throw new KezError("chain.genesis", "Cannot replay the chain: event 0 is not among the events")
  if (others.length === 0) return genesis
  throw new KezError("chain.fork", "Cannot replay the chain: there is more than one event 0", {
    hint: "Name the chain by its id.",
  })
}

/** Extends a chain that never split by events that follow its end one by one; undefined when that is not so. */
function carryOn(graph: EventGraph, walk: Walk, added: readonly EventNode[]): Walk | undefined {
  let { last, primaries } = walk
  if (last === undefined || walk.state === undefined) return undefined
  for (const node of added.toSorted((a, b) => a.seq - b.seq)) {
    const [only, ...others] = graph.successors(last.digest)
    if (only !== node || others.length > 0) return undefined
    try {
      const applied: ValidEvent = tryApply(walk.state, node, last)
      admit(walk.valid, node.digest)
      last.successors.push(applied)
      if (applied.primary !== last.primary) primaries = [...primaries, applied.primary]
      last = applied
    } catch (error) {
      if (error instanceof KezError) return undefined
      throw error
    }
  }
  return graph.successors(last.digest).length > 0 ? undefined : { ...walk, last, primaries }
}

function finish(graph: EventGraph, walk: Walk): ChainReplay {
  const { root, last } = walk
  if (root === undefined || last === undefined) {
    throw new KezError("chain.genesis", `Cannot replay the chain: event 0 is not valid (${walk.refused[0]?.code})`)
  }
  const session = { graph, size: graph.size }
  if (!walk.splits) {
    const linear = walk.state === undefined ? withState(walk, last) : walk
    return new Result({ ...session, linear }, { root, last, walk, path: undefined })
  }
  const path = choosePath(root)
  return new Result({ ...session, linear: undefined }, { root, last: path.events.at(-1) ?? root, walk, path })
}

/** For a walk that had to leave a branch, so that it can be carried on as well. */
function withState(walk: Walk, last: ValidEvent): Walk {
  return { ...walk, state: stateAfter(pathTo(last).map(({ event }) => event)) }
}

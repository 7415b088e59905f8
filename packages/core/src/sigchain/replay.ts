/** From a set of events to the state of a chain. SPEC §5.5 to §5.7. */
import type { Digest } from "../digest.ts"
import { acceptEnvelope, type SigchainEvent } from "../envelope/envelope.ts"
import { KezError } from "../error.ts"
import { applyEvent, reapplyEvent } from "./apply.ts"
import { choosePath, type Path, type Split } from "./fork.ts"
import { EventGraph, type EventNode } from "./graph.ts"
import { assertContinues, type ChainPosition } from "./link.ts"
import { type DeviceEntry, type SharedFiles, type SubjectEntry, WorkingState } from "./state.ts"
import { type Sticky, stickyRevocations } from "./sticky.ts"
import { admit, type Refusal, tryApply, type ValidEvent, type Walk, walkChain } from "./walk.ts"

export interface Device extends DeviceEntry {
  /** Revoked on a losing branch: listed, but its signatures for use now are not accepted. [FORK-7] */
  readonly suspended: boolean
}

export interface ChainState {
  readonly primary: string
  /** Every primary the path ever had, first to last. */
  readonly primaries: readonly string[]
  /** The commitment to the next primary, if one is in force. */
  readonly next: Digest | undefined
  /** Active devices, oldest first. */
  readonly devices: readonly Device[]
  /** Every subject the path ever named; stickily revoked ones count as revoked. */
  readonly subjects: ReadonlyMap<string, SubjectEntry>
  readonly sharedFiles: SharedFiles | undefined
}

export interface ChainReplay {
  /** Chain id: digest of event 0. [CHAIN-2] */
  readonly chain: Digest
  /** `fork`: the state is that of the common prefix, up to a split that nothing decides. */
  readonly status: "ok" | "fork"
  /** Whether its rules had to decide a fork. */
  readonly contested: boolean
  /** The last event of the winning path. */
  readonly head: ChainPosition
  /** The winning path, from event 0. */
  readonly path: readonly SigchainEvent[]
  /** Digests of `path`. */
  readonly digests: readonly Digest[]
  readonly state: ChainState
  readonly splits: readonly Split[]
  /** Events that are not valid where they stand. */
  readonly refused: readonly Refusal[]
  /** Every primary of any branch: by these a chain is found, whichever branch wins. */
  readonly everyPrimary: readonly string[]
  /** Whether a valid event is known, on the winning path or off it. */
  knows(digest: Digest): boolean
}

export interface ReplayOptions {
  /** Chain id. Needed when the events have more than one event 0. */
  readonly chain?: Digest
  /** The result of an earlier replay: its events count too, and nothing of it is verified again. It stays as it is. */
  readonly previous?: ChainReplay
}

interface Session {
  readonly graph: EventGraph
  /** How many events of the graph the result knows: a later one may have added others. */
  readonly size: number
  /** The walk of a chain that never split, with the working state at its end: it can be carried on. */
  readonly linear: Walk | undefined
}

const sessions = new WeakMap<ChainReplay, Session>()

/**
 * The state that all these events together define; their order decides nothing. Events that are not valid have no effect and
 * are listed in `refused`. Throws `chain.genesis` when no event 0 (of `chain`) is among them or it is not valid,
 * `chain.fork` for more than one event 0 without `chain`, `limit.chain` above 20,000 valid events.
 */
export function replayChain(events: Iterable<SigchainEvent>, options: ReplayOptions = {}): ChainReplay {
  const { previous, chain = previous?.chain } = options
  const session = previous === undefined ? undefined : sessions.get(previous)
  const graph = graphOf(previous, session)
  const added: EventNode[] = []
  for (const event of events) {
    const node = graph.add(event)
    if (node !== undefined) added.push(node)
  }
  if (previous !== undefined && session?.linear !== undefined && chain === previous.chain) {
    // The working state moves on with the new result.
    sessions.set(previous, { ...session, linear: undefined })
    const carried = carryOn(graph, session.linear, added)
    if (carried !== undefined) return finish(graph, carried, previous)
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
  const linear = chain === undefined ? undefined : sessions.get(chain)?.linear
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
  return chain.knows(digest) ? sessions.get(chain)?.graph.get(digest) : undefined
}

/** The state after a valid event: its ancestors are valid, and are not judged again. */
function stateAt(chain: ChainReplay, digest: Digest): WorkingState | undefined {
  const graph = chain.knows(digest) ? sessions.get(chain)?.graph : undefined
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
  const session = sessions.get(replay)
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

function finish(graph: EventGraph, walk: Walk, previous?: ChainReplay): ChainReplay {
  const { root, last } = walk
  const { size } = graph
  if (root === undefined || last === undefined) {
    throw new KezError("chain.genesis", `Cannot replay the chain: event 0 is not valid (${walk.refused[0]?.code})`)
  }
  const path = walk.splits ? choosePath(root) : linearPath(last, previous)
  const state = walk.state ?? stateAfter(path.events.map(({ event }) => event))
  const head = walk.splits ? (path.events.at(-1) ?? root) : last
  const sticky = walk.splits ? stickyRevocations(root, path.events, state) : noSticky
  const replay: ChainReplay = {
    chain: root.digest,
    status: path.status,
    contested: path.splits.some((split) => split.winner !== undefined),
    head: { seq: head.seq, digest: head.digest },
    path: joined(previous?.path, path.events, (event) => event.event),
    digests: joined(previous?.digests, path.events, (event) => event.digest),
    state: snapshot(state, sticky),
    splits: path.splits,
    refused: walk.refused,
    everyPrimary: walk.primaries,
    knows: (digest) => walk.valid.has(digest) && (graph.get(digest)?.order ?? size) < size,
  }
  sessions.set(replay, { graph, size, linear: walk.splits ? undefined : { ...walk, state } })
  return replay
}

const noSticky: Sticky = { subjects: new Set(), devices: new Set() }

/** The events after `previous`, or all of them, of a walk without splits. */
function linearPath(last: ValidEvent, previous: ChainReplay | undefined): Path {
  const events: ValidEvent[] = []
  for (let event: ValidEvent | undefined = last; event !== undefined; event = event.parent) {
    if (event.digest === previous?.head.digest) break
    events.push(event)
  }
  return { events: events.reverse(), splits: [], status: "ok" }
}

function joined<T>(
  before: readonly T[] | undefined,
  events: readonly ValidEvent[],
  pick: (event: ValidEvent) => T,
): readonly T[] {
  return [...(before ?? []), ...events.map(pick)]
}

/** The state at the end of a path whose events are known to be valid. */
function stateAfter(events: readonly SigchainEvent[]): WorkingState {
  const state = new WorkingState(events[0]?.payload.primary ?? "")
  for (const event of events) reapplyEvent(state, event)
  return state
}

function snapshot(state: WorkingState, sticky: Sticky): ChainState {
  const subjects = new Map<string, SubjectEntry>()
  for (const entry of [...state.subjects.values()].toSorted((a, b) => a.seq - b.seq)) subjects.set(entry.subject, entry)
  for (const subject of sticky.subjects) {
    const entry = subjects.get(subject) ?? { subject, seq: -1 }
    subjects.set(subject, { ...entry, status: "revoked", everRevoked: true })
  }
  const devices = [...state.devices.values()].toSorted((a, b) => a.seq - b.seq)
  return {
    primary: state.primary,
    primaries: [...state.primaries.keys()],
    next: state.next,
    devices: devices.map((device) => ({ ...device, suspended: sticky.devices.has(device.key) })),
    subjects,
    sharedFiles: state.sharedFiles,
  }
}

/**
 * What a replay comes to. Of a chain that grows event by event most results are never looked at as a whole: path, digests and state of a
 * chain that did not split are put together when somebody asks. SPEC §5.5.
 */
import type { Digest } from "../digest.ts"
import type { SigchainEvent } from "../envelope/envelope.ts"
import { reapplyEvent, revokedBy } from "./apply.ts"
import type { Operations } from "./event.ts"
import type { Path, Split } from "./fork.ts"
import type { EventGraph } from "./graph.ts"
import type { ChainPosition } from "./link.ts"
import { type DeviceEntry, type SharedFiles, type SubjectEntry, WorkingState } from "./state.ts"
import { type Sticky, stickyRevocations } from "./sticky.ts"
import type { Refusal, ValidEvent, Walk } from "./walk.ts"

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
  /** Digests of the revocations off the path that are in force, for nothing lifts them. [FORK-6] */
  readonly stickyRevocations: ReadonlySet<Digest>
}

/** What has its say back once revocations on losing branches are in force no more. */
export interface Lifted {
  /** Devices that are suspended no more, oldest first. */
  readonly devices: readonly string[]
  /** Subjects that are revoked no more, sorted. Some of them may never have been on the winning path. */
  readonly subjects: readonly string[]
}

/** A copy by spread lacks what is worked out when asked for: `path`, `digests`, `state`, and the functions. */
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
  /** Whether a valid event stands on a branch of the split that nothing decides. */
  isUndecided(digest: Digest): boolean
  /** What a `revoke_device` by the primary, at the end of the path, would lift. One by a device lifts nothing. [FORK-6] */
  liftedBy(revocation: Operations["revoke_device"]): Lifted
}

export interface Session {
  readonly graph: EventGraph
  /** How many events of the graph the result knows: a later one may have added others. */
  readonly size: number
  /** The walk of a chain that never split, with the working state at its end. Undefined once a later result has carried it on. */
  linear: Walk | undefined
}

/** What is looked at seldom. */
type Details = Pick<ChainState, "primaries" | "devices" | "subjects" | "sharedFiles" | "stickyRevocations">

export interface Found {
  readonly root: ValidEvent
  /** The end of the path. */
  readonly last: ValidEvent
  readonly walk: Walk
  /** Of a chain that split. */
  readonly path: Path | undefined
}

/** A class for its getters: an object with getters of its own would cost more than what they save. */
export class Result implements ChainReplay {
  readonly chain: Digest
  readonly status: "ok" | "fork"
  readonly contested: boolean
  readonly head: ChainPosition
  readonly splits: readonly Split[]
  readonly refused: readonly Refusal[]
  readonly everyPrimary: readonly string[]
  readonly #session: Session
  readonly #valid: ReadonlySet<Digest>
  readonly #last: ValidEvent
  readonly #root: ValidEvent
  readonly #events: readonly ValidEvent[] | undefined
  #path: readonly SigchainEvent[] | undefined
  #digests: readonly Digest[] | undefined
  #state: ChainState | undefined

  constructor(session: Session, { root, last, walk, path }: Found) {
    this.chain = root.digest
    this.status = path?.status ?? "ok"
    this.splits = path?.splits ?? none
    this.contested = this.splits.some((split) => split.winner !== undefined)
    this.head = { seq: last.seq, digest: last.digest }
    this.refused = walk.refused
    this.everyPrimary = walk.primaries
    this.#session = session
    this.#valid = walk.valid
    this.#last = last
    this.#root = root
    this.#events = path?.events
  }

  /** What a later replay goes on from; undefined for a result that was not made here. */
  static sessionOf(replay: ChainReplay): Session | undefined {
    return #session in replay ? replay.#session : undefined
  }

  get path(): readonly SigchainEvent[] {
    this.#path ??= this.#validEvents().map(({ event }) => event)
    return this.#path
  }

  get digests(): readonly Digest[] {
    this.#digests ??= this.#validEvents().map(({ digest }) => digest)
    return this.#digests
  }

  get state(): ChainState {
    this.#state ??= new StateAtEnd(this.#last, () => this.#details())
    return this.#state
  }

  knows(digest: Digest): boolean {
    const { graph, size } = this.#session
    return this.#valid.has(digest) && (graph.get(digest)?.order ?? size) < size
  }

  isUndecided(digest: Digest): boolean {
    return this.status === "fork" && this.knows(digest) && this.#isAbove(this.head.digest, digest)
  }

  liftedBy({ keys, keep = [] }: Operations["revoke_device"]): Lifted {
    if (this.#events === undefined) return { devices: [], subjects: [] }
    const state = stateAfter(this.path)
    const revoked = revokedBy(state, keys, keep)
    for (const key of revoked) state.burn(key, this.head.seq + 1)
    const after = snapshot(state, stickyRevocations(this.#root, this.#events, state, revoked))
    const { devices, subjects } = this.state
    const isSuspended = new Map(after.devices.map(({ key, suspended }) => [key, suspended]))
    return {
      devices: devices
        .filter(({ key, suspended }) => suspended && isSuspended.get(key) === false)
        .map(({ key }) => key),
      subjects: [...subjects.values()]
        .filter(({ subject, status }) => status === "revoked" && after.subjects.get(subject)?.status !== "revoked")
        .map(({ subject }) => subject)
        .toSorted(),
    }
  }

  /** Whether `below` descends from `digest`. */
  #isAbove(digest: Digest, below: Digest): boolean {
    const { graph } = this.#session
    let prev = graph.get(below)?.event.payload.prev
    while (prev !== undefined && prev !== digest) prev = graph.get(prev)?.event.payload.prev
    return prev === digest
  }

  #validEvents(): readonly ValidEvent[] {
    return this.#events ?? pathTo(this.#last)
  }

  #details(): Details {
    // Where a later result has moved the working state on, it is built again.
    const state = this.#session.linear?.state ?? stateAfter(this.path)
    const sticky = this.#events === undefined ? noSticky : stickyRevocations(this.#root, this.#events, state)
    return snapshot(state, sticky)
  }
}

class StateAtEnd implements ChainState {
  readonly primary: string
  readonly next: Digest | undefined
  readonly #look: () => Details
  #details: Details | undefined

  constructor({ primary, next }: ValidEvent, look: () => Details) {
    this.primary = primary
    this.next = next
    this.#look = look
  }

  get primaries(): readonly string[] {
    return this.#known().primaries
  }
  get devices(): readonly Device[] {
    return this.#known().devices
  }
  get subjects(): ReadonlyMap<string, SubjectEntry> {
    return this.#known().subjects
  }
  get sharedFiles(): SharedFiles | undefined {
    return this.#known().sharedFiles
  }
  get stickyRevocations(): ReadonlySet<Digest> {
    return this.#known().stickyRevocations
  }

  #known(): Details {
    this.#details ??= this.#look()
    return this.#details
  }
}

const none: readonly Split[] = []
const noSticky: Sticky = { revocations: new Set(), subjects: new Set(), devices: new Set() }

/** The events from event 0 to this one. */
export function pathTo(last: ValidEvent): readonly ValidEvent[] {
  const events: ValidEvent[] = []
  for (let event: ValidEvent | undefined = last; event !== undefined; event = event.parent) events.push(event)
  return events.reverse()
}

/** The state at the end of a path whose events are known to be valid. */
export function stateAfter(events: readonly SigchainEvent[]): WorkingState {
  const state = new WorkingState(events[0]?.payload.primary ?? "")
  for (const event of events) reapplyEvent(state, event)
  return state
}

function snapshot(state: WorkingState, sticky: Sticky): Details {
  const subjects = new Map<string, SubjectEntry>()
  for (const entry of [...state.subjects.values()].toSorted((a, b) => a.seq - b.seq)) subjects.set(entry.subject, entry)
  for (const subject of sticky.subjects) {
    const entry = subjects.get(subject) ?? { subject, seq: -1 }
    subjects.set(subject, { ...entry, status: "revoked", everRevoked: true })
  }
  const devices = [...state.devices.values()].toSorted((a, b) => a.seq - b.seq)
  return {
    primaries: [...state.primaries.keys()],
    devices: devices.map((device) => ({ ...device, suspended: sticky.devices.has(device.key) })),
    subjects,
    sharedFiles: state.sharedFiles,
    stickyRevocations: sticky.revocations,
  }
}

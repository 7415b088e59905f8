/** All known events of one chain or more, linked by `prev`: a set, without regard to where or when they came from. SPEC §5.5. */
import type { Digest } from "../digest.ts"
import { acceptEnvelope, envelopeDigest, type SigchainEvent } from "../envelope/envelope.ts"

export interface EventNode {
  readonly event: SigchainEvent
  readonly digest: Digest
  readonly seq: number
  /** How many events the graph knew before it. */
  readonly order: number
}

export class EventGraph {
  readonly #nodes = new Map<Digest, EventNode>()
  readonly #successors = new Map<Digest, EventNode[]>()
  readonly #geneses: EventNode[] = []

  /** Adds an event; returns its node, or undefined when it was known. */
  add(received: SigchainEvent): EventNode | undefined {
    const event = acceptEnvelope(received, "sigchain_event")
    const digest = envelopeDigest(event)
    if (this.#nodes.has(digest)) return undefined
    const node = { event, digest, seq: event.payload.seq, order: this.#nodes.size }
    this.#link(node)
    return node
  }

  /** A graph of its own with the first `size` events of this one. */
  prefix(size: number): EventGraph {
    const graph = new EventGraph()
    for (const node of this.#nodes.values()) if (node.order < size) graph.#link(node)
    return graph
  }

  get(digest: Digest): EventNode | undefined {
    return this.#nodes.get(digest)
  }

  get size(): number {
    return this.#nodes.size
  }

  /** Events 0, sorted by digest. */
  get geneses(): readonly EventNode[] {
    return this.#geneses
  }

  /** Events that name `digest` as `prev`, valid or not, sorted by digest. */
  successors(digest: Digest): readonly EventNode[] {
    return this.#successors.get(digest) ?? []
  }

  #link(node: EventNode): void {
    this.#nodes.set(node.digest, node)
    const { prev } = node.event.payload
    insert(prev === undefined ? this.#geneses : this.#listAfter(prev), node)
  }

  #listAfter(prev: Digest): EventNode[] {
    const list = this.#successors.get(prev) ?? []
    if (list.length === 0) this.#successors.set(prev, list)
    return list
  }
}

/** Keeps the list sorted by digest, so that no result depends on the order of arrival. */
function insert(list: EventNode[], node: EventNode): void {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((list[middle]?.digest ?? "") < node.digest) low = middle + 1
    else high = middle
  }
  list.splice(low, 0, node)
}

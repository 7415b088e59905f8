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
  readonly #unsorted = new Set<EventNode[]>()

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
    return this.#sorted(this.#geneses)
  }

  /** Events that name `digest` as `prev`, valid or not, sorted by digest: no result depends on the order of arrival. */
  successors(digest: Digest): readonly EventNode[] {
    const list = this.#successors.get(digest)
    return list === undefined ? [] : this.#sorted(list)
  }

  #link(node: EventNode): void {
    this.#nodes.set(node.digest, node)
    const { prev } = node.event.payload
    const list = prev === undefined ? this.#geneses : this.#listAfter(prev)
    list.push(node)
    if (list.length > 1) this.#unsorted.add(list)
  }

  /** Sorted when it is asked for: to keep thousands of siblings in order while they arrive would take their square. */
  #sorted(list: EventNode[]): readonly EventNode[] {
    if (this.#unsorted.delete(list)) list.sort((a, b) => (a.digest < b.digest ? -1 : 1))
    return list
  }

  #listAfter(prev: Digest): EventNode[] {
    const list = this.#successors.get(prev) ?? []
    if (list.length === 0) this.#successors.set(prev, list)
    return list
  }
}

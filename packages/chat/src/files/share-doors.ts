/** Which endpoints may have which of the shared files, kept equal to who is there and may: a set at the mover for each section, and one for the root document. */
import type { Digest } from "@kez/core"
import { ignoreKez } from "./mover-fault.ts"
import type { Listed } from "./own-list.ts"
import type { PresenceBook } from "./presence-book.ts"
import { type Audience, isIn, type OwnRow } from "./share-rows.ts"
import type { FilePorts } from "./transfer.ts"

interface Door {
  readonly audiences: readonly Audience[]
  peers: readonly string[]
}

interface Guest {
  readonly conversation: Digest
  readonly chain: Digest
  readonly endpoints: readonly string[]
}

export class Doors {
  readonly #ports: FilePorts
  readonly #book: PresenceBook
  readonly #doors = new Map<string, Door>()
  #guests: readonly Guest[] = []
  /** Of the list whose sets the mover has whole. */
  #held: Digest | undefined

  constructor(ports: FilePorts, book: PresenceBook) {
    this.#ports = ports
    this.#book = book
  }

  /** Whether what a list says is what is given. */
  holds(list: Digest): boolean {
    return this.#held === list
  }

  conversations(): readonly Digest[] {
    const audiences = [...this.#doors.values()].flatMap((door) => door.audiences)
    return this.#guests
      .filter(({ chain }) => audiences.some((audience) => isIn(audience, chain)))
      .map(({ conversation }) => conversation)
  }

  /** In the place of what was given before. `sections`: what stands in those of the list, in its order. */
  async open({ digest, root, sections: own }: OwnRow, sections: readonly Listed[]): Promise<void> {
    const { mover } = this.#ports
    this.#held = undefined
    this.#guests = await this.#here()
    const wanted = new Map<string, { readonly audiences: readonly Audience[]; readonly hashes: readonly string[] }>()
    const audiences = own.map(({ audience }) => audience)
    wanted.set("share-root", { audiences, hashes: [root.hash] })
    for (const [at, { audience, pages }] of own.entries()) {
      const files = sections[at]?.files ?? []
      const hashes = new Set([...pages.map(({ hash }) => hash), ...files.map(({ hash }) => hash)])
      wanted.set(`share-${at}`, { audiences: [audience], hashes: [...hashes] })
    }
    for (const [name, { audiences, hashes }] of wanted) {
      const peers = this.#peersOf(audiences)
      // Known before it is asked for: if no answer comes it may be there.
      this.#doors.set(name, { audiences, peers: [] })
      await mover.offer(name, hashes, peers)
      this.#doors.set(name, { audiences, peers })
    }
    for (const name of [...this.#doors.keys()].filter((one) => !wanted.has(one))) {
      await mover.forget(name)
      this.#doors.delete(name)
    }
    this.#held = digest
  }

  /** Nobody is given anything until `open`. */
  async close(): Promise<void> {
    this.#held = undefined
    for (const name of [...this.#doors.keys()]) {
      // One that the mover does not know is closed.
      await this.#ports.mover.forget(name).catch(ignoreKez)
      this.#doors.delete(name)
    }
  }

  async allowAnew(): Promise<void> {
    this.#guests = await this.#here()
    for (const [name, door] of this.#doors) {
      const peers = this.#peersOf(door.audiences)
      if (peers.length === door.peers.length && peers.every((peer, at) => peer === door.peers[at])) continue
      await this.#ports.mover.allow(name, peers)
      door.peers = peers
    }
  }

  /** Whose an endpoint is that is let in now; undefined where several people name it. */
  guestAt(endpoint: string): Digest | undefined {
    const named = new Set(
      this.#guests.filter(({ endpoints }) => endpoints.includes(endpoint)).map(({ chain }) => chain),
    )
    return named.size === 1 ? [...named][0] : undefined
  }

  #peersOf(audiences: readonly Audience[]): readonly string[] {
    const in_ = this.#guests.filter(({ chain }) => audiences.some((audience) => isIn(audience, chain)))
    return [...new Set(in_.flatMap(({ endpoints }) => endpoints))].toSorted()
  }

  /** Contacts with a conversation of two whose devices count now and said where they are. */
  async #here(): Promise<readonly Guest[]> {
    const guests: Guest[] = []
    for (const conversation of this.#book.heard()) {
      const view = await this.#ports.engine.conversation(conversation)
      if (view?.kind !== "dm" || view.contact?.standing !== "accepted") continue
      const { chain } = view.contact
      const here = (await this.#book.here(conversation)).filter((presence) => presence.chain === chain)
      if (here.length > 0) guests.push({ conversation, chain, endpoints: here.map(({ address }) => address.endpoint) })
    }
    return guests
  }
}

/** What is said to those who ask what is shared with them: the list and the keys of the parts that they may read, and again when it is another. */
import type { Digest } from "@kez/core"
import { Pace } from "./presence-book.ts"
import { isIn, type OwnRow } from "./share-rows.ts"
import { statementOf } from "./share-sign.ts"
import type { FilePorts } from "./transfer.ts"

/** Who asks again at once has what was said. */
const againSeconds = 3

/** What is given now; `own` undefined: nothing was ever shared. */
export interface Given {
  readonly own: OwnRow | undefined
}

interface Asked {
  readonly digest: Digest | undefined
  readonly at: number
  readonly isOwed?: boolean
}

export class ShareAnswers {
  readonly #ports: FilePorts
  readonly #given: () => Given | undefined
  readonly #asked = new Map<Digest, Asked>()
  readonly #paces = new Map<Digest, Pace>()

  /** `given` undefined: not known yet, or not as the list says. */
  constructor(ports: FilePorts, given: () => Given | undefined) {
    this.#ports = ports
    this.#given = given
  }

  /** Whether the other one there may have something. */
  async isFor(conversation: Digest): Promise<boolean> {
    const chain = await this.#accepted(conversation)
    return chain !== undefined && this.sectionsFor(chain).length > 0
  }

  /** Tells who asked what is shared with him. `isNew`: the place that asks was told nothing yet, however recently another one was. */
  async answer(conversation: Digest, isNew = false): Promise<void> {
    const chain = await this.#accepted(conversation)
    if (chain === undefined) return
    const given = this.#given()
    // It would say that nothing is shared, or what is not given.
    if (given === undefined) return void this.#asked.set(conversation, { digest: undefined, at: 0 })
    const { own } = given
    const now = this.#ports.clock.now()
    const told = this.#asked.get(conversation)
    const digest = own?.digest
    if (told !== undefined && told.digest === digest && now - told.at < againSeconds) {
      if (!isNew) return
      const pace = this.#paces.get(conversation) ?? new Pace()
      this.#paces.set(conversation, pace)
      if (!pace.take(now)) return void this.#asked.set(conversation, { ...told, isOwed: true })
    }
    this.#asked.set(conversation, { digest, at: now })
    const sections = this.sectionsFor(chain)
    const root = own === undefined || sections.length === 0 ? {} : { root: own.root.hash }
    await this.#ports.engine.tellShares(conversation, { ...root, sections }, await statementOf(this.#ports, own))
  }

  /** Those who asked before. `onFault`: one could not be told, and the others are. */
  async tellAll(onFault: (error: unknown) => void): Promise<void> {
    for (const conversation of this.#asked.keys()) await this.#again(conversation).catch(onFault)
  }

  /** Those who asked too often to be answered then, or could not be told. */
  async tellOwed(onFault: (error: unknown) => void): Promise<void> {
    for (const [conversation, { isOwed }] of this.#asked)
      if (isOwed === true) await this.#again(conversation).catch(onFault)
  }

  async #again(conversation: Digest): Promise<void> {
    try {
      await this.answer(conversation)
    } catch (error) {
      this.#asked.set(conversation, { digest: undefined, at: 0, isOwed: true })
      throw error
    }
  }

  /** Conversations with somebody who may have something, those that were written in last first. */
  async readers(): Promise<readonly Digest[]> {
    const open = (await this.#ports.engine.conversations()).filter(
      ({ kind, state, contact }) => kind === "dm" && state === "open" && contact?.standing === "accepted",
    )
    return open.flatMap(({ id, contact }) =>
      contact !== undefined && this.sectionsFor(contact.chain).length > 0 ? [id] : [],
    )
  }

  sectionsFor(chain: Digest): readonly { readonly at: number; readonly key: string }[] {
    const sections = this.#given()?.own?.sections ?? []
    return sections.flatMap(({ audience, key }, at) => (isIn(audience, chain) ? [{ at, key }] : []))
  }

  /** The contact of a conversation of two, where he is one. */
  async #accepted(conversation: Digest): Promise<Digest | undefined> {
    const view = await this.#ports.engine.conversation(conversation)
    return view?.kind === "dm" && view.contact?.standing === "accepted" ? view.contact.chain : undefined
  }
}

/** Which devices are there, by what they signed, and when to tell them that this one is. */
import type { Digest } from "@kez/core"
import type { MoverAddress } from "./mover.ts"
import { maxAddresses, type Presence } from "./presence.ts"
import type { FilePorts } from "./transfer.ts"

/** Half of the life and less: two that are lost do no harm. */
const renewSeconds = 240
/** While nobody is heard: each tells takes a key, and who comes later says so himself. */
const repeatSeconds = [0, 10, 30, 90, 210] as const
/** Who tells us so again may have missed what we said, but not what was said just now. */
const answerSeconds = 5

/** What kez-iroh takes for one fetch. */
const maxProviders = 64

/** New places of one conversation that are answered at once, and how soon each of them may be again. */
const maxAtOnce = 4
const paceSeconds = 5

/** Who names a new place again and again gets no more than this. */
export class Pace {
  #left = maxAtOnce
  #at = 0

  /** Whether it may be now. */
  take(now: number): boolean {
    this.#left = Math.min(maxAtOnce, this.#left + (now - this.#at) / paceSeconds)
    this.#at = now
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }
}

interface Told {
  at: number
  /** How often without having heard anybody. */
  alone: number
  readonly pace: Pace
  /** Somebody at a new place was not answered yet. */
  isOwed: boolean
}

function neverTold(): Told {
  return { at: 0, alone: 0, pace: new Pace(), isOwed: false }
}

export class PresenceBook {
  readonly #ports: FilePorts
  readonly #heard = new Map<Digest, Map<string, Presence>>()
  readonly #told = new Map<Digest, Told>()
  /** Where it is asked what the others share. */
  readonly asking = new Set<Digest>()

  readonly #transferIn: (conversation: Digest) => string | undefined

  /** `transferIn`: one that is under way in a conversation. */
  constructor(ports: FilePorts, transferIn: (conversation: Digest) => string | undefined) {
    this.#ports = ports
    this.#transferIn = transferIn
  }

  /** Keeps it. True: this device was not heard at that place before. */
  take(conversation: Digest, presence: Presence): boolean {
    const known = this.#heard.get(conversation) ?? new Map<string, Presence>()
    this.#heard.set(conversation, known)
    const before = known.get(presence.device)
    known.set(presence.device, presence)
    return before?.address.endpoint !== presence.address.endpoint
  }

  /** Conversations in which somebody said where he is. */
  heard(): readonly Digest[] {
    return [...this.#heard.keys()]
  }

  /** Devices that are there, count now, and belong to members: nobody else is given anything. */
  async here(conversation: Digest): Promise<readonly Presence[]> {
    const known = this.#heard.get(conversation)
    if (known === undefined) return []
    const now = this.#ports.clock.now()
    const devices = await this.#ports.engine.devices(conversation)
    return devices.flatMap(({ chain, device, standing, isSelf }) => {
      const presence = known.get(device)
      const counts = presence !== undefined && presence.expiresAt > now && presence.chain === chain
      return counts && standing === "current" && !isSelf ? [presence] : []
    })
  }

  /** Whose an endpoint is, of those that were heard. Where several name it, the device of `owner` if it is one of them, else nobody's: one of them lies. */
  whoIs(conversation: Digest, endpoint: string, owner?: Digest): Presence | undefined {
    const named = [...(this.#heard.get(conversation)?.values() ?? [])].filter(
      ({ address }) => address.endpoint === endpoint,
    )
    return onlyOf(named) ?? onlyOf(named.filter(({ chain }) => chain === owner))
  }

  async tell(conversation: Digest): Promise<void> {
    const told = this.#told.get(conversation) ?? neverTold()
    this.#told.set(conversation, told)
    told.at = this.#ports.clock.now()
    told.isOwed = false
    // Where nobody could be told it is tried again soon.
    const { engine, mover } = this.#ports
    const wish = this.asking.has(conversation) ? "shares" : "files"
    const about = { transfer: this.#transferIn(conversation), wish } as const
    if (await engine.tellPresence(conversation, mover.address(), about)) told.alone += 1
  }

  /** After somebody was heard. */
  async answer(conversation: Digest, isNew: boolean): Promise<void> {
    const told = this.#told.get(conversation) ?? neverTold()
    this.#told.set(conversation, told)
    const now = this.#ports.clock.now()
    told.alone = 0
    if (now - told.at >= answerSeconds || (isNew && told.pace.take(now))) return this.tell(conversation)
    if (isNew) told.isOwed = true
  }

  /** As if nothing had been said: connected anew, or reached at another place. */
  forgetTold(): void {
    this.#told.clear()
  }

  /** Tells where it is due: often at first, then as long as somebody is there. */
  async tellDue(conversations: ReadonlySet<Digest>): Promise<void> {
    const now = this.#ports.clock.now()
    for (const conversation of conversations) {
      const told = this.#told.get(conversation) ?? neverTold()
      const isHeard = (await this.here(conversation)).length > 0
      const wait = told.isOwed ? answerSeconds : isHeard ? renewSeconds : repeatSeconds[told.alone]
      if (wait !== undefined && now - told.at >= wait) await this.tell(conversation)
    }
  }
}

function onlyOf(named: readonly Presence[]): Presence | undefined {
  return named.length === 1 ? named[0] : undefined
}

/**
 * Each endpoint once: kez-iroh keeps one place of each, and whoever reads a presence may name its endpoint with addresses of his own. All are tried; first
 * stand those that `owner` names, whose relay it is then as well.
 */
export function addressesOf(presences: readonly Presence[], owner?: Digest): readonly MoverAddress[] {
  const ordered = presences.toSorted((a, b) => Number(b.chain === owner) - Number(a.chain === owner))
  const byEndpoint = Map.groupBy(ordered, ({ address }) => address.endpoint)
  return [...byEndpoint].slice(0, maxProviders).map(([endpoint, named]) => joinedOf(endpoint, named, owner))
}

function joinedOf(endpoint: string, named: readonly Presence[], owner: Digest | undefined): MoverAddress {
  const placed = named.flatMap(({ chain, address }) =>
    address.addresses.map((text, at) => ({ text, rank: at + (chain === owner ? 0 : maxAddresses) })),
  )
  // The first of each before the second of any: who names many crowds nobody out.
  const addresses = [...new Set(placed.toSorted((a, b) => a.rank - b.rank).map(({ text }) => text))]
  const owners = named.filter(({ chain }) => chain === owner)
  const { relay } =
    (owners.length > 0 ? owners : named).find(({ address }) => address.relay !== undefined)?.address ?? {}
  return { endpoint, addresses: addresses.slice(0, maxAddresses), ...(relay === undefined ? {} : { relay }) }
}

/**
 * Sigchains on nostr: application data (kind 30078) of a key with the `d` tag `kez-sigchain`. SPEC NOSTR-10, NOSTR-11.
 * A relay is a place like any other: what it holds is checked by core, and an older version there takes nothing back.
 */
import { KezError } from "@kez/core"
import type { Evidence, Net } from "./channel.ts"
import { maxNostrChains } from "./limits.ts"
import { giveToRelays, judgeOutcomes } from "./nostr-broadcast.ts"
import {
  authorOf,
  chainDataName,
  compareEvents,
  eventKinds,
  type NostrEvent,
  type Sign,
  signEvent,
} from "./nostr-event.ts"
import { isAnswered, type LookQuestion, lookAtRelays } from "./nostr-look.ts"
import type { PublishResult } from "./publisher.ts"

export interface NostrChains {
  /** `absent` where at least half of the relays said that they have none. */
  readonly status: "found" | "absent" | "unreachable"
  /** Chain documents, JSONL or compact, newest first; each once. */
  readonly documents: readonly string[]
  /** One look a relay. */
  readonly evidence: readonly Evidence[]
}

/** What the relays of the settings hold of a key's chain. Throws only the signal's reason. */
export async function collectChains(npub: string, net: Net, signal: AbortSignal): Promise<NostrChains> {
  const look = await lookAtRelays(questionAbout(authorOf(npub)), net, signal)
  // No deletion is heard: a chain never forgets, and an empty version is none.
  const contents = look.events.toSorted(compareEvents).map(({ content }) => content)
  const documents = [...new Set(contents)].filter((content) => content !== "").slice(0, maxNostrChains)
  const status = documents.length > 0 ? "found" : isAnswered(look) ? "absent" : "unreachable"
  return { status, documents, evidence: look.relays.map(({ evidence }) => evidence) }
}

export interface ChainPublication {
  readonly npub: string
  /** `kez:zc1:`. */
  readonly text: string
  readonly sign: Sign
}

/**
 * Gives all relays the chain as application data of the key. One that stands there already is given again as it is. Throws
 * `publish.too_long`, `publish.credentials`, `publish.refused` where no relay took it, `net.*`, or the signal's reason.
 */
export async function publishChain(
  { npub, text, sign }: ChainPublication,
  net: Net,
  signal: AbortSignal,
): Promise<PublishResult> {
  const pubkey = authorOf(npub)
  const look = await lookAtRelays(questionAbout(pubkey), net, signal)
  const [newest] = look.events.toSorted(compareEvents)
  const event = newest?.content === text ? newest : await write(newest)
  const { outcomes } = judgeOutcomes(await giveToRelays([event], net, signal))
  const hadIt = new Set(look.relays.filter(({ sent }) => sent.has(event.id)).map(({ url }) => url))
  return { outcomes: outcomes.map((outcome) => ({ ...outcome, had: hadIt.has(outcome.url) })) }

  function write(before: NostrEvent | undefined): Promise<NostrEvent> {
    const createdAt = Math.max(net.now(), (before?.created_at ?? -1) + 1)
    const tags = [["d", chainDataName]]
    return signEvent({ pubkey, created_at: createdAt, kind: eventKinds.appData, tags, content: text }, sign).catch(
      (error: unknown) => {
        throw error instanceof KezError && error.code === "publish.too_long" ? tooLong(error) : error
      },
    )
  }
}

function questionAbout(author: string): LookQuestion {
  const kinds = [eventKinds.appData]
  return {
    author,
    kinds,
    name: chainDataName,
    filters: [{ authors: [author], kinds, "#d": [chainDataName], limit: 1 }],
    isWanted: () => true,
    isEnough: (events) => events.length > 0,
  }
}

function tooLong(cause: KezError): KezError {
  return new KezError("publish.too_long", cause.message, {
    cause,
    hint: "The chain has outgrown an event of nostr: publish it to a store or on the web.",
  })
}

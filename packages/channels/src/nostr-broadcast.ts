/** Giving events to all relays, and what comes of it. SPEC §7.4. */
import { KezError } from "@kez/core"
import type { Net } from "./channel.ts"
import { eventKinds, type NostrEvent } from "./nostr-event.ts"
import { relaysOf } from "./nostr-look.ts"
import { giveRelay } from "./nostr-relay.ts"
import type { PlaceOutcome, PublishResult } from "./publisher.ts"

/** One relay and all that it was given. */
export interface RelayOutcome extends PlaceOutcome {
  /** Why it could not be spoken with. */
  readonly failure?: KezError
}

/** Gives every relay of the settings the events, in their order but for a deletion, which goes last. Throws only the signal's reason, or `net.url` without relays. */
export async function giveToRelays(
  events: readonly NostrEvent[],
  net: Net,
  signal: AbortSignal,
): Promise<readonly RelayOutcome[]> {
  const urls = relaysOf(net)
  if (urls.length === 0) throw new KezError("net.url", "Cannot publish on nostr: expected a relay, got none")
  // Some relays are silent about a deletion, or leave: by then they have what takes the place of the proof.
  const isDeletion = ({ kind }: NostrEvent) => Number(kind === eventKinds.deletion)
  const ordered = events.toSorted((left, right) => isDeletion(left) - isDeletion(right))
  const outcomes = await Promise.all(urls.map((url) => giveOne(url, ordered, net, signal)))
  signal.throwIfAborted()
  return outcomes
}

/** Throws `publish.refused` with each relay's reason where none accepted, or `net.*` where none could be spoken with. */
export function judgeOutcomes(outcomes: readonly RelayOutcome[]): PublishResult {
  const accepted = outcomes.filter((outcome) => outcome.accepted)
  if (accepted.length === 0) {
    const [first] = outcomes
    if (first?.failure !== undefined && outcomes.every(({ failure }) => failure !== undefined)) throw first.failure
    const reasons = outcomes.map(({ url, note }) => `${url}: ${note ?? "no reason"}`).join("; ")
    throw new KezError("publish.refused", `Cannot publish on nostr: no relay accepted it. ${reasons}`)
  }
  const warning = "the only relay that accepted it: fewer than two are easily lost"
  return {
    outcomes: outcomes.map(({ url, accepted: isAccepted, note }) => {
      const said = isAccepted && accepted.length === 1 ? [note, warning].filter(Boolean).join("; ") : note
      return { url, accepted: isAccepted, ...(said === undefined ? {} : { note: said }) }
    }),
  }
}

async function giveOne(
  url: string,
  events: readonly NostrEvent[],
  net: Net,
  signal: AbortSignal,
): Promise<RelayOutcome> {
  try {
    const fates = await giveRelay(url, events, net, signal)
    const notes = fates.flatMap(({ isAccepted, reason }, at) =>
      isAccepted ? [] : [`${describeEvent(events[at])} refused: ${reason || "without a reason"}`],
    )
    // A relay that keeps no deletions, but has what replaces the proof, has done its part.
    const counted = fates.filter((_, at) => events.length === 1 || events[at]?.kind !== eventKinds.deletion)
    const accepted = counted.every(({ isAccepted }) => isAccepted)
    return { url, accepted, ...(notes.length === 0 ? {} : { note: notes.join("; ") }) }
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    return { url, accepted: false, note: error.message, failure: error }
  }
}

function describeEvent(event: NostrEvent | undefined): string {
  switch (event?.kind) {
    case eventKinds.deletion:
      return "the deletion"
    case eventKinds.appData:
      return "the application data"
    case eventKinds.profile:
      return "the profile"
    default:
      return "the note"
  }
}

/** The `nostr:` channel: proofs in a key's application data, profile and notes, from several relays. SPEC §7.4. */
import { formatTime } from "@kez/core"
import type { Candidate, Channel, Evidence, LookOptions, Net, Publication } from "./channel.ts"
import { maxNostrTexts, maxNotes } from "./limits.ts"
import { notesOnTexts } from "./near-miss.ts"
import { nostrCanary } from "./nostr-canary.ts"
import { appDataName, authorOf, eventKinds, type NostrEvent, uriOf } from "./nostr-event.ts"
import { isAnswered, type LookQuestion, lookAtRelays, type RelayLook } from "./nostr-look.ts"
import { readAbout } from "./nostr-profile.ts"
import { type NostrState, newestState, notesOnMiss } from "./nostr-state.ts"
import { pickProofTexts } from "./proof-texts.ts"

export const nostr: Channel = { system: "nostr", collect, canary: nostrCanary }

async function collect(npub: string, net: Net, { signal, claimedAt }: LookOptions): Promise<Publication> {
  const look = await lookAtRelays(questionAbout(authorOf(npub)), net, signal)
  const state = newestState(look.events)
  const texts = textsOf(state).map(({ event, text }) => ({ event, text, foundAt: uriOf(event) }))
  const { candidates, chainHints } = pickProofTexts(texts.map(({ text, foundAt }) => ({ text, foundAt })))
  const relays = evidenceOf(look)
  if (candidates.length > 0) {
    const kept = candidates.slice(0, maxNostrTexts)
    const found = texts.filter(({ foundAt }) => kept.some((candidate) => candidate.foundAt === foundAt))
    return {
      status: "found",
      candidates: kept,
      chainHints,
      accountId: npub,
      evidence: [...relays, ...found.map((one) => describeText(one, look, net.now()))],
    }
  }
  if (!isAnswered(look)) return unreachable(relays, net, npub)
  const note = notesOnMiss({ state, claimedAt }).join("; ")
  const evidence = [...relays, { url: `nostr:${npub}`, fetchedAt: net.now(), note }]
  return { status: "absent", code: "proof.not_found", evidence }
}

/** Everything of a key that can hold a proof, or say that one is gone. */
export function questionAbout(author: string): LookQuestion {
  const { profile, appData, note, deletion } = eventKinds
  const authors = [author]
  return {
    author,
    kinds: [profile, appData, note, deletion],
    filters: [
      { authors, kinds: [profile], limit: 1 },
      { authors, kinds: [appData], "#d": [appDataName], limit: 1 },
      { authors, kinds: [note], limit: maxNotes },
      { authors, kinds: [deletion], limit: maxNotes },
    ],
    // Most notes are ordinary writing, which nobody needs to check.
    isWanted: ({ kind, content }) => kind !== note || /kez/i.test(content),
    isEnough: (events) => pickProofTexts(textsOf(newestState(events)).map(toCandidate)).candidates.length > 0,
  }
}

interface EventText {
  readonly event: NostrEvent
  readonly text: string
}

/** Places that only an owner's program writes first, the newest note before older ones. */
function textsOf({ appData, profile, notes }: NostrState): readonly EventText[] {
  const about = profile === undefined ? undefined : readAbout(profile.content)
  return [
    ...(appData === undefined ? [] : [{ event: appData, text: appData.content }]),
    ...(profile === undefined || about === undefined ? [] : [{ event: profile, text: about }]),
    ...notes.map((event) => ({ event, text: event.content })),
  ]
}

function toCandidate({ event, text }: EventText): Candidate {
  return { text, foundAt: uriOf(event) }
}

function evidenceOf({ relays }: RelayLook): readonly Evidence[] {
  const answered = relays.filter(({ isComplete }) => isComplete).length
  const evidence = relays.map((relay) => relay.evidence)
  const last = evidence.at(-1)
  if (last === undefined || answered >= 2) return evidence
  const note = `${last.note}; ${answered} of ${relays.length} relays answered: others may know more`
  return [...evidence.slice(0, -1), { ...last, note }]
}

function describeText({ event, text }: EventText, { relays }: RelayLook, fetchedAt: number): Evidence {
  const from = relays.filter(({ sent }) => sent.has(event.id)).map(({ url }) => url)
  const source = `kind ${event.kind} of ${formatTime(event.created_at)}, from ${from.join(", ")}`
  const note = [source, ...notesOnTexts([text])].join("; ")
  return { url: uriOf(event), fetchedAt, sha256: event.id, note }
}

function unreachable(evidence: readonly Evidence[], net: Net, npub: string): Publication {
  if (evidence.length === 0) {
    const place = { url: `nostr:${npub}`, fetchedAt: net.now(), code: "net.url" as const, note: "no relay is named" }
    return { status: "unreachable", code: "net.url", evidence: [place] }
  }
  const code = evidence.find((one) => one.code !== undefined)?.code ?? "net.refused"
  const waits = evidence.flatMap(({ retryAfterSeconds }) => retryAfterSeconds ?? [])
  const retry = waits.length === 0 ? {} : { retryAfterSeconds: Math.min(...waits) }
  return { status: "unreachable", code, evidence, ...retry }
}

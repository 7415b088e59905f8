/**
 * What a nostr key says about its other accounts: `i` tags, NIP-39. SPEC §7.4.
 * Suggestions of what to claim, never proofs: their proof texts are not ours.
 */
import { formatIdentity, KezError, parseIdentity } from "@kez/core"
import type { Evidence, Net } from "./channel.ts"
import { maxExternalIdentities } from "./limits.ts"
import { authorOf, compareEvents, eventKinds, type NostrEvent, type Tags } from "./nostr-event.ts"
import { lookAtRelays } from "./nostr-look.ts"

export interface Suggestion {
  /** An identity, canonical where it is supported: `github:jason`. Of other platforms as written: `telegram:1087295469`. */
  readonly subject: string
  /** Their reference to their own proof, such as a gist's id. */
  readonly proof: string
  /** Where that proof lies, for platforms whose form is known. */
  readonly proofUrl?: string
  /** Whether there is a channel that could prove it here. */
  readonly isSupported: boolean
}

export interface Nip39Import {
  readonly suggestions: readonly Suggestion[]
  readonly evidence: readonly Evidence[]
  /** Whether any relay answered; otherwise an empty list means nothing. */
  readonly isComplete: boolean
}

/** Asks the relays for the `i` tags of a key: its kind 10011, and, as formerly, its profile. Throws only the signal's reason. */
export async function importNip39(npub: string, net: Net, signal: AbortSignal): Promise<Nip39Import> {
  const author = authorOf(npub)
  const kinds = [eventKinds.identities, eventKinds.profile]
  const question = {
    author,
    kinds,
    filters: kinds.map((kind) => ({ authors: [author], kinds: [kind], limit: 1 })),
    isWanted: () => true,
    isEnough: (events: readonly NostrEvent[]) => events.some(({ kind }) => kind === eventKinds.identities),
  }
  const { events, relays } = await lookAtRelays(question, net, signal)
  const sorted = events.toSorted(compareEvents)
  const newest = kinds.flatMap((kind) => sorted.find((event) => event.kind === kind) ?? [])
  return {
    suggestions: parseNip39(newest.flatMap(({ tags }) => tags)),
    evidence: relays.map(({ evidence }) => evidence),
    isComplete: relays.some(({ isComplete }) => isComplete),
  }
}

/** The claims of `i` tags, the first of each account. What is not of the form of NIP-39 is skipped. */
export function parseNip39(tags: Tags): readonly Suggestion[] {
  const found = new Map<string, Suggestion>()
  for (const [name, account, proof] of tags) {
    if (found.size >= maxExternalIdentities) break
    const suggestion = name === "i" ? readClaim(account, proof) : undefined
    if (suggestion !== undefined && !found.has(suggestion.subject)) found.set(suggestion.subject, suggestion)
  }
  return [...found.values()]
}

/** Longer ones are no names or references, and end up before people's eyes. */
const printable = /^[!-~]{1,200}$/
const platformForm = /^[a-z0-9._/-]{1,40}$/

function readClaim(account: string | undefined, proof: string | undefined): Suggestion | undefined {
  // NIP-73 uses `i` tags too, for books and podcasts; those have no proof.
  if (account === undefined || proof === undefined || !printable.test(account) || !printable.test(proof))
    return undefined
  const colon = account.indexOf(":")
  const [platform, name] = [account.slice(0, colon).toLowerCase(), account.slice(colon + 1)]
  if (colon < 1 || name === "" || !platformForm.test(platform)) return undefined
  const subject = trySubject(platform, name)
  if (subject === undefined) return { subject: `${platform}:${name}`, proof, isSupported: false }
  const proofUrl = urlOf(subject, proof)
  return { subject, proof, isSupported: true, ...(proofUrl === undefined ? {} : { proofUrl }) }
}

/** The identity that a platform's name means here. */
function trySubject(platform: string, name: string): string | undefined {
  // NIP-39 names the server first: mastodon:example.social/@jason.
  const [, host, user] = /^([^/@]+)\/@([^/@]+)$/.exec(name) ?? []
  const value = platform === "mastodon" && host !== undefined ? `${user}@${host}` : name
  try {
    return formatIdentity(parseIdentity(`${platform}:${value}`))
  } catch (error) {
    if (error instanceof KezError) return undefined
    throw error
  }
}

function urlOf(subject: string, proof: string): string | undefined {
  const colon = subject.indexOf(":")
  const [system, value] = [subject.slice(0, colon), subject.slice(colon + 1)]
  if (system === "github" && /^[0-9a-f]{20,40}$/.test(proof)) return `https://gist.github.com/${value}/${proof}`
  const [user, host] = value.split("@")
  if (system === "ap" && /^[0-9]{1,24}$/.test(proof)) return `https://${host}/@${user}/${proof}`
  return undefined
}

/** What a key says now, out of all events that relays hold of it: the newest of each. SPEC §7.4. */
import { formatTime } from "@kez/core"
import { valueAt } from "./foreign-json.ts"
import { maxNotes } from "./limits.ts"
import { notesOnTexts } from "./near-miss.ts"
import { appDataName, compareEvents, eventKinds, type NostrEvent } from "./nostr-event.ts"
import { parseProfile, readAbout } from "./nostr-profile.ts"
import { proofsIn } from "./proof-texts.ts"

export interface NostrState {
  readonly profile: NostrEvent | undefined
  readonly appData: NostrEvent | undefined
  /** Newest first. */
  readonly notes: readonly NostrEvent[]
}

/** The newest profile and application data, and the newest notes, without what the key has deleted. NIP-01, NIP-09. */
export function newestState(events: readonly NostrEvent[]): NostrState {
  const sorted = events.toSorted(compareEvents)
  const deletions = readDeletions(sorted.filter(({ kind }) => kind === eventKinds.deletion))
  const isThere = (event: NostrEvent | undefined) => event !== undefined && !isDeleted(event, deletions)
  // The newest first and only then whether it is gone: an older one does not come back.
  const [profile, appData] = [eventKinds.profile, eventKinds.appData].map((kind) =>
    sorted.find((event) => event.kind === kind),
  )
  return {
    profile: isThere(profile) ? profile : undefined,
    appData: isThere(appData) ? appData : undefined,
    notes: sorted
      .filter(({ kind }) => kind === eventKinds.note)
      .slice(0, maxNotes)
      .filter(isThere),
  }
}

/** The name of a replaceable event in `a` tags. */
export function addressOf({ kind, pubkey }: Pick<NostrEvent, "kind" | "pubkey">): string {
  return `${kind}:${pubkey}:${kind === eventKinds.appData ? appDataName : ""}`
}

interface Deletions {
  readonly ids: ReadonlySet<string>
  /** Address to the newest time up to which it is gone. Unix seconds. */
  readonly addresses: ReadonlyMap<string, number>
}

/** Read once: whoever owns a key can give it many deletions with many tags. Newest first. */
function readDeletions(deletions: readonly NostrEvent[]): Deletions {
  const ids = new Set<string>()
  const addresses = new Map<string, number>()
  for (const { tags, created_at } of deletions) {
    for (const [name, value] of tags) {
      if (value === undefined) continue
      if (name === "e") ids.add(value)
      if (name === "a" && !addresses.has(value)) addresses.set(value, created_at)
    }
  }
  return { ids, addresses }
}

function isDeleted(event: NostrEvent, { ids, addresses }: Deletions): boolean {
  if (ids.has(event.id)) return true
  const isReplaceable = event.kind !== eventKinds.note
  return isReplaceable && event.created_at <= (addresses.get(addressOf(event)) ?? -1)
}

export interface NostrMiss {
  readonly state: NostrState
  readonly claimedAt: number | undefined
}

/** Sentences for the owner about the nearest thing found. */
export function notesOnMiss({ state, claimedAt }: NostrMiss): readonly string[] {
  const { appData, profile, notes } = state
  const newest = [appData, profile, ...notes].filter((event) => event !== undefined).toSorted(compareEvents)[0]
  if (newest === undefined) return ["no relay has a profile or a proof of this key: was it published to other relays?"]
  const isOld = claimedAt !== undefined && newest.created_at < claimedAt
  const about = profile === undefined ? undefined : readAbout(profile.content)
  const texts = [appData?.content, about, ...notes.map(({ content }) => content)]
  return [
    ...notesOnTexts(texts.filter((text) => text !== undefined)),
    ...notesOnAppData(appData),
    ...notesOnProfile(profile),
    ...(isOld ? ["nothing there is newer than the claim: was it published to other relays?"] : []),
  ]
}

function notesOnAppData(event: NostrEvent | undefined): readonly string[] {
  if (event === undefined) return ["no application data named kez"]
  const time = formatTime(event.created_at)
  const what = event.content === "" ? "is empty: a proof was taken back" : "holds no proof"
  return [`the application data of ${time} ${what}`]
}

function notesOnProfile(event: NostrEvent | undefined): readonly string[] {
  if (event === undefined) return ["no profile"]
  const time = formatTime(event.created_at)
  const profile = parseProfile(event.content)
  if (profile === undefined) return [`the profile of ${time} is not a JSON object`]
  const about = readAbout(event.content)
  const elsewhere = Object.keys(profile).find((name) => name !== "about" && holdsProof(valueAt(profile, name)))
  return [
    `the profile of ${time} has ${about === undefined ? "no about" : `no proof in its about of ${about.length} characters`}`,
    ...(elsewhere === undefined ? [] : [`a proof stands in another member of the profile: only about is read`]),
  ]
}

function holdsProof(value: unknown): boolean {
  return typeof value === "string" && /kez:/i.test(value) && proofsIn(value).length > 0
}

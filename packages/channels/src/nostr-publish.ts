/**
 * Publishing on nostr: an event by the key itself, given to all relays. SPEC §7.4.
 * The key signs only what is built here: fixed kinds and tags, the owner's proof, and the owner's own profile, which is
 * taken from relays only where it carries the key's own signature already. Nothing that a relay says is ever signed.
 */
import { findProofs, KezError } from "@kez/core"
import type { Net } from "./channel.ts"
import { questionAbout } from "./nostr.ts"
import { giveToRelays, judgeOutcomes } from "./nostr-broadcast.ts"
import { appDataName, authorOf, eventKinds, type NostrEvent, type Sign, signEvent, type Tags } from "./nostr-event.ts"
import { isAnswered, lookAtRelays, type RelayLook } from "./nostr-look.ts"
import { parseProfile, readAbout, withProof } from "./nostr-profile.ts"
import { addressOf, newestState } from "./nostr-state.ts"
import { withoutProofBlocks } from "./proof-removal.ts"
import { proofsIn } from "./proof-texts.ts"
import type {
  Credentials,
  Publisher,
  PublishPlace,
  PublishRequest,
  PublishResult,
  UnpublishRequest,
} from "./publisher.ts"

const places: readonly PublishPlace[] = [
  // Compact: nobody reads application data, and relays count bytes.
  { name: "app-data", about: "application data of the key (kind 30078), which clients do not show", form: "compact" },
  { name: "profile", about: "the last paragraph of the profile's about (kind 0)", form: "compact" },
  { name: "note", about: "a note that followers see (kind 1)", form: "markdown" },
]

export const nostrPublisher: Publisher = { system: "nostr", credential: "key", places, publish, unpublish }

async function publish(request: PublishRequest, net: Net, signal: AbortSignal): Promise<PublishResult> {
  const author = await openAuthor(request, net, signal)
  const text = await request.makeText(request.value)
  const isOld = (proof: string) => isProofOf(request.value, proof)
  const outcomes = await giveToRelays(await eventsFor(request.place.name, text, { ...author, isOld }), net, signal)
  return judgeOutcomes(outcomes)
}

async function unpublish(request: UnpublishRequest, net: Net, signal: AbortSignal): Promise<PublishResult> {
  const author = await openAuthor(request, net, signal)
  const { look, write, at } = author
  assertAnswered(look)
  const holds = (text: string) => proofsIn(text).some((proof) => request.isOurs(proof))
  const state = newestState(look.events)
  // Every version that a relay still has, not only the newest.
  const appData = look.events.filter(({ kind, content }) => kind === eventKinds.appData && holds(content))
  const notes = state.notes.filter(({ content }) => holds(content))
  const events: NostrEvent[] = []
  if (appData.length + notes.length > 0) events.push(await writeDeletion([...appData, ...notes], author))
  if (appData.length > 0) {
    // Empty, a second later: where no deletion is heard, the newest says that nothing is there.
    events.push(await write(eventKinds.appData, [["d", appDataName]], { content: "", at: at + 1 }))
  }
  const { profile } = state
  const about = profile === undefined ? undefined : readAbout(profile.content)
  if (profile !== undefined && about !== undefined && holds(about)) {
    events.push(await writeProfile(author, withoutProofBlocks(about, request.isOurs)))
  }
  if (events.length === 0) return { outcomes: [] }
  return judgeOutcomes(await giveToRelays(events, net, signal))
}

interface Author {
  readonly look: RelayLook
  /** When the new events are dated: after everything that they replace. Unix seconds. */
  readonly at: number
  write(kind: number, tags: Tags, event: { readonly content: string; readonly at: number }): Promise<NostrEvent>
}

interface Replacing extends Author {
  isOld(proof: string): boolean
}

/** Looks at what is there and takes up the key. */
async function openAuthor(
  { value, credentials }: { readonly value: string; readonly credentials: Credentials },
  net: Net,
  signal: AbortSignal,
): Promise<Author> {
  const sign = signOf(credentials)
  const pubkey = authorOf(value)
  const look = await lookAtRelays({ ...questionAbout(pubkey), isEnough: () => false }, net, signal)
  const replaced = look.events.filter(({ kind }) => kind !== eventKinds.note && kind !== eventKinds.deletion)
  return {
    look,
    at: Math.max(net.now(), ...replaced.map(({ created_at }) => created_at + 1)),
    write: (kind, tags, { content, at }) => signEvent({ pubkey, created_at: at, kind, tags, content }, sign),
  }
}

/** What stands there already is given again as it is, for relays that lack it: followers see no second note. */
async function eventsFor(place: string, text: string, author: Replacing): Promise<readonly NostrEvent[]> {
  const { look, at, write, isOld } = author
  switch (place) {
    case "app-data": {
      const { appData } = newestState(look.events)
      if (appData?.content === text) return [appData]
      return [await write(eventKinds.appData, [["d", appDataName]], { content: text, at })]
    }
    case "profile": {
      const before = aboutToChange(look)
      const about = withProof(before, text, isOld)
      if (!proofsIn(about).includes(text)) throw hidden()
      const { profile } = newestState(look.events)
      return [about === before && profile !== undefined ? profile : await writeProfile(author, about)]
    }
    case "note": {
      const { notes } = newestState(look.events)
      const same = notes.find(({ content }) => content === text)
      if (same !== undefined) return [same]
      const old = notes.filter((note) => proofsIn(note.content).some(isOld))
      const note = await write(eventKinds.note, [], { content: text, at })
      return old.length === 0 ? [note] : [note, await writeDeletion(old, author)]
    }
    default:
      throw new KezError("publish.refused", `Cannot publish on nostr: expected a place of its own, got ${place}`)
  }
}

function aboutToChange(look: RelayLook): string {
  assertAnswered(look)
  const { profile } = newestState(look.events)
  const about = profile === undefined ? undefined : (readAbout(profile.content) ?? "")
  if (about !== undefined) return about
  throw new KezError("publish.refused", "Cannot change the profile: no relay has one of this key", {
    hint: "Make a profile with a nostr client first, or publish the proof as app-data.",
  })
}

/** An open fence, or a text that begins as JSON does, would swallow what stands after it. */
function hidden(): KezError {
  return new KezError(
    "publish.refused",
    "Cannot change the profile: no reader would find a proof after what its about says",
  )
}

/** The newest profile with another `about`: all other members and tags as they were. */
async function writeProfile({ look, at, write }: Author, about: string): Promise<NostrEvent> {
  const { profile } = newestState(look.events)
  const members = profile === undefined ? undefined : parseProfile(profile.content)
  if (profile === undefined || members === undefined) {
    throw new KezError("publish.refused", "Cannot change the profile: the one that relays have is not a JSON object")
  }
  return write(eventKinds.profile, profile.tags, { content: JSON.stringify({ ...members, about }), at })
}

/** NIP-09. Ids for every version seen, and the address for those not seen. */
function writeDeletion(events: readonly NostrEvent[], { write, at }: Author): Promise<NostrEvent> {
  const addresses = new Set(events.filter(({ kind }) => kind === eventKinds.appData).map(addressOf))
  const kinds = new Set(events.map(({ kind }) => String(kind)))
  const tags = [
    ...events.map(({ id }) => ["e", id]),
    ...[...addresses].map((address) => ["a", address]),
    ...[...kinds].map((kind) => ["k", kind]),
  ]
  return write(eventKinds.deletion, tags, { content: "", at })
}

/** What few relays say is no ground for changing a profile: an older one would overwrite the newest. */
function assertAnswered(look: RelayLook): void {
  if (isAnswered(look)) return
  const { relays } = look
  const answered = relays.filter(({ isComplete }) => isComplete).length
  const said = relays.map(({ url, evidence }) => `${url}: ${evidence.note ?? "no answer"}`).join("; ")
  throw new KezError(
    "publish.refused",
    `Cannot see what is there: expected an answer of at least half of the relays, got ${answered} of ${relays.length}. ${said}`,
  )
}

function signOf({ sign }: Credentials): Sign {
  if (sign !== undefined) return sign
  throw new KezError("publish.credentials", "Cannot publish on nostr: expected the key of the account")
}

/** An account has one proof: an earlier claim of it, or a reference, makes room. */
function isProofOf(npub: string, text: string): boolean {
  return findProofs(text).candidates.some((candidate) => {
    if (!("proof" in candidate)) return false
    const { proof } = candidate
    return proof.kind === "reference" || proof.claim.payload.subject === `nostr:${npub}`
  })
}

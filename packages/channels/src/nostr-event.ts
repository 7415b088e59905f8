/** Nostr events: reading hostile ones, and making our own. SPEC §7.4, NIP-01. */
import { formatHex, KezError, limits, publicKeyBytes, sha256, tryParseHex, verifySchnorr } from "@kez/core"
import { bech32 } from "@scure/base"
import { integerAt, textAt, valueAt } from "./foreign-json.ts"
import { maxEventBytes, maxEventTags } from "./limits.ts"

export type Tags = ReadonlyArray<readonly string[]>

/** Members as on the wire; `id`, `pubkey` and `sig` are lower-case hex. */
export interface NostrEvent {
  readonly id: string
  readonly pubkey: string
  /** Unix seconds. */
  readonly created_at: number
  readonly kind: number
  readonly tags: Tags
  readonly content: string
  readonly sig: string
}

export type UnsignedEvent = Omit<NostrEvent, "id" | "sig">

export const eventKinds = { profile: 0, note: 1, deletion: 5, identities: 10_011, appData: 30_078 } as const

/** The `d` tag of the application data that holds a proof. */
export const appDataName = "kez"
/** The `d` tag of the application data that holds the sigchain of the key. */
export const chainDataName = "kez-sigchain"

export interface EventExpectation {
  /** The author's key as hex. */
  readonly author: string
  readonly kinds: readonly number[]
  /** The `d` tag of application data; that of a proof unless given. */
  readonly name?: string
  /** Unix seconds. */
  readonly now: number
}

/** The key of an npub as relays write it. Throws `key.encoding`. */
export function authorOf(npub: string): string {
  return formatHex(publicKeyBytes({ system: "nostr", value: npub }))
}

/** The bytes whose SHA-256 is the id, as text. */
export function serializeEvent({ pubkey, created_at, kind, tags, content }: UnsignedEvent): string {
  return JSON.stringify([0, pubkey, created_at, kind, tags, content])
}

/**
 * An event that a relay sent, with everything checked but its signature. Throws `schema.value` (not an event, or a kind
 * or `d` tag that was not asked for), `account.owner`, `time.future`, `limit.size`, `text.utf8`, or `signature.invalid`
 * where the id is not the digest.
 */
export function readEvent(value: unknown, expected: EventExpectation): NostrEvent {
  const event = readMembers(value)
  if (event.pubkey !== expected.author) throw new KezError("account.owner", "Cannot use the event: another key's")
  if (!expected.kinds.includes(event.kind)) throw notAnEvent(`one of kind ${expected.kinds.join(" or ")}`)
  // Two `d` tags: a relay and a reader may each go by another one.
  const names = event.tags.filter(([name]) => name === "d").map(([, name]) => name)
  const { name: expectedName = appDataName } = expected
  if (event.kind === eventKinds.appData && (names.length !== 1 || names[0] !== expectedName)) {
    throw notAnEvent(`exactly one d tag, "${expectedName}"`)
  }
  if (event.created_at > expected.now + limits.clockSkewSeconds) {
    throw new KezError("time.future", "Cannot use the event: expected a time that is not in the future")
  }
  const bytes = new TextEncoder().encode(serializeEvent(event))
  if (bytes.length > maxEventBytes) throw tooLong(`${maxEventBytes} bytes`)
  if (formatHex(sha256(bytes)) !== event.id) throw forged("an id that is its digest")
  return event
}

/** Throws `signature.invalid`. */
export function assertEventSignature({ id, pubkey, sig }: NostrEvent): void {
  if (!verifySchnorr(bytesOf(sig), bytesOf(id), bytesOf(pubkey))) throw forged("a signature by its author")
}

export type Sign = (bytes: Uint8Array) => Promise<Uint8Array>

/** Signs an event. Throws `publish.credentials` when the signature is not one of the author's key, `publish.too_long`. */
export async function signEvent(unsigned: UnsignedEvent, sign: Sign): Promise<NostrEvent> {
  const bytes = new TextEncoder().encode(serializeEvent(unsigned))
  if (bytes.length > maxEventBytes) {
    throw new KezError(
      "publish.too_long",
      `Cannot publish: expected at most ${maxEventBytes} bytes, got ${bytes.length}`,
    )
  }
  const { pubkey, created_at, kind, tags, content } = unsigned
  const id = formatHex(sha256(bytes))
  const event = { id, pubkey, created_at, kind, tags, content, sig: formatHex(await sign(bytes)) }
  try {
    assertEventSignature(event)
  } catch (cause) {
    throw new KezError("publish.credentials", "Cannot publish: the key at hand is not that of the account", { cause })
  }
  return event
}

/** Newest first; of two with one time, the one with the lower id, as relays keep it. NIP-01. */
export function compareEvents(a: NostrEvent, b: NostrEvent): number {
  return b.created_at - a.created_at || (a.id < b.id ? -1 : 1)
}

/** The NIP-21 URI of what a person's client shows for the event. Without relays, so that it is one everywhere. */
export function uriOf(event: NostrEvent): string {
  if (event.kind === eventKinds.note) return `nostr:${encode("note", bytesOf(event.id))}`
  if (event.kind !== eventKinds.appData) return `nostr:${encode("npub", bytesOf(event.pubkey))}`
  const name = new TextEncoder().encode(appDataName)
  const kind = new Uint8Array(4)
  new DataView(kind.buffer).setUint32(0, event.kind)
  // Type, length, value: the identifier, the author, the kind. NIP-19.
  const parts = [0, name.length, ...name, 2, 32, ...bytesOf(event.pubkey), 3, 4, ...kind]
  return `nostr:${encode("naddr", Uint8Array.from(parts))}`
}

function readMembers(value: unknown): NostrEvent {
  const [id, pubkey, sig] = [hexAt(value, "id", 32), hexAt(value, "pubkey", 32), hexAt(value, "sig", 64)]
  const [createdAt, kind] = [integerAt(value, "created_at"), integerAt(value, "kind")]
  const content = textAt(value, "content")
  if (createdAt === undefined || createdAt < 0 || kind === undefined || content === undefined) {
    throw notAnEvent("time, kind and content")
  }
  const tags = readTags(valueAt(value, "tags"))
  // A lone surrogate has no bytes, so the digest would be over another text.
  if (![content, ...tags.flat()].every((text) => text.isWellFormed())) {
    throw new KezError("text.utf8", "Cannot use the event: expected text that UTF-8 can hold")
  }
  return { id, pubkey, created_at: createdAt, kind, tags, content, sig }
}

function readTags(value: unknown): Tags {
  if (!Array.isArray(value)) throw notAnEvent("a list of tags")
  if (value.length > maxEventTags) throw tooLong(`${maxEventTags} tags`)
  return value.map((tag: unknown) => {
    if (!Array.isArray(tag) || !tag.every((item) => typeof item === "string")) throw notAnEvent("tags of texts")
    return tag
  })
}

function hexAt(value: unknown, member: string, length: number): string {
  const text = textAt(value, member)
  if (text === undefined || tryParseHex(text, length) === undefined) throw notAnEvent(`${member} as lower-case hex`)
  return text
}

function notAnEvent(expected: string): KezError {
  return new KezError("schema.value", `Cannot use the event: expected ${expected}`)
}

function tooLong(bound: string): KezError {
  return new KezError("limit.size", `Cannot use the event: expected at most ${bound}`)
}

function forged(expected: string): KezError {
  return new KezError("signature.invalid", `Cannot use the event: expected ${expected}`)
}

function encode(prefix: "note" | "npub" | "naddr", bytes: Uint8Array): string {
  return bech32.encode(prefix, bech32.toWords(bytes), false)
}

/** Of hex that was checked when the event was read. */
function bytesOf(hex: string): Uint8Array {
  return tryParseHex(hex, hex.length / 2) ?? new Uint8Array()
}

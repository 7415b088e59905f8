/** Identities: `system:value`. SPEC §1. */
import { bech32 } from "@scure/base"
import { KezError } from "./error.ts"
import { formatHex, isHex, tryParseHex } from "./hex.ts"
import { maxIdentityBytes } from "./limits.ts"
import type { KeySystem } from "./suite/suites.ts"
import { isLongerThan } from "./text.ts"

export type System = KeySystem | "dns" | "github" | "bluesky" | "ap" | "kez"

/** An identity in canonical form. */
export interface Identity {
  readonly system: System
  readonly value: string
}

export interface KeyIdentity extends Identity {
  readonly system: KeySystem
}

// Every class in these is disjoint from what follows it, so that matching is linear.
const domainForm = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const githubForm = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
const fediverseUserForm = /^[a-z0-9_](?:[a-z0-9_.-]{0,62}[a-z0-9_])?$/
const handleForm = /^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$/
const printable = /^[!-~]*$/

/**
 * The identity that a person typed, canonicalised. Throws `limit.size`, `identity.charset`, `identity.syntax`,
 * `identity.unsupported` or `key.encoding`, in the order of SPEC [ID-2].
 */
export function parseIdentity(text: string): Identity {
  const known = parsedIdentities.get(text)
  if (known !== undefined) return known
  const identity = Object.freeze(readIdentity(text))
  if (parsedIdentities.size >= maxParsed) parsedIdentities.clear()
  parsedIdentities.set(text, identity)
  return identity
}

// One text is read several times on its way to a verdict, and the keys of a chain in each of its events.
const parsedIdentities = new Map<string, Identity>()
const parsedKeys = new Map<string, Key>()
const maxParsed = 4_096

function readIdentity(text: string): Identity {
  if (isLongerThan(text, maxIdentityBytes)) {
    throw new KezError("limit.size", `Cannot read the identity: expected at most ${maxIdentityBytes} bytes`)
  }
  // Before any folding: U+212A KELVIN SIGN lower-cases to k. [ID-3]
  if (!printable.test(text)) throw charsetFault(text)
  const colon = text.indexOf(":")
  if (colon < 1 || colon === text.length - 1) throw noSystem(text)
  const name = foldAscii(text.slice(0, colon))
  const system = name === "mastodon" ? "ap" : name
  if (!isSystem(system)) {
    // A longer name might be a secret key with a colon behind it. [ID-8]
    const named = name.length <= 20 ? ` named "${name}"` : " of that name"
    throw new KezError("identity.unsupported", `Cannot use the identity: this version has no system${named}`, {
      hint: `Known systems: ${Object.keys(grammars).join(", ")}.`,
    })
  }
  return { system, value: grammars[system](text.slice(colon + 1)) }
}

/** The identity of a text that must be canonical already, else `identity.not_canonical`. [ID-6] */
export function parseCanonicalIdentity(text: string): Identity {
  const identity = parseIdentity(text)
  const canonical = formatIdentity(identity)
  if (canonical !== text) {
    throw new KezError("identity.not_canonical", `Cannot accept the identity: expected ${canonical}, got ${text}`)
  }
  return identity
}

/** A canonical identity of a key system; another system is `schema.value`. [ID-7] */
export function parseKeyIdentity(text: string): KeyIdentity {
  return parseKey(text).identity
}

/** A key identity with its 32 public key bytes. Not to be changed: the same keys return all through a chain, so parsed ones are kept. */
export function parseKey(text: string): Key {
  const known = parsedKeys.get(text)
  if (known !== undefined) return known
  const { system, value } = parseCanonicalIdentity(text)
  if (system !== "ed25519" && system !== "nostr") {
    throw new KezError("schema.value", `Cannot use ${system}:${value} as a key: expected ed25519:… or nostr:npub1…`)
  }
  const identity = { system, value }
  const key = { identity, publicKey: publicKeyBytes(identity) }
  if (parsedKeys.size >= maxParsed) parsedKeys.clear()
  parsedKeys.set(text, key)
  return key
}

export interface Key {
  readonly identity: KeyIdentity
  readonly publicKey: Uint8Array
}

export function formatIdentity(identity: Identity): string {
  return `${identity.system}:${identity.value}`
}

/** The 32 public key bytes of a key identity. */
export function publicKeyBytes(identity: KeyIdentity): Uint8Array {
  const bytes = identity.system === "ed25519" ? tryParseHex(identity.value, 32) : tryDecodeNpub(identity.value)
  if (bytes === undefined) throw keyFault(identity.system)
  return bytes
}

/** The key identity, as text, of 32 public key bytes. */
export function formatKeyIdentity(system: KeySystem, publicKey: Uint8Array): string {
  if (publicKey.length !== 32) throw keyFault(system)
  return system === "ed25519"
    ? `ed25519:${formatHex(publicKey)}`
    : `nostr:${bech32.encode("npub", bech32.toWords(publicKey))}`
}

export function isHandle(text: string): boolean {
  return text.length >= 3 && text.length <= 30 && handleForm.test(text)
}

/** A lower-case domain of two or more A-labels. */
export function isDomain(text: string): boolean {
  return text.length <= 253 && domainForm.test(text)
}

/** Where a chat server or store lives: a domain, or `localhost` for one on this machine. */
export function isHost(text: string): boolean {
  return text === "localhost" || isDomain(text)
}

const grammars: Readonly<Record<System, (value: string) => string>> = {
  ed25519(value) {
    if (!isHex(value, 32)) throw keyFault("ed25519")
    return value
  },
  nostr(value) {
    if (tryDecodeNpub(value) === undefined) throw keyFault("nostr")
    return value
  },
  dns(value) {
    const folded = foldAscii(value)
    return accept(folded.endsWith(".") ? folded.slice(0, -1) : folded, isDomain, "dns:example.org")
  },
  github: (value) => accept(foldAscii(value), (login) => login.length <= 39 && githubForm.test(login), "github:login"),
  bluesky: (value) => accept(withoutAt(foldAscii(value)), isDomain, "bluesky:name.bsky.social"),
  ap: (value) => accept(withoutAt(foldAscii(value)), isFediverseAccount, "ap:user@example.org"),
  kez: (value) => accept(withoutAt(foldAscii(value)), isKezAccount, "kez:handle@example.org"),
}

function isSystem(name: string): name is System {
  return Object.hasOwn(grammars, name)
}

function accept(value: string, fits: (value: string) => boolean, example: string): string {
  if (fits(value)) return value
  throw new KezError("identity.syntax", `Cannot read the identity: expected a form like ${example}`)
}

function isFediverseAccount(value: string): boolean {
  const [user = "", domain = "", ...rest] = value.split("@")
  return rest.length === 0 && user.length <= 64 && fediverseUserForm.test(user) && isDomain(domain)
}

function isKezAccount(value: string): boolean {
  const [handle = "", host = "", ...rest] = value.split("@")
  return rest.length === 0 && isHandle(handle) && isHost(host)
}

function tryDecodeNpub(text: string): Uint8Array | undefined {
  if (text.length !== 63 || !text.startsWith("npub1")) return undefined
  try {
    const { words } = bech32.decode(text as `npub1${string}`, 63)
    const bytes = bech32.fromWords(words)
    return bytes.length === 32 && text === text.toLowerCase() ? bytes : undefined
  } catch {
    return undefined
  }
}

function withoutAt(value: string): string {
  return value.startsWith("@") ? value.slice(1) : value
}

/** Folds A-Z alone; toLowerCase would fold other scripts as well. */
function foldAscii(text: string): string {
  return !/[A-Z]/.test(text) ? text : text.replace(/[A-Z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 32))
}

// The three refusals below may have been given a secret key by mistake: they repeat nothing of it. [ID-8]

function noSystem(text: string): KezError {
  const secret = /^nsec1/i.test(text) || isHex(foldAscii(text), 32)
  return new KezError("identity.syntax", "Cannot read the identity: expected system:value, such as dns:example.org", {
    hint: secret
      ? "This looks like a bare key. A public key is written ed25519:<hex> or nostr:npub1…; a secret key is never an identity."
      : "The system is never left out: dns:example.org, github:login, nostr:npub1…",
  })
}

function keyFault(system: KeySystem): KezError {
  const expected =
    system === "ed25519" ? "ed25519: and 64 lower-case hex digits" : "nostr:npub1… in lower case, 63 characters"
  return new KezError("key.encoding", `Cannot read the key: expected ${expected}`, {
    hint: "Only public keys are identities; a hex key or an nsec is not accepted here.",
  })
}

function charsetFault(text: string): KezError {
  const hint = asciiHint(text)
  return new KezError(
    "identity.charset",
    "Cannot read the identity: expected ASCII letters, digits and punctuation only",
    hint === undefined ? {} : { hint },
  )
}

/** For an internationalised domain: the A-label form to type instead. */
function asciiHint(text: string): string | undefined {
  const match = /^(dns|bluesky):(.+)$/i.exec(text)
  if (match === null) return undefined
  try {
    const { hostname } = new URL(`http://${match[2]}`)
    return isDomain(hostname) ? `Write the domain in its ASCII form: ${match[1]}:${hostname}` : undefined
  } catch {
    return undefined
  }
}

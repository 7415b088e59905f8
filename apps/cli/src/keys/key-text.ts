/** A key as text: the content of key files, and the forms in which people bring a key along. Nothing here repeats a secret. */

import { formatHex, type KeySystem, KezError, keyOfSecret, parseJson, tryParseHex } from "@kez/core"
import { parseWords, secretOfEntropy } from "@kez/core/mnemonic"
import { bech32 } from "@scure/base"

const keySystems = ["ed25519", "nostr"] as const satisfies readonly KeySystem[]

/** A secret key and the words that stand for it. */
export interface KeyMaterial {
  readonly system: KeySystem
  /** 32 bytes. */
  readonly secret: Uint8Array
  /** 16 or 32 bytes, where the key was made from words. */
  readonly entropy?: Uint8Array
}

/** The key identity, as text. Throws `key.encoding` for a secret out of range. */
export function identityOf(key: KeyMaterial): string {
  return keyOfSecret(key.system, key.secret)
}

/** The JSON that a key file holds, encrypted or not. */
export function formatKey(key: KeyMaterial): string {
  const { secret, entropy } = key
  const words = entropy === undefined ? undefined : entropy.length === 16 ? 12 : 24
  return `${JSON.stringify({
    type: "kez.key",
    version: 1,
    identity: identityOf(key),
    secret: formatHex(secret),
    // With 24 words the entropy is the secret. [MNEM-1]
    ...(words === 12 && entropy !== undefined ? { entropy: formatHex(entropy) } : {}),
    ...(words === undefined ? {} : { words }),
  })}\n`
}

const members = ["type", "version", "identity", "secret", "entropy", "words"]

/** Reads what `formatKey` wrote. Throws `store.corrupt` or `store.newer`; the parts must agree with each other. */
export function parseKey(text: string): KeyMaterial {
  const value = parseObject(text)
  if (value["type"] !== "kez.key") throw corrupt()
  if (typeof value["version"] === "number" && value["version"] > 1) {
    throw new KezError("store.newer", "Cannot read the key file: a newer kez wrote it")
  }
  if (value["version"] !== 1 || Object.keys(value).some((name) => !members.includes(name))) throw corrupt()
  const system = keySystems.find((name) => String(value["identity"]).startsWith(`${name}:`))
  const secret = tryParseHex(String(value["secret"]), 32)
  if (system === undefined || secret === undefined) throw corrupt()
  const entropy = entropyOf(value, secret)
  const key = entropy === undefined ? { system, secret } : { system, secret, entropy }
  if (tryIdentityOf(key) !== value["identity"]) throw corrupt()
  return key
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = parseJson(text)
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // The cause names a position in a secret text; nothing of it is passed on.
  }
  throw corrupt()
}

function entropyOf(value: Readonly<Record<string, unknown>>, secret: Uint8Array): Uint8Array | undefined {
  const { words, entropy } = value
  if (words === undefined && entropy === undefined) return undefined
  if (words === 24 && entropy === undefined) return secret
  const bytes = words === 12 ? tryParseHex(String(entropy), 16) : undefined
  if (bytes === undefined || formatHex(secretOfEntropy(bytes)) !== formatHex(secret)) throw corrupt()
  return bytes
}

function tryIdentityOf(key: KeyMaterial): string | undefined {
  try {
    return identityOf(key)
  } catch {
    return undefined
  }
}

function corrupt(): KezError {
  return new KezError("store.corrupt", "Cannot read the key file: its content does not fit together", {
    hint: "Bring the identity back with kez identity restore and its recovery words.",
  })
}

/** Words as typed. Throws `mnemonic.*`, or `key.encoding` for a nostr secret out of range. [MNEM-2] */
export function keyOfWords(system: KeySystem, text: string): KeyMaterial {
  const key = { system, ...parseWords(text) }
  identityOf(key)
  return key
}

/** 64 hex digits of an Ed25519 seed. Throws `key.encoding`. */
export function keyOfSeed(text: string): KeyMaterial {
  const secret = tryParseHex(text.trim().toLowerCase(), 32)
  if (secret === undefined) throw new KezError("key.encoding", "Cannot read the seed: expected 64 hex digits")
  return { system: "ed25519", secret }
}

/** An `nsec1…` of NIP-19. Throws `key.encoding`. */
export function keyOfNsec(text: string): KeyMaterial {
  const fault = new KezError("key.encoding", "Cannot read the nostr key: expected nsec1… with a right checksum")
  const typed = text.trim()
  try {
    const { prefix, words } = bech32.decode(typed as `nsec1${string}`, 63)
    const secret = bech32.fromWords(words)
    if (prefix !== "nsec" || secret.length !== 32) throw fault
    const key = { system: "nostr", secret } as const
    identityOf(key)
    return key
  } catch {
    throw fault // without the cause, which repeats the text
  }
}

/** A key in any of the forms above, or the content of a key file. */
export function keyOfText(system: KeySystem, text: string): KeyMaterial {
  const typed = text.trim()
  if (typed.startsWith("{")) return parseKey(typed)
  if (/^nsec1/i.test(typed)) return keyOfNsec(typed)
  if (/^[0-9a-f]{64}$/i.test(typed)) return keyOfSeed(typed)
  return keyOfWords(system, typed)
}

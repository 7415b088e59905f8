/**
 * Keys of NATS: Ed25519 and X25519 keys in base32 with a prefix and a CRC-16, as nats-io/nkeys writes them. Node signs;
 * the library of the client would do it about 60 times slower.
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto"
import { KezError, verifyEd25519 } from "@kez/core"
import { base32nopad } from "@scure/base"

/** The letter that a public key begins with, and its byte. */
const prefixes = { account: 0, user: 20 << 3, server: 13 << 3, curve: 23 << 3 } as const
const seedPrefix = 18 << 3
export type NkeyRole = keyof typeof prefixes

/** ASN.1 before the 32 bytes of a key (RFC 8410): PKCS #8 of a secret, SPKI of a public key. */
const der = {
  ed25519: { secret: "302e020100300506032b657004220420", public: "302a300506032b6570032100" },
  x25519: { secret: "302e020100300506032b656e04220420", public: "302a300506032b656e032100" },
} as const

export interface Nkey {
  readonly role: NkeyRole
  /** As NATS writes it: `A…`, `U…`, `X…`. */
  readonly publicKey: string
  readonly secret: KeyObject
}

/** A new key, as its seed. The seed is a secret: it goes into a file of mode 0600, never into arguments, logs or errors. */
export function createSeed(role: NkeyRole): string {
  return formatSeed(role, randomBytes(32))
}

export function formatSeed(role: NkeyRole, secret: Uint8Array): string {
  // Prefix bits of seed and role share two bytes: 5 and 8 of them.
  const prefix = prefixes[role]
  return encodeWithSum(Uint8Array.from([seedPrefix | (prefix >> 5), (prefix & 31) << 3, ...secret]))
}

/** The key of a seed. Throws `key.encoding` without naming any part of it. */
export function parseSeed(seed: string, role: NkeyRole): Nkey {
  const bytes = decodeWithSum(seed, 34)
  const prefix = prefixes[role]
  if (bytes[0] !== (seedPrefix | (prefix >> 5)) || bytes[1] !== (prefix & 31) << 3)
    throw keyFault(`a seed of role ${role}`)
  const { secret: head } = der[curveOf(role)]
  const pkcs8 = Buffer.concat([Buffer.from(head, "hex"), bytes.subarray(2)])
  const secret = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" })
  const raw = createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(-32)
  return { role, publicKey: formatPublicKey(role, raw), secret }
}

export function formatPublicKey(role: NkeyRole, raw: Uint8Array): string {
  return encodeWithSum(Uint8Array.from([prefixes[role], ...raw]))
}

/** The 32 bytes of a public key of exactly this role. Throws `key.encoding`. */
export function publicBytes(publicKey: string, role: NkeyRole): Uint8Array {
  const bytes = decodeWithSum(publicKey, 33)
  if (bytes[0] !== prefixes[role]) throw keyFault(`a public key of role ${role}`)
  return bytes.subarray(1)
}

/** The public key as Node takes it. */
export function publicKeyObject(publicKey: string, role: NkeyRole): KeyObject {
  const { public: head } = der[curveOf(role)]
  const spki = Buffer.concat([Buffer.from(head, "hex"), publicBytes(publicKey, role)])
  return createPublicKey({ key: spki, format: "der", type: "spki" })
}

export function signWith(key: Nkey, bytes: Uint8Array): Uint8Array {
  return sign(null, bytes, key.secret)
}

/** Whether `signature` is by the Ed25519 key over the bytes, as strictly as everywhere in KEZ. Never throws on what others sent. */
export function isSignedBy(
  publicKey: string,
  role: NkeyRole,
  { bytes, signature }: { readonly bytes: Uint8Array; readonly signature: Uint8Array },
): boolean {
  try {
    return verifyEd25519(signature, bytes, publicBytes(publicKey, role))
  } catch {
    return false
  }
}

function curveOf(role: NkeyRole): keyof typeof der {
  return role === "curve" ? "x25519" : "ed25519"
}

function encodeWithSum(bytes: Uint8Array): string {
  const sum = crc16(bytes)
  return base32nopad.encode(Uint8Array.from([...bytes, sum & 0xff, sum >> 8]))
}

function decodeWithSum(text: string, length: number): Uint8Array {
  if (text.length !== Math.ceil(((length + 2) * 8) / 5)) throw keyFault("a key of NATS")
  let bytes: Uint8Array
  try {
    bytes = base32nopad.decode(text)
  } catch {
    throw keyFault("base32 of RFC 4648") // without the cause: it would name a part of the seed
  }
  const body = bytes.subarray(0, length)
  if ((((bytes[length + 1] ?? 0) << 8) | (bytes[length] ?? 0)) !== crc16(body))
    throw keyFault("a key with the right checksum")
  return body
}

/** CRC-16/XMODEM: polynomial 0x1021, nothing reflected, from 0. */
function crc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = ((crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021) & 0xffff
  }
  return crc
}

function keyFault(expected: string): KezError {
  return new KezError("key.encoding", `Cannot read the key: expected ${expected}`)
}

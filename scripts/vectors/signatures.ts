/** vectors/ed25519.json and vectors/schnorr.json: both suites at the level of bytes. SPEC §3.5. */

import { parseKeyIdentity, publicKeyBytes, suites } from "@kez/core"
import { ed25519 } from "@noble/curves/ed25519.js"
import { alice, aliceNostr } from "./keys.ts"
import { hex, type VectorCase, type VectorFile } from "./vector-file.ts"

const message = new TextEncoder().encode('{"a":1}')
const seed = new Uint8Array(32).fill(0x42)

interface SignatureCase {
  readonly id: string
  readonly why: string
  readonly key: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
  readonly valid: boolean
}

const toCase = ({ id, why, key, message, signature, valid }: SignatureCase): VectorCase => ({
  id,
  why,
  key: hex(key),
  message: hex(message),
  signature: hex(signature),
  expect: valid,
})

export function ed25519Vectors(): VectorFile {
  const key = publicKeyBytes(parseKeyIdentity(alice.key))
  const signature = suites.ed25519.sign(message, seed)
  const order = ed25519.Point.Fn.ORDER
  const r = signature.subarray(0, 32)
  const s = toBigInt(signature.subarray(32))
  const identity = Uint8Array.from([1, ...new Array(31).fill(0)])
  // R = [s]B verifies under the identity key for any message: [s]B - [k]·0 = R.
  const forged = join(ed25519.Point.BASE.multiply(7n).toBytes(), toBytes(7n))
  const signed = (key: Uint8Array, bytes: Uint8Array) => ({ key, message, signature: bytes, valid: false })
  const flipped = (at: number) => signature.with(at, (signature[at] ?? 0) ^ 1)
  const smallKeys = [
    ["zero", "00".repeat(32)],
    ["one", `01${"00".repeat(31)}`],
    ["order-8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"],
    ["order-8-b", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"],
    ["minus-one", `ec${"ff".repeat(30)}7f`],
    ["p", `ed${"ff".repeat(30)}7f`],
    ["p-plus-1", `ee${"ff".repeat(30)}7f`],
    ["one-sign", `01${"00".repeat(30)}80`],
    ["minus-one-sign", `ec${"ff".repeat(31)}`],
  ] as const
  const list: SignatureCase[] = [
    {
      id: "ed-valid",
      why: "RFC 8032 over the bytes themselves: SHA-512 is Ed25519's own hash",
      key,
      message,
      signature,
      valid: true,
    },
    {
      id: "ed-empty",
      why: "an empty message",
      key,
      message: new Uint8Array(),
      signature: suites.ed25519.sign(new Uint8Array(), seed),
      valid: true,
    },
    {
      id: "ed-other-message",
      why: "another message",
      ...signed(key, signature),
      message: new TextEncoder().encode('{"a":2}'),
    },
    { id: "ed-r-flipped", why: "one bit of R", ...signed(key, flipped(0)) },
    { id: "ed-s-flipped", why: "one bit of S", ...signed(key, flipped(32)) },
    { id: "ed-s-plus-l", why: "S + L is a second text of one signature", ...signed(key, join(r, toBytes(s + order))) },
    { id: "ed-s-top", why: "top bits of S set", ...signed(key, signature.with(63, 0xff)) },
    { id: "ed-zero", why: "all zero", ...signed(key, new Uint8Array(64)) },
    { id: "ed-63", why: "63 bytes", ...signed(key, signature.subarray(0, 63)) },
    { id: "ed-65", why: "65 bytes", ...signed(key, join(signature, Uint8Array.of(0))) },
    { id: "ed-key-31", why: "a key of 31 bytes", ...signed(key.subarray(0, 31), signature) },
    {
      id: "ed-identity-forged",
      why: "under the identity key one signature fits every message",
      ...signed(identity, forged),
    },
    { id: "ed-r-small", why: "R of small order", ...signed(key, join(identity, signature.subarray(32))) },
    {
      id: "ed-r-not-canonical",
      why: "R with y = p + 2",
      ...signed(key, join(Uint8Array.from([0xef, ...new Array(30).fill(0xff), 0x7f]), signature.subarray(32))),
    },
    {
      id: "ed-key-not-canonical",
      why: "A with y = p + 2",
      ...signed(Uint8Array.from([0xef, ...new Array(30).fill(0xff), 0x7f]), signature),
    },
    ...smallKeys.map(([id, text]) => ({
      id: `ed-key-${id}`,
      why: "a key of small order",
      ...signed(Buffer.from(text, "hex"), forged),
    })),
  ]
  return {
    spec: "§3.5 SIG-1",
    about: "Whether an Ed25519 signature is valid: hex of key, message, signature.",
    cases: list.map(toCase),
  }
}

export function schnorrVectors(): VectorFile {
  const key = publicKeyBytes(parseKeyIdentity(aliceNostr.key))
  const signature = suites.nostr.sign(message, seed)
  const bad = (id: string, why: string, change: Partial<SignatureCase>): SignatureCase => ({
    id,
    why,
    key,
    message,
    signature,
    valid: false,
    ...change,
  })
  const list: SignatureCase[] = [
    {
      id: "bip340-valid",
      why: "BIP-340 over SHA-256 of the message, zero auxiliary randomness",
      key,
      message,
      signature,
      valid: true,
    },
    bad("bip340-other-message", "another message", { message: new TextEncoder().encode('{"a":2}') }),
    bad("bip340-r-flipped", "one bit of R", { signature: signature.with(0, (signature[0] ?? 0) ^ 1) }),
    bad("bip340-s-flipped", "one bit of s", { signature: signature.with(63, (signature[63] ?? 0) ^ 1) }),
    bad("bip340-s-order", "s is the group order", {
      signature: join(
        signature.subarray(0, 32),
        Buffer.from("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", "hex"),
      ),
    }),
    bad("bip340-key-off-curve", "x that is on no point", {
      key: Buffer.from("eefdea4cdb677750a420fee807eacf21eb9898ae79b9768766e4faa04a2d4a34", "hex"),
    }),
    bad("bip340-key-p", "x not below the field size", {
      key: Buffer.from("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30", "hex"),
    }),
    bad("bip340-63", "63 bytes", { signature: signature.subarray(0, 63) }),
  ]
  return {
    spec: "§3.5 SIG-3",
    about: "Whether a BIP-340 signature of SHA-256(message) is valid: hex of key, message, signature.",
    cases: list.map(toCase),
  }
}

function toBigInt(littleEndian: Uint8Array): bigint {
  return BigInt(`0x${hex(littleEndian.toReversed())}`)
}

function toBytes(value: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(value.toString(16).padStart(64, "0"), "hex")).reverse()
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts))
}

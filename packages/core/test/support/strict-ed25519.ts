/** Ed25519 signatures on which implementations differ, built with the points of the curve. Adversarial S2 to S5. */
import { ed25519 } from "@noble/curves/ed25519.js"
import { sha512 } from "@noble/hashes/sha2.js"

const { Point } = ed25519
type Point = InstanceType<typeof Point>
const order = Point.Fn.ORDER

/** y of the eight points of small order, and y of the two that have a second spelling, sign bit clear. */
export const smallOrderY = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]

/** All fourteen encodings: each y with the sign bit clear and set. */
export const smallOrderKeys = smallOrderY.flatMap((hex) => {
  const key = Uint8Array.from(Buffer.from(hex, "hex"))
  return [key, withSignBit(key)]
})

export interface StrictCase {
  readonly why: string
  readonly signature: Uint8Array
  readonly message: Uint8Array
  readonly publicKey: Uint8Array
  /** By SPEC [SIG-1]. */
  readonly valid: boolean
}

const torsion = Point.fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
const secret = 0x1234_5678_9abc_def0_1234n
const nonce = 0xfedc_ba98_7654_3210n

/** Cases over enough messages that both residues of k modulo 8 occur. */
export function strictCases(): readonly StrictCase[] {
  const cases: StrictCase[] = []
  for (let i = 0; i < 32; i++) cases.push(...casesFor(Buffer.from(`message ${i}`)))
  for (const publicKey of smallOrderKeys) cases.push(forgery(publicKey))
  return cases
}

function casesFor(message: Uint8Array): readonly StrictCase[] {
  const a = Point.BASE.multiply(secret)
  const r = Point.BASE.multiply(nonce)
  const honest = signed({ message, a, rBytes: r.toBytes(), nonce })
  const s = littleEndian(honest.signature.subarray(32))
  const zeroNonce = signed({ message, a, rBytes: Point.ZERO.toBytes(), nonce: 0n })
  // The identity as 1 + p: the same point in other bytes.
  const wideZero = Uint8Array.from(Buffer.from(smallOrderY[6] ?? "", "hex"))
  const mixedKey = signed({ message, a: a.add(torsion), rBytes: r.toBytes(), nonce })
  const mixedNonce = signed({ message, a, rBytes: r.add(torsion).toBytes(), nonce })
  const noncanonicalKey = Uint8Array.from(Buffer.from(`f0${"ff".repeat(30)}7f`, "hex")) // y = 3 + p
  const noncanonicalNonce = Uint8Array.from([...noncanonicalKey, ...honest.signature.subarray(32)])
  const mixedHolds = challenge(mixedKey.signature, mixedKey.publicKey, message) % 8n === 0n
  return [
    { why: "honest", ...honest, valid: true },
    { why: "another message", ...honest, message: Buffer.from("other"), valid: false },
    { why: "S + L", ...honest, signature: withS(honest.signature, s + order), valid: false },
    { why: "S + 8 L: top bits set", ...honest, signature: withS(honest.signature, s + 8n * order), valid: false },
    { why: "R is the identity and the equation holds", ...zeroNonce, valid: false },
    { why: "R is the identity, not canonical", ...signed({ message, a, rBytes: wideZero, nonce: 0n }), valid: false },
    { why: "A not canonical", ...honest, publicKey: noncanonicalKey, valid: false },
    { why: "R not canonical", ...honest, signature: noncanonicalNonce, valid: false },
    { why: `A of mixed order, cofactorless ${mixedHolds}`, ...mixedKey, valid: mixedHolds },
    { why: "R of mixed order: only the cofactored equation holds", ...mixedNonce, valid: false },
    { why: "all zero", ...honest, signature: new Uint8Array(64), valid: false },
  ]
}

/** R = the identity or any point, S = 0: many libraries accept this for every message under such a key. */
function forgery(publicKey: Uint8Array): StrictCase {
  const signature = new Uint8Array(64)
  signature[0] = 1
  return { why: "key of small order", signature, message: Buffer.from("anything"), publicKey, valid: false }
}

function signed(by: { message: Uint8Array; a: Point; rBytes: Uint8Array; nonce: bigint }) {
  const publicKey = by.a.toBytes()
  const start = Uint8Array.from([...by.rBytes, ...new Uint8Array(32)])
  const k = challenge(start, publicKey, by.message)
  return { signature: withS(start, (by.nonce + k * secret) % order), message: by.message, publicKey }
}

function challenge(signature: Uint8Array, publicKey: Uint8Array, message: Uint8Array): bigint {
  return littleEndian(sha512(Uint8Array.from([...signature.subarray(0, 32), ...publicKey, ...message]))) % order
}

function withS(signature: Uint8Array, s: bigint): Uint8Array {
  const changed = Uint8Array.from(signature)
  for (let i = 0, rest = s; i < 32; i++, rest >>= 8n) changed[32 + i] = Number(rest & 255n)
  return changed
}

function withSignBit(key: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(key)
  changed[31] = (changed[31] ?? 0) | 0x80
  return changed
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`)
}

/** Cases of the two signature suites: right ones, and those on which libraries are known to differ. SPEC §3.5. */

import { parseKeyIdentity, publicKeyBytes, suites } from "@kez/core"
import type { JudgeCase } from "../../../packages/core/test/support/judge.ts"
import { keyNamed, type TestKey } from "../../../packages/core/test/support/keys.ts"
import { mutated } from "../../../packages/core/test/support/random.ts"
import type { Dice } from "../dice.ts"
import { seedsOf } from "../vector-seeds.ts"

const order = 2n ** 252n + 27742317777372353535851937790883648493n
/** Points of small order, y not below p, and points that are on no curve. */
export const strangePoints = [
  ...[
    "00".repeat(32),
    `01${"00".repeat(31)}`,
    `ec${"ff".repeat(30)}7f`,
    `ed${"ff".repeat(30)}7f`,
    `ee${"ff".repeat(30)}7f`,
    `ef${"ff".repeat(30)}7f`,
  ],
  ...[
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  ],
  ...[
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    `${"00".repeat(31)}80`,
    `01${"00".repeat(30)}80`,
    "ff".repeat(32),
  ],
  ...[`02${"00".repeat(31)}`, `ed${"ff".repeat(31)}`, `ec${"ff".repeat(31)}`],
]

interface Signed {
  readonly key: string
  readonly message: string
  readonly signature: string
}

export function ed25519Case(dice: Dice): JudgeCase {
  if (dice.chance(15)) return crossed(dice, "ed25519")
  const signed = signedBy(keyNamed(`crosstest signer ${dice.below(8)}`), dice, 60)
  const r = signed.signature.slice(0, 64)
  const s = signed.signature.slice(64)
  switch (dice.below(9)) {
    case 0:
      return { ...signed, signature: r + plusOrder(s, 1 + dice.below(8)) }
    case 1:
      return { ...signed, signature: dice.pick(strangePoints) + s }
    case 2:
      return { ...signed, key: dice.pick(strangePoints) }
    case 3:
      return {
        ...signed,
        key: dice.pick(strangePoints),
        signature: dice.pick(strangePoints) + dice.pick(["00".repeat(32), s]),
      }
    case 4:
      return {
        ...signed,
        signature: r + dice.pick(["00".repeat(32), "ff".repeat(32), littleEndian(order), littleEndian(order - 1n)]),
      }
    default:
      return damaged(dice, signed)
  }
}

export function schnorrCase(dice: Dice): JudgeCase {
  if (dice.chance(15)) return crossed(dice, "schnorr")
  const signed = signedBy(keyNamed(`crosstest signer ${dice.below(3)}`, "nostr"), dice, 8)
  const edges = [
    "00".repeat(32),
    "ff".repeat(32),
    `${"ff".repeat(31)}fe`,
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
  ]
  if (dice.chance(15)) return { ...signed, signature: dice.pick(edges) + signed.signature.slice(64) }
  if (dice.chance(15)) return { ...signed, signature: signed.signature.slice(0, 64) + dice.pick(edges) }
  if (dice.chance(10)) return { ...signed, key: dice.pick(edges) }
  return damaged(dice, signed)
}

const made = new Map<string, Signed>()

/** One of a few messages, signed once: what the judges make of a signature is what costs, not its making. */
function signedBy(by: TestKey, dice: Dice, messages: number): Signed {
  const number = dice.below(messages)
  const name = `${by.key} ${number}`
  const known = made.get(name)
  if (known !== undefined) return known
  const message = Buffer.alloc(number === 0 ? 0 : 1 + ((number * 37) % 300), number)
  const signature = Buffer.from(suites[by.system].sign(message, by.secret)).toString("hex")
  const key = Buffer.from(publicKeyBytes(parseKeyIdentity(by.key))).toString("hex")
  const signed = { key, message: message.toString("hex"), signature }
  made.set(name, signed)
  return signed
}

function damaged(dice: Dice, signed: Signed): JudgeCase {
  const part = dice.pick(["key", "message", "signature", "nothing"] as const)
  if (part === "nothing") return { ...signed }
  return { ...signed, [part]: Buffer.from(mutated(Buffer.from(signed[part], "hex"), dice.below)).toString("hex") }
}

/** Parts of different vectors. */
function crossed(dice: Dice, suite: string): JudgeCase {
  const seeds = seedsOf(suite)
  const whole = dice.pick(seeds)
  const part = dice.pick(["key", "message", "signature"])
  return dice.chance(30) ? whole : { ...whole, [part]: dice.pick(seeds)[part] }
}

/** S + n·L as 32 bytes, cut where it no longer fits: the same scalar to a verifier that reduces it. */
function plusOrder(s: string, times: number): string {
  const value = BigInt(`0x${Buffer.from(s, "hex").reverse().toString("hex")}`)
  return littleEndian((value + BigInt(times) * order) % 2n ** 256n)
}

function littleEndian(value: bigint): string {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse().toString("hex")
}

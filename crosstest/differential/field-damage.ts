/** Damage to JSON by field: members dropped, renamed and repeated, and values that one of two decoders may read otherwise. */
import { ops } from "@kez/core"
import { timeText } from "./clock.ts"
import type { Dice } from "./dice.ts"
import { identityTexts, nextOf } from "./names.ts"
import { changedSomewhere, type Members, stringOf, type Tree } from "./tree.ts"

const numbers = [
  ...[
    "0",
    "1",
    "2",
    "-1",
    "7",
    "9999",
    "10000",
    "9007199254740991",
    "9007199254740992",
    "-9007199254740991",
    "-9007199254740992",
  ],
  ...[
    "-0",
    "0.0",
    "1.0",
    "1.5",
    "1e0",
    "1E2",
    "1e400",
    "-1e-400",
    "01",
    "+1",
    "--1",
    "1-",
    "1.",
    ".1",
    "0x1",
    "NaN",
    "Infinity",
  ],
  ...["18446744073709551615", "18446744073709551616", "340282366920938463463374607431768211456", "1e", "-"],
]

const strings = [
  ...[
    '""',
    '" "',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\ud83d\\ude00"',
    '"\\ud83d\\u0041"',
    '"\\ud83dx"',
    '"\\u0000"',
    '"\\u007F"',
  ],
  ...[
    '"\\u0085"',
    '"\\n"',
    '"\\/"',
    '"\\u0041"',
    '"\\x"',
    '"\\u12"',
    '"\\"',
    '"\\\\"',
    '"é"',
    '"e\u0301"',
    '"😀"',
    '"\u0080"',
    '"\u007f"',
  ],
  ...[
    '"__proto__"',
    '"toString"',
    '"null"',
    '"1"',
    `"${"a".repeat(300)}"`,
    `"${"a".repeat(5_000)}"`,
    '"sha256:"',
    "'a'",
    '"a',
    "nul",
  ],
]

const others = [
  ...["null", "true", "false", "[]", "{}", "[null]", "[1,2", "{", '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', "TRUE", ""],
  ...[6, 7, 8, 9].map((depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`),
  ...[64, 65].map((count) => `{${Array.from({ length: count }, (_, i) => `"m${i}":0`).join(",")}}`),
]

/** The tree with one fault somewhere. */
export function damagedField(dice: Dice, tree: Tree): Tree {
  if (dice.chance(30)) return changedMembers(dice, tree)
  return changedSomewhere(dice, tree, (name, value) =>
    "members" in value && dice.chance(60) ? damagedMembers(dice, value) : otherValue(dice, name, value),
  )
}

function changedMembers(dice: Dice, tree: Tree): Tree {
  if ("members" in tree && dice.chance(40)) return damagedMembers(dice, tree)
  return changedSomewhere(dice, tree, (name, value) =>
    "members" in value ? damagedMembers(dice, value) : otherValue(dice, name, value),
  )
}

const extraNames = [
  "note",
  "expires_at",
  "prev",
  "subject_id",
  "proof",
  "keep",
  "next",
  "toJSON",
  "__proto__",
  "constructor",
  "",
  "é",
  "seq",
]

function damagedMembers(dice: Dice, { members }: Members): Tree {
  if (members.length === 0) return { members: [["a", { raw: "1" }]] }
  const at = dice.below(members.length)
  const [name, value] = members[at] ?? ["", { raw: "null" }]
  switch (dice.below(6)) {
    case 0:
      return { members: members.filter((_, i) => i !== at) }
    case 1:
      return {
        members: members.with(at, [dice.pick([...extraNames, name.toUpperCase(), `${name} `, name.slice(1)]), value]),
      }
    case 2:
      return { members: [...members, [name, dice.chance(50) ? value : otherValue(dice, name, value)]] }
    case 3:
      return { members: [...members, [dice.pick(extraNames), { raw: dice.pick([...others, ...numbers, ...strings]) }]] }
    case 4:
      return { members: dice.shuffled(members) }
    default:
      return { members: members.with(at, [name, otherValue(dice, name, value)]) }
  }
}

/** Another value: mostly one that fits the member's type and breaks a later rule. */
function otherValue(dice: Dice, name: string, value: Tree): Tree {
  if ("items" in value && dice.chance(60)) return damagedItems(dice, value.items)
  if (dice.chance(25)) return { raw: dice.pick(dice.pick([numbers, strings, others])) }
  const fitting = fittingValue(dice, name, stringOf(value))
  return fitting === undefined ? { raw: dice.pick(dice.pick([numbers, numbers, strings, others])) } : { raw: fitting }
}

function damagedItems(dice: Dice, items: readonly Tree[]): Tree {
  const item = items.length === 0 ? { raw: '"x"' } : dice.pick(items)
  if (dice.chance(20)) return { items: Array.from({ length: 33 }, () => item) }
  if (dice.chance(40)) return { items: [...items, item] }
  return { items: items.slice(1) }
}

function fittingValue(dice: Dice, name: string, text: string | undefined): string | undefined {
  switch (name) {
    case "seq":
    case "size":
    case "version":
    case "epoch":
    case "number":
    case "counter":
      return dice.pick(numbers)
    case "created_at":
    case "expires_at":
    case "issued_at":
      return JSON.stringify(timeText(dice))
    case "op":
      return JSON.stringify(dice.pick([...ops, ...["ADD", "freeze", "toString", "", "add "]]))
    case "kez":
    case "type":
      return JSON.stringify(
        dice.pick([
          "claim",
          "sigchain_event",
          "chain_head",
          "presence",
          "kez.claim",
          "kez.sigchain.event",
          "kez.sigchain.head",
          "kez.pop",
          "Claim",
          "kez.Claim",
        ]),
      )
    case "alg":
      return JSON.stringify(
        dice.pick(["ed25519-sha512-jcs", "nostr-secp256k1-schnorr-sha256-jcs", "none", "Ed25519-sha512-jcs", ""]),
      )
    default:
      return text === undefined ? undefined : JSON.stringify(otherText(dice, text))
  }
}

/** Another text of the same make: digests, hex, identities. */
export function otherText(dice: Dice, text: string): string {
  const prefix = /^(?:sha256:|)(?=[0-9a-f]{64})/.exec(text)?.[0]
  if (prefix !== undefined) return prefix + otherHex(dice, text.slice(prefix.length))
  if (text.includes(":")) return dice.chance(50) ? nextOf(dice, text) : dice.pick(identityTexts)
  return dice.pick([text.toUpperCase(), `${text} `, text.slice(1), `${text}${text}`, `${text}-`, ""])
}

function otherHex(dice: Dice, hex: string): string {
  const at = dice.below(hex.length)
  const digit = dice.pick([..."0123456789abcdef"])
  return dice.pick([
    hex.slice(0, at) + digit + hex.slice(at + 1),
    hex.slice(0, at) + digit + hex.slice(at + 1),
    hex.toUpperCase(),
    hex.slice(1),
    `${hex}0`,
    "0".repeat(hex.length),
    "f".repeat(hex.length),
    `${hex.slice(0, -1)}g`,
    `sha256:${hex}`,
  ])
}

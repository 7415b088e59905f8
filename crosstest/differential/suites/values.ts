/** Cases of small values: identities, times, JSON, canonical JSON, links, recovery words. */

import { formatWords } from "../../../packages/core/src/mnemonic.ts"
import type { JudgeCase } from "../../../packages/core/test/support/judge.ts"
import { timeText } from "../clock.ts"
import type { Dice } from "../dice.ts"
import { damagedField } from "../field-damage.ts"
import { identityTexts, nextOf } from "../names.ts"
import { asText, damagedBytes, damagedText, ofText } from "../text-damage.ts"
import { treeOf, write } from "../tree.ts"
import { seedsOf, textOfSeed } from "../vector-seeds.ts"

export function identityCase(dice: Dice): JudgeCase {
  const seeds = seedsOf("identities").map((seed) => textOfSeed(seed, "text"))
  const base = dice.chance(40) ? dice.pick(seeds) : dice.pick(identityTexts)
  if (dice.chance(15)) return { text: base }
  if (dice.chance(50)) return { text: asText(nextOf(dice, base)) }
  return { text: asText(damagedText(dice, base, dice.pick(identityTexts))) }
}

export function timeCase(dice: Dice): JudgeCase {
  const base = dice.chance(30) ? textOfSeed(dice.pick(seedsOf("times")), "text") : timeText(dice)
  return { text: dice.chance(65) ? asText(base) : asText(damagedText(dice, base, timeText(dice))) }
}

const words = ["a", "b", "", "é", "€", "😀", "\ufb33", "\\", '"', "/", "__proto__", "aa", "A", "0", "\uffff", "\ue000"]

/** A value of plain data, with members in any order. */
function value(dice: Dice, depth: number, number: (dice: Dice) => number): unknown {
  const kind = dice.below(depth > 0 ? 8 : 5)
  if (kind === 0) return null
  if (kind === 1) return dice.chance(50)
  if (kind < 4) return number(dice)
  if (kind === 4) return text(dice)
  const count = dice.below(dice.pick([3, 4, 6]))
  if (kind === 5) return Array.from({ length: count }, () => value(dice, depth - 1, number))
  return Object.fromEntries(Array.from({ length: count }, () => [text(dice), value(dice, depth - 1, number)]))
}

function text(dice: Dice): string {
  const length = dice.below(dice.pick([2, 3, 8]))
  return Array.from({ length }, () => (dice.chance(70) ? dice.pick(words) : character(dice))).join("")
}

function character(dice: Dice): string {
  const unit = dice.below(dice.pick([0x80, 0x800, 0x10000, 0x110000]))
  return unit >= 0xd800 && unit <= 0xdfff ? "x" : String.fromCodePoint(unit)
}

const integer = (dice: Dice): number =>
  dice.pick([0, 1, -1, 10, 1e15, 9_007_199_254_740_991, -9_007_199_254_740_991, dice.below(2 ** 32)])

/** Any finite double: of all exponents, near powers of ten and two, and where RFC 8785 changes its notation. */
function double(dice: Dice): number {
  if (dice.chance(30)) return integer(dice)
  if (dice.chance(30)) {
    const near = dice.pick([
      1e21, 1e-6, 1e-7, 1e20, 1e22, 9.007199254740994e15, 5e-324, 1.7976931348623157e308, 0.1, 333333333.3333332,
    ])
    return near * (1 + (dice.below(5) - 2) * Number.EPSILON)
  }
  const bits = new DataView(new ArrayBuffer(8))
  bits.setUint32(0, dice.below(2 ** 32))
  bits.setUint32(4, dice.below(2 ** 32))
  const drawn = bits.getFloat64(0)
  // Minus zero and what is no number have no JSON form of their own.
  return Number.isFinite(drawn) && drawn !== 0 ? drawn : 1
}

export function canonicalCase(dice: Dice): JudgeCase {
  if (dice.chance(10)) return dice.pick(seedsOf("canonical-json"))
  const made = value(dice, dice.below(5), (d) => plain(double(d)))
  return { value: dice.chance(3) ? nested(made, dice.pick([60, 63, 64, 65, 130, 300])) : made }
}

/** Deeper than is canonicalised, or just not. JCS-2 */
function nested(inner: unknown, levels: number): unknown {
  let made = inner
  for (let i = 0; i < levels; i++) made = i % 2 === 0 ? [made] : { a: made }
  return made
}

function plain(number: number): number {
  return Number.isFinite(number) ? number : 1
}

export function jsonCase(dice: Dice): JudgeCase {
  if (dice.chance(20)) {
    const seed = dice.pick(seedsOf("json"))
    return dice.chance(20) ? seed : ofText(damagedText(dice, textOfSeed(seed, "text"), '{"a":[1,"\\u00e9"]}'))
  }
  const made = value(dice, dice.below(8), integer)
  if (dice.chance(35)) return ofText(write(damagedField(dice, treeOf(made))))
  const written = JSON.stringify(made, null, dice.pick([0, 0, 1, "\t", "\r\n"]))
  if (dice.chance(40)) return { text: written }
  return dice.chance(60) ? ofText(damagedText(dice, written, '{"\\ud83d\\ude00":-7}')) : damagedBytes(dice, written)
}

export function linkCase(dice: Dice): JudgeCase {
  if (dice.chance(20)) return dice.pick(seedsOf("sigchain-link"))
  const seq = dice.below(6)
  const digest = dice.pick(["aa", "bb", "sha256:aa", ""])
  const next = { seq: dice.pick([seq + 1, seq + 1, seq, seq + 2, dice.below(9), 9_007_199_254_740_991]) }
  return { head: { seq, digest }, next: { ...next, prev: dice.pick([digest, digest, "aa", "cc"]) } }
}

const spaces = [
  " ",
  " ",
  " ",
  "  ",
  "\t",
  "\n",
  "\r\n",
  "\v",
  "\f",
  "\u00a0",
  "\u2003",
  "\u3000",
  "\u0085",
  "\u200b",
  "\u2028",
]
const wide = (word: string): string => word.replace(/[a-z]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0))

export function wordsCase(dice: Dice): JudgeCase {
  const seeds = seedsOf("mnemonics").map((seed) => textOfSeed(seed, "words"))
  if (dice.chance(15)) return { words: asText(damagedText(dice, dice.pick(seeds), dice.pick(seeds))) }
  const entropy = Uint8Array.from({ length: dice.pick([16, 32]) }, () => dice.below(256))
  const list = formatWords(entropy).split(" ")
  const at = dice.below(list.length)
  const word = list[at] ?? ""
  switch (dice.below(9)) {
    case 0:
      list[at] = dice.pick([...list, "zoo", "abandon"])
      break
    case 1:
      list[at] = dice.pick(["kez", "zoos", word.slice(0, 4), `${word}s`, word.normalize("NFD"), "İ", "ß", "ﬁx"])
      break
    case 2:
      list[at] = dice.pick([word.toUpperCase(), wide(word), wide(word).toUpperCase(), `${word}\u0301`])
      break
    case 3:
      list.splice(at, dice.below(2), ...dice.some(list, 10))
      break
    default:
  }
  return {
    words: asText(list.join(dice.chance(70) ? " " : dice.pick(spaces)) + (dice.chance(10) ? dice.pick(spaces) : "")),
  }
}

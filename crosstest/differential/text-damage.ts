/** Damage to a text by character and by byte, and how a damaged text stands in a case. */
import type { JudgeCase } from "../../packages/core/test/support/judge.ts"
import { mutated } from "../../packages/core/test/support/random.ts"
import type { Dice } from "./dice.ts"

/** Characters that parsers disagree about, and those that mean something to one of ours. */
const hostile = [
  ..." \t\n\r\0\v\f\"'\\/:;,.@#-_+`~>{}[]()0129azAZ=?%",
  ...["\u007f", "\u0085", "\u00a0", "\u00e9", "e\u0301", "\u0130", "\u017f", "\u212a", "\u2028", "\u200b", "\u3000"],
  ...["\ufeff", "\uff21", "\ufffd", "\ud800", "\udc00", "😀", "ﬁ", "\r\n", "kez:", "Chain: https://a.example/c"],
]

const fatal = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The text with one to three faults; `other` is what a splice takes its second half from. */
export function damagedText(dice: Dice, source: string, other: string): string {
  let text = source
  for (let faults = 1 + dice.below(dice.pick([1, 1, 2, 3])); faults > 0; faults--) text = once(dice, text, other)
  return text
}

function once(dice: Dice, text: string, other: string): string {
  const at = dice.below(text.length + 1)
  const length = 1 + dice.below(dice.pick([1, 2, 8, 64]))
  switch (dice.below(8)) {
    case 0:
      return text.slice(0, at) + dice.pick(hostile) + text.slice(at)
    case 1:
      return text.slice(0, at) + dice.pick(hostile) + text.slice(at + 1)
    case 2:
      return text.slice(0, at) + text.slice(at + length)
    case 3:
      return text.slice(0, at) + text.slice(Math.max(0, at - length))
    case 4:
      return dice.chance(50) ? text.slice(0, at) : text.slice(at)
    case 5:
      return text.slice(0, at) + other.slice(dice.below(other.length + 1))
    case 6:
      return text.slice(0, at) + otherCase(text.slice(at, at + length)) + text.slice(at + length)
    default:
      return text.slice(0, at) + flipped(dice, text.slice(at, at + 1)) + text.slice(at + 1)
  }
}

function otherCase(text: string): string {
  return text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase()
}

function flipped(dice: Dice, unit: string): string {
  return unit === "" ? "" : String.fromCharCode(unit.charCodeAt(0) ^ (1 << dice.below(8)))
}

/** The text with faults in its bytes: `text` where they are still UTF-8, else `hex`. */
export function damagedBytes(dice: Dice, source: string): JudgeCase {
  return ofBytes(mutated(Buffer.from(source), dice.below))
}

export function ofBytes(bytes: Uint8Array): JudgeCase {
  try {
    return { text: fatal.decode(bytes) }
  } catch {
    return { hex: Buffer.from(bytes).toString("hex") }
  }
}

/** A text as a case: one with half a surrogate pair, which no line can hold, by the bytes that some write for it. */
export function ofText(text: string): JudgeCase {
  if (text.isWellFormed()) return { text }
  const parts = text.split(/([\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff])/)
  return {
    hex: parts.map((part) => (part.length === 1 && !part.isWellFormed() ? halfHex(part) : utf8Hex(part))).join(""),
  }
}

function utf8Hex(text: string): string {
  return Buffer.from(text).toString("hex")
}

function halfHex(half: string): string {
  const unit = half.charCodeAt(0)
  return Buffer.from([0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 63), 0x80 | (unit & 63)]).toString("hex")
}

/** For cases that hold text only. */
export function asText(text: string): string {
  return text.toWellFormed()
}

/** Spellings of times, right and wrong. SPEC §3.4. */
import { formatTime } from "@kez/core"
import { now } from "../../packages/core/test/support/chains.ts"
import type { Dice } from "./dice.ts"

const years = [
  "2026",
  "2026",
  "2024",
  "2000",
  "1900",
  "1970",
  "1969",
  "9999",
  "0000",
  "10000",
  "026",
  "2100",
  "+2026",
  "２０２６",
]
const zones = ["Z", "Z", "Z", "z", "+00:00", "-00:00", "+01:00", "-00:01", "+0000", "+00", "", " Z", "ZZ", "+00:00Z"]
const fractions = ["", "", "", ".5", ".000000000", ".123456789", ".1234567890", ".", ",5", ".5x"]
/** Seconds from "now" at which rules change. */
const distances = [
  0, 1, -1, 60, -60, 299, 300, 301, 600, 601, 86_400, -86_400, 604_800, 604_801, 7_776_000, 7_776_001, -31_536_000,
]

/** A time near "now" in its only strict spelling. */
export function nearTime(dice: Dice): string {
  return formatTime(now + dice.pick(distances))
}

export function timeText(dice: Dice): string {
  if (dice.chance(40)) return nearTime(dice)
  const two = (usual: number, odd: readonly string[]) =>
    dice.chance(12) ? dice.pick(odd) : String(1 + dice.below(usual)).padStart(2, "0")
  const usually = (usual: string, odd: readonly string[]) => (dice.chance(70) ? usual : dice.pick(odd))
  const date = [
    usually("2026", years),
    two(12, ["00", "13", "2", "99"]),
    two(31, ["00", "32", "29", "30", "31", "1"]),
  ].join("-")
  const leap = dice.chance(10)
  const clock = leap
    ? dice.pick(["23:59:60", "23:59:60", "00:59:60", "22:59:60", "23:58:60"])
    : [two(23, ["24", "00", "7", "25"]), two(59, ["60", "00", "5"]), two(59, ["60", "61", "00", "9"])].join(":")
  const joint = dice.chance(85) ? "T" : dice.pick(["t", " ", "_", ""])
  return `${date}${joint}${clock}${usually("", fractions)}${usually("Z", zones)}`
}

/** Cases of chain documents: JSONL and `kez:zc1:`. SPEC §5.9. */
import { encodeBase64Url } from "@kez/core"
import type { JudgeCase } from "../../../packages/core/test/support/judge.ts"
import { mutated } from "../../../packages/core/test/support/random.ts"
import type { Made } from "../chain-maker.ts"
import type { Dice } from "../dice.ts"
import { baseChain } from "../pools.ts"
import { damagedEnvelope } from "../seal.ts"
import { damagedBytes, damagedText, ofText } from "../text-damage.ts"
import { seedsOf, textOfSeed } from "../vector-seeds.ts"
import { frame, strangeFrame } from "./encodings.ts"

const maxDocumentBytes = 8_388_608

export function documentCase(dice: Dice): JudgeCase {
  if (dice.below(800) === 0) return { text: "{}\n".repeat(9_999 + dice.below(3)) }
  if (dice.chance(8)) {
    const text = textOfSeed(dice.pick(seedsOf("chain-documents")), "text")
    return ofText(dice.chance(30) ? text : damagedText(dice, text, "\n{}\n"))
  }
  const lines = linesOf(dice)
  const text = `${lines.join(dice.chance(92) ? "\n" : dice.pick(["\r\n", "\n\n", " \n", "\n "]))}${dice.pick(["\n", "\n", "\n", "\n", "\n", "\n", "", "\n\n", "\n ", "\r\n"])}`
  if (dice.chance(30)) return dice.chance(90) ? ofText(compact(dice, text)) : damagedBytes(dice, compact(dice, text))
  if (dice.chance(60)) return ofText(text)
  return dice.chance(70) ? ofText(damagedText(dice, text, lines.at(-1) ?? "")) : damagedBytes(dice, text)
}

/** The lines of one branch, some of them damaged, lost, repeated, or of another branch. */
function linesOf(dice: Dice): string[] {
  const events = baseChain(dice)
  const branch = branchTo(dice.pick(events))
  const lines = branch.map(({ text }) => text)
  if (dice.chance(35)) return lines
  const at = dice.below(lines.length)
  const line = lines[at] ?? ""
  switch (dice.below(7)) {
    case 0:
      return lines.toSpliced(at, 1)
    case 1:
      return lines.toSpliced(at, 0, line)
    case 2:
      return lines.with(at, dice.pick(events).text)
    case 3:
      return dice.shuffled(lines)
    case 4:
      return lines.with(
        at,
        dice.pick([
          `${line} `,
          ` ${line}`,
          JSON.stringify(JSON.parse(line), null, 1).replaceAll("\n", ""),
          "",
          " ",
          "{}",
          "[]",
          "null",
          line.replace("kez", "\\u006bez"),
          `{"a":"${"x".repeat(4_000)}"}`,
          line.replace(/\{"kez":("[^"]*"),(.*)\}$/, '{$2,"kez":$1}'),
          `${line}${" ".repeat(4_001)}`,
        ]),
      )
    default:
      return lines.with(at, damagedEnvelope(dice, line))
  }
}

function branchTo(last: Made): readonly Made[] {
  const branch: Made[] = []
  for (let event: Made | undefined = last; event !== undefined; event = event.parent) branch.unshift(event)
  return branch
}

function compact(dice: Dice, text: string): string {
  const prefix = dice.chance(94) ? "kez:zc1:" : dice.pick(["kez:z1:", "KEZ:ZC1:", "kez:zc2:", "kez:ZC1:"])
  const bytes = dice.chance(15)
    ? strangeFrame(dice, text.slice(0, 8_000), maxDocumentBytes)
    : frame(text, dice.below(60))
  const damaged = dice.chance(25) ? mutated(bytes, dice.below) : bytes
  const end = dice.pick(["", "", "", "\n", "\n", "\n\n", "\r\n", " ", "="])
  return `${prefix}${encodeBase64Url(damaged)}${end}`
}

/** Cases of texts that may hold a proof: JSON, compact, Markdown, zone lines, references, and all of them in one text. SPEC §4. */
import { constants, zstdCompressSync } from "node:zlib"
import { encodeBase64Url } from "@kez/core"
import { block, frameOf } from "../../../packages/core/test/support/frames.ts"
import type { JudgeCase } from "../../../packages/core/test/support/judge.ts"
import { mutated } from "../../../packages/core/test/support/random.ts"
import { claims } from "../claims.ts"
import type { Dice } from "../dice.ts"
import { damagedEnvelope } from "../seal.ts"
import { damagedBytes, damagedText, ofText } from "../text-damage.ts"
import { seedsOf, textOfSeed } from "../vector-seeds.ts"

const hints = [
  "Chain: https://a.example/c",
  "Chain: http://a.example/c",
  "Chain: https://a.example/c d",
  "chain: https://a.example",
  "Chain:https://a.example",
  `Chain: https://a.example/${"x".repeat(2_030)}`,
  "Chain: https://",
  " Chain: https://a.example/s",
]

export function encodingCase(dice: Dice): JudgeCase {
  if (dice.chance(12)) {
    const seed = dice.pick(seedsOf("encodings"))
    const other = dice.pick(seedsOf("encodings"))
    return dice.chance(20) ? seed : ofText(damagedText(dice, textOfSeed(seed, "text"), textOfSeed(other, "text")))
  }
  const text = formOf(dice)
  if (dice.chance(50)) return ofText(text)
  return dice.chance(80) ? ofText(damagedText(dice, text, formOf(dice))) : damagedBytes(dice, text)
}

function formOf(dice: Dice): string {
  switch (dice.below(10)) {
    case 0:
      return json(dice)
    case 1:
    case 2:
      return compactText(dice)
    case 3:
      return reference(dice)
    case 4:
    case 5:
      return zoneLines(dice)
    default:
      return document(dice)
  }
}

function json(dice: Dice): string {
  const { text } = dice.pick(claims)
  const damaged = dice.chance(20) ? damagedEnvelope(dice, text) : text
  return dice.chance(40) ? JSON.stringify(JSON.parse(text), null, 2) : damaged
}

const pool: string[] = []

/** Compact texts of claims by different compressors; then frames that no compressor writes. */
export function compactText(dice: Dice): string {
  if (dice.chance(25)) return `kez:z1:${encodeBase64Url(strangeFrame(dice, claims[dice.below(8)]?.text ?? ""))}`
  if (pool.length === 0)
    pool.push(...claims.slice(0, 60).map(({ text }, i) => `kez:z1:${encodeBase64Url(frame(text, i))}`))
  const text = dice.pick(pool)
  if (dice.chance(70)) return text
  const bytes = mutated(Buffer.from(text.slice(7), "base64url"), dice.below)
  return `kez:z1:${encodeBase64Url(bytes)}`
}

export function frame(text: string, variant: number): Uint8Array {
  const bytes = Buffer.from(text)
  return zstdCompressSync(bytes, {
    ...(variant % 3 === 0 ? {} : { pledgedSrcSize: bytes.length }),
    params: {
      [constants.ZSTD_c_compressionLevel]: [1, 3, 9, 19, -5][variant % 5] ?? 3,
      [constants.ZSTD_c_windowLog]: [10, 17, 20, 20, 21][(variant >> 1) % 5] ?? 20,
      [constants.ZSTD_c_checksumFlag]: variant % 4 === 1 ? 1 : 0,
      [constants.ZSTD_c_contentSizeFlag]: variant % 3 === 0 ? 0 : 1,
    },
  })
}

/** Frames built by hand: sizes that lie, windows, dictionaries, several blocks, skippable frames, bytes after the end. */
export function strangeFrame(dice: Dice, text: string, cap = 65_536): Uint8Array {
  const content = [...Buffer.from(text)]
  const cut = dice.below(content.length + 1)
  const length = dice.pick([
    content.length,
    content.length,
    content.length,
    0,
    content.length + 1,
    content.length - 1,
    cap,
    cap + 1,
    1_048_576,
    1_048_577,
    2 ** 31,
    2 ** 53,
  ])
  const blocks = dice.pick([
    [block(content)],
    [block(content.slice(0, cut), { last: false }), block(content.slice(cut))],
    [block(content, { last: false })],
    [block(content, { last: false }), block([0x20], { type: 1, size: dice.pick([0, 1, 10, 131_072, 131_073]) })],
    [block([0x20], { type: 1, size: dice.pick([65_535, 65_536, 65_537, 131_072]), last: false }), block(content)],
    [block(content, { type: dice.below(4) })],
    [block([], { last: true })],
  ])
  const parts = {
    ...(dice.chance(60) ? { size: Math.max(0, length) } : {}),
    ...(dice.chance(60) ? { window: dice.pick([0, 8, 80, 80, 81, 88, 248, 255]) } : {}),
    ...(dice.chance(5) ? { dictionary: true } : {}),
    ...(dice.chance(15) ? { checksum: true } : {}),
    ...(dice.chance(3) ? { reserved: true } : {}),
  }
  const whole = parts.size === undefined && parts.window === undefined ? { ...parts, window: 80 } : parts
  const bytes = frameOf({ ...whole, blocks })
  if (dice.chance(8))
    return Buffer.concat([
      bytes,
      dice.pick([Buffer.of(0), Buffer.from(bytes), Buffer.of(0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0)]),
    ])
  return dice.chance(5) ? Buffer.concat([Buffer.of(0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0), bytes]) : bytes
}

function reference(dice: Dice): string {
  const hex = dice.chance(85)
    ? (dice.pick(["ab", "cd"]) + "01").repeat(16)
    : dice.pick(["AB".repeat(32), "ab".repeat(31), "ab".repeat(33), ""])
  const host = dice.pick([
    "",
    "",
    "@store.example",
    "@localhost",
    "@Store.Example",
    "@a",
    "@",
    "@a.example.",
    "@a.example..",
    "@a.example:80",
    "@xn--a.b",
    "@@a.b",
  ])
  return `${dice.chance(92) ? "kez:r1:" : dice.pick(["kez:R1:", "KEZ:r1:", "kez:r2:", "kez:"])}${hex}${host}`
}

function zoneLines(dice: Dice): string {
  return Array.from({ length: 1 + dice.below(dice.pick([1, 1, 3, 12])) }, () => zoneLine(dice)).join(
    dice.pick(["\n", "\n", "\r\n", "\n\n"]),
  )
}

function zoneLine(dice: Dice): string {
  const text = dice.pick([compactText, compactText, reference, (d: Dice) => d.pick(hints), () => "v=spf1 -all"])(dice)
  const size = dice.pick([255, 255, 200, 1_000])
  const parts = (text.match(new RegExp(`.{1,${size}}`, "gs")) ?? [""]).map((part) => `"${part}"`)
  const gap = () => dice.pick([" ", " ", " ", "\t", "  "])
  const owner = dice.pick([
    "_kez.a.example.",
    "_kez.a.example.",
    "_kez.a",
    "_kez.",
    "_kez",
    "_KEZ.a.example.",
    "_kez.é",
    "a.example.",
  ])
  const ttl = dice.pick(["3600", "3600", "", "0", "1234567890", "12345678901", "1h", "-1"])
  const kind = dice.pick(["IN TXT", "IN TXT", "TXT", "in txt", "IN  TXT", "CH TXT", "IN SPF"])
  return (
    [owner, ttl, kind].filter((part) => part !== "").join(gap()) + gap() + parts.join(dice.pick([" ", " ", "", "\t"]))
  )
}

const fences = ["```", "```", "```", "````", "~~~", "~~~~", "``", " ```", "   ```", "    ```", "> ```", "\t```"]
const infos = ["kez", "kez", "kez", "kez json", " kez ", "Kez", "json", "kezz", "", "kez`", "\tkez", "kez\u00a0x"]

/** A document of several pieces, each a fence, a token, a hint or words. */
function document(dice: Dice): string {
  const pieces = Array.from({ length: 1 + dice.below(dice.pick([2, 4, 12])) }, () => piece(dice))
  return pieces.join(dice.pick(["\n", "\n", "\n\n", "\r\n", " "]))
}

function piece(dice: Dice): string {
  switch (dice.below(6)) {
    case 0:
    case 1:
    case 2:
      return fence(dice)
    case 3: {
      const before = dice.pick(["", "", " ", "(", "[", "<", '"', "'", "`", "x", "\t", "é", "(see "])
      return (
        before + dice.pick([compactText, reference])(dice) + dice.pick(["", "", ".", "..", ")", ">", "é", " and", "="])
      )
    }
    case 4:
      return dice.pick(hints)
    default:
      return dice.pick([
        "# alice",
        "Primary: ed25519:…",
        "plain words",
        "kez:",
        "kez",
        "<!-- ```kez -->",
        "* ```kez",
        "",
      ])
  }
}

function fence(dice: Dice): string {
  const open = dice.pick(fences)
  const close = dice.pick([
    open,
    open,
    open,
    open.trim(),
    `${open} `,
    `${open.trim()}\``,
    `${open.trim()}~`,
    "```",
    "~~~",
    ` ${open}\t`,
    "",
  ])
  const inside = dice.pick([
    json,
    json,
    compactText,
    reference,
    (d: Dice) => d.pick(["", "x", "kez:z1:", "```", "~~~", ...hints]),
  ])(dice)
  return `${open}${dice.pick(infos)}\n${inside}\n${close}`
}

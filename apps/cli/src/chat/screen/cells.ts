/** Columns that texts take on a terminal, by what people see as one character: wide ones, emoji, marks that sit on others. */
import { eastAsianWidth } from "get-east-asian-width"

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" })
const emoji = /^\p{RGI_Emoji}$/v
const invisible = /^[\p{Cc}\p{Cf}\p{Mn}\p{Me}]+$/u
const plainAscii = /^[\x20-\x7e]*$/

/** What people see as single characters. */
export function graphemesOf(text: string): readonly string[] {
  return plainAscii.test(text) ? [...text] : [...segmenter.segment(text)].map(({ segment }) => segment)
}

export function cellsOfGrapheme(grapheme: string): number {
  if (invisible.test(grapheme)) return 0
  if (emoji.test(grapheme)) return 2
  return eastAsianWidth(grapheme.codePointAt(0) ?? 32)
}

export function cellsOf(text: string): number {
  if (plainAscii.test(text)) return text.length
  return graphemesOf(text).reduce((sum, one) => sum + cellsOfGrapheme(one), 0)
}

/** At most `cells` columns; what is cut off leaves a mark. */
export function cutCells(text: string, cells: number): string {
  if (cells <= 0) return ""
  if (cellsOf(text) <= cells) return text
  let [kept, used] = ["", 0]
  for (const one of graphemesOf(text)) {
    const width = cellsOfGrapheme(one)
    if (used + width > cells - 1) break
    kept += one
    used += width
  }
  return `${kept}…`
}

export function padCells(text: string, cells: number): string {
  return text + " ".repeat(Math.max(0, cells - cellsOf(text)))
}

/** Cut and padded to exactly `cells`. */
export function fitCells(text: string, cells: number): string {
  return padCells(cutCells(text, cells), cells)
}

/** Lines of at most `cells` (the first: `firstCells`), broken at spaces, and within a word that alone is longer. */
export function breakCells(text: string, cells: number, firstCells: number = cells): readonly string[] {
  let room = Math.max(2, firstCells)
  if (cellsOf(text) <= room) return [text]
  const lines: string[] = []
  let [line, used] = ["", 0]
  const push = (): void => {
    lines.push(line)
    line = ""
    used = 0
    room = Math.max(2, cells)
  }
  for (const word of text.split(/(?<= )/)) {
    const width = cellsOf(word)
    if (used > 0 && used + cellsOf(word.trimEnd()) > room) push()
    if (width <= room || cellsOf(word.trimEnd()) <= room) {
      line += word
      used += width
      continue
    }
    for (const one of graphemesOf(word)) {
      const wide = cellsOfGrapheme(one)
      if (used + wide > room) push()
      line += one
      used += wide
    }
  }
  return [...lines, line].map((one) => one.trimEnd())
}

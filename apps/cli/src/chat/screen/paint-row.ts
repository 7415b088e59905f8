/** Rows of the screen as pieces with a style each, so that cutting never cuts an escape sequence, and colours can be left out. */
import { cellsOf, cutCells } from "./cells.ts"

export type Style = "plain" | "bold" | "dim" | "good" | "warn" | "bad" | "self" | "bar" | "chosen"

export interface Piece {
  readonly text: string
  readonly style: Style
}

export type Row = readonly Piece[]

/** `inverse` and `bold` stand without colours too: they carry no meaning alone. */
const codes: Readonly<Record<Style, readonly [color: string, mono: string]>> = {
  plain: ["", ""],
  bold: ["1", "1"],
  dim: ["2", ""],
  good: ["32", ""],
  warn: ["33", ""],
  bad: ["1;31", "1"],
  self: ["36", ""],
  bar: ["7", "7"],
  chosen: ["7", "7"],
}

export function piece(text: string, style: Style = "plain"): Piece {
  return { text, style }
}

export function cellsOfRow(row: Row): number {
  return row.reduce((sum, { text }) => sum + cellsOf(text), 0)
}

/** Cut and padded to exactly `cells`, the padding in the style of `fill`. */
export function fitRow(row: Row, cells: number, fill: Style = "plain"): Row {
  const kept: Piece[] = []
  let left = cells
  for (const { text, style } of row) {
    if (left <= 0) break
    const cut = cutCells(text, left)
    kept.push({ text: cut, style })
    left -= cellsOf(cut)
    if (cut !== text) break
  }
  return left > 0 ? [...kept, piece(" ".repeat(left), fill)] : kept
}

export function formatRow(row: Row, color: boolean): string {
  return row
    .map(({ text, style }) => {
      const code = codes[style][color ? 0 : 1]
      return code === "" || text === "" ? text : `\x1b[${code}m${text}\x1b[0m`
    })
    .join("")
}

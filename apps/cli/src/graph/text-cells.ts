/** How many columns of a terminal a text takes, and breaking it there. */

/** Glyphs of ours that terminals draw over two columns. */
const wideGlyphs = /⌛/gu

export function cellsOf(text: string): number {
  return [...text].length + (text.match(wideGlyphs)?.length ?? 0)
}

export function padCells(text: string, cells: number): string {
  return text + " ".repeat(Math.max(0, cells - cellsOf(text)))
}

/** At most `cells` columns; what is cut off leaves a mark. */
export function cutCells(text: string, cells: number): string {
  if (cellsOf(text) <= cells) return text
  const chars = [...text]
  while (chars.length > 0 && cellsOf(chars.join("")) > cells - 1) chars.pop()
  return `${chars.join("")}…`
}

/** Lines of at most `width` columns, broken at spaces, and within a word that alone is longer. */
export function breakCells(text: string, width: number): readonly string[] {
  const room = Math.max(8, width)
  const lines: string[] = []
  let line = ""
  for (const word of text.split(" ").flatMap((one) => piecesOf(one, room))) {
    const longer = line === "" ? word.text : `${line}${word.isRest ? "" : " "}${word.text}`
    if (line !== "" && cellsOf(longer) > room) {
      lines.push(line)
      line = word.text
    } else line = longer
  }
  return [...lines, line]
}

interface Piece {
  readonly text: string
  /** Whether it goes on where the piece before it ended. */
  readonly isRest: boolean
}

function piecesOf(word: string, room: number): readonly Piece[] {
  const chars = [...word]
  if (chars.length <= room) return [{ text: word, isRest: false }]
  const pieces: Piece[] = []
  // Of one length: a last piece of one character looks like a mistake.
  const length = Math.ceil(chars.length / Math.ceil(chars.length / room))
  for (let at = 0; at < chars.length; at += length) {
    pieces.push({ text: chars.slice(at, at + length).join(""), isRest: at > 0 })
  }
  return pieces
}

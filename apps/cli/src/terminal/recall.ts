/** The recovery words on the screen, and the check that they are on paper: four of them typed, by number. */
import type { Terminal } from "./terminal.ts"

const asked = 4

export interface RecallOptions {
  /** A random integer from 0 up to and not including `end`. */
  random(end: number): number
}

/** Shows the words until its reader has proved to have them, or has put the proof off. */
export async function writeDown(
  terminal: Terminal,
  words: readonly string[],
  options: RecallOptions,
): Promise<"confirmed" | "pending"> {
  let why: readonly string[] = []
  for (;;) {
    await showWords(terminal, words, why)
    const choice = await terminal.choose({
      text: "Check now that your paper is right?",
      flag: "--no-input",
      choices: [
        ["now", `yes: I type ${asked} of the words`],
        ["later", "later"],
      ],
    })
    if (choice === "later") return "pending"
    if (await recall(terminal, words, options)) return "confirmed"
    why = ["That does not match either. Here are the words again: compare them with your paper.", ""]
  }
}

/** Two tries. The second asks again for the word that was wrong, among others. */
export async function recall(terminal: Terminal, words: readonly string[], options: RecallOptions): Promise<boolean> {
  const missed = await askFor(terminal, words, { positions: choosePositions(words.length, options), why: [] })
  if (missed === undefined) return true
  // Says which number, never which word.
  const why = [`Word ${missed + 1} does not match. Look at your paper: did you write the words in order?`, ""]
  const positions = choosePositions(words.length, options, missed)
  return (await askFor(terminal, words, { positions, why })) === undefined
}

/**
 * The position of the first word typed wrong. What is typed vanishes with its screen, and so does what was said before
 * it: `why` is shown on the same one.
 */
function askFor(
  terminal: Terminal,
  words: readonly string[],
  { positions, why }: { readonly positions: readonly number[]; readonly why: readonly string[] },
): Promise<number | undefined> {
  return terminal.privately(paperQuestion, async () => {
    if (why.length > 0) terminal.show(why)
    for (const [i, position] of positions.entries()) {
      const text = `Word ${position + 1} (${i + 1} of ${positions.length})`
      const typed = await terminal.ask({ ...paperQuestion, text })
      if (typed.toLowerCase() !== words[position]) return position
    }
    return undefined
  })
}

const paperQuestion = { text: "Recovery words", flag: "--no-input" }

function choosePositions(count: number, { random }: RecallOptions, among?: number): readonly number[] {
  const chosen = new Set<number>(among === undefined ? [] : [among])
  while (chosen.size < asked) chosen.add(random(count))
  return [...chosen].sort((a, b) => a - b)
}

function showWords(terminal: Terminal, words: readonly string[], why: readonly string[]): Promise<void> {
  return terminal.privately(paperQuestion, async () => {
    terminal.show([
      ...why,
      `Write these ${words.length} words on paper, with their numbers. They are the only way back to this identity,`,
      "and whoever has them has the identity. They are not stored in readable form.",
      "",
      ...formatWordGrid(words, terminal.plain ? 1 : columnsFor(terminal.width)),
      "",
    ])
    await terminal.confirmRead("Press Enter when they are on paper; they then leave the screen.")
  })
}

const cellWidth = 14

function columnsFor(width: number): number {
  if (width >= 4 * cellWidth) return 4
  return width >= 2 * cellWidth ? 2 : 1
}

/** Numbered words, down the columns. */
export function formatWordGrid(words: readonly string[], columns: number): readonly string[] {
  const rows = Math.ceil(words.length / columns)
  return Array.from({ length: rows }, (_, row) => {
    const cells = Array.from({ length: columns }, (_, column) => column * rows + row)
    const line = cells.map((i) => `${String(i + 1).padStart(4)} ${words[i] ?? ""}`.padEnd(cellWidth + 1)).join("")
    return line.trimEnd()
  })
}

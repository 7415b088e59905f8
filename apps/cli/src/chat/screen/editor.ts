/** The line that is being typed: text and cursor, as values. Moves go by what people see as one character. */
import { graphemesOf } from "./cells.ts"

export interface Editor {
  readonly before: string
  readonly after: string
}

export const emptyEditor: Editor = { before: "", after: "" }
/** More cannot be sent. */
const maxCharacters = 60_000

export function textOf({ before, after }: Editor): string {
  return before + after
}

export function editorOf(text: string): Editor {
  return { before: text, after: "" }
}

/** Of a paste too: its line breaks stay, everything else that a terminal obeys goes. */
export function insert({ before, after }: Editor, typed: string): Editor {
  const clean = typed
    .replace(/\r\n?/g, "\n")
    .replaceAll("\t", "    ")
    .replace(/\p{Cc}/gu, (char) => (char === "\n" ? char : ""))
  const room = maxCharacters - before.length - after.length
  return { before: before + clean.slice(0, Math.max(0, room)), after }
}

export type Edit =
  | "left"
  | "right"
  | "home"
  | "end"
  | "backspace"
  | "delete"
  | "word_left"
  | "word_right"
  | "kill_before"
  | "kill_after"
  | "kill_word"

export function edit(editor: Editor, how: Edit): Editor {
  const { before, after } = editor
  switch (how) {
    case "left":
      return move(editor, -last(before).length)
    case "right":
      return move(editor, first(after).length)
    case "home":
      return move(editor, -(before.length - (before.lastIndexOf("\n") + 1)))
    case "end": {
      const end = after.indexOf("\n")
      return move(editor, end === -1 ? after.length : end)
    }
    case "backspace":
      return { before: before.slice(0, before.length - last(before).length), after }
    case "delete":
      return { before, after: after.slice(first(after).length) }
    case "word_left":
      return move(editor, -wordBefore(before))
    case "word_right":
      return move(editor, /^\s*\S*/.exec(after)?.[0].length ?? 0)
    case "kill_before":
      return { before: "", after }
    case "kill_after":
      return { before, after: "" }
    case "kill_word":
      return { before: before.slice(0, before.length - wordBefore(before)), after }
  }
}

function move({ before, after }: Editor, by: number): Editor {
  const text = before + after
  const at = before.length + by
  return { before: text.slice(0, at), after: text.slice(at) }
}

function first(text: string): string {
  return graphemesOf(text.slice(0, 64))[0] ?? ""
}

function last(text: string): string {
  return graphemesOf(text.slice(-64)).at(-1) ?? ""
}

function wordBefore(text: string): number {
  return /\S*\s*$/.exec(text)?.[0].length ?? 0
}

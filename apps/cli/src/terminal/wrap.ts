/** Prose for narrow terminals, which themselves would break lines within words. */

/** `text` in lines of at most `width` characters, broken at spaces; a longer word keeps a line to itself. */
export function wrap(text: string, width: number): readonly string[] {
  if (text.length <= width) return [text]
  const indent = /^ */.exec(text)?.[0] ?? ""
  const lines: string[] = []
  let line = ""
  for (const word of text.slice(indent.length).split(" ")) {
    const longer = line === "" ? `${indent}${word}` : `${line} ${word}`
    if (line !== "" && longer.length > width) {
      lines.push(line)
      line = `${indent}${word}`
    } else line = longer
  }
  return [...lines, line]
}

/** Text of strangers inside SVG and HTML: it stays text, and shows all of itself. */
import { printable } from "../output.ts"

/** Longer texts are cut; the table and `--json` have no use for more either. */
const maxChars = 2_000
const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
}
/** Not characters of XML 1.0 at all, escaped or not. */
const notInXml = /[\ufffe\uffff]/g

/** For content and for quoted attributes alike. */
export function xmlText(text: string): string {
  return printable(text, maxChars)
    .replace(notInXml, (char) => `\\u{${char.charCodeAt(0).toString(16)}}`)
    .replace(/[&<>"']/g, (char) => entities[char] ?? char)
}

/** At most `max` characters: the start says where it is, the end tells similar ones apart. */
export function cutMiddle(text: string, max: number): string {
  const chars = [...text]
  if (chars.length <= max) return text
  const end = Math.max(1, Math.floor((max - 1) / 3))
  return `${chars.slice(0, Math.max(1, max - 1 - end)).join("")}…${chars.slice(-end).join("")}`
}

/** What is nearly right about the texts of a place: the slips that people report when a proof is not found. SPEC §7.2. */
import { tryFindProofs } from "./proof-texts.ts"

const prefix = "kez:z1:"
const maxNotes = 4
/** The longest text that is searched for slips; a proof is a hundredth of it. */
const maxSearchedChars = 65_536

/** Sentences for the owner about texts of the own place, each once, the most telling first. Empty when nothing looks wrong. */
export function notesOnTexts(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.flatMap(notesOnText))].slice(0, maxNotes)
}

/** `1140` as people write it: `1,140`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",")
}

function notesOnText(whole: string): readonly string[] {
  const text = whole.slice(0, maxSearchedChars)
  const candidates = search(text)
  if (candidates === undefined) return []
  if (candidates.length === 0) return notesOnUnread(text)
  return candidates.flatMap(({ text: found, isCut }) => {
    const notes = found.startsWith(prefix) ? notesOnCompact(found, text) : notesOnQuotes(found)
    return isCut && notes.length === 0 ? [noteOnOpenFence(found)] : notes
  })
}

function noteOnOpenFence(found: string): string {
  if (found.startsWith(prefix)) return "the block is never closed: the line of backticks after it is missing"
  return `block found but cut after ${formatCount(found.length)} characters: its end is missing`
}

interface Block {
  readonly text: string
  readonly isCut: boolean
}

/** The candidates that do not decode, or all where none does; undefined for a text that no verifier reads. */
function search(text: string): readonly Block[] | undefined {
  const { candidates } = tryFindProofs(text) ?? {}
  const broken = candidates?.flatMap((one) =>
    "error" in one ? [{ text: one.text, isCut: one.error.code === "proof.cut" }] : [],
  )
  return broken?.length === 0 && candidates?.length !== 0 ? undefined : broken
}

/** A text that holds no candidate at all, though it was meant to. */
function notesOnUnread(text: string): readonly string[] {
  if (/&quot;kez&quot;/.test(text)) return ["the block was changed to HTML: its quotes became &quot;"]
  const quotes = notesOnQuotes(text)
  if (quotes.length > 0) return quotes
  if (/"kez"\s{0,8}:\s{0,8}"claim"/.test(text)) {
    return ["a KEZ claim stands here without its fence: the line before it must be ```kez, the line after it ```"]
  }
  if (/kez:(?:z1|r1):/i.test(text)) {
    return ["a KEZ text stands here but is glued to what is before it, or not in lower case"]
  }
  return []
}

function notesOnQuotes(text: string): readonly string[] {
  const curly = /[“”„]kez[“”„]/.test(text)
  return curly ? ["the quotes of the block were changed to typographic ones"] : []
}

function notesOnCompact(token: string, text: string): readonly string[] {
  const expected = expectedLength(token)
  const after = text.slice(text.indexOf(token) + token.length)
  if (/^[ \t]*\r?\n[ \t>]*[A-Za-z0-9_-]{16}/.test(after) && (expected === undefined || token.length < expected)) {
    return [`block is broken into lines after ${formatCount(token.length)} characters: it must stand on one line`]
  }
  if (/^[+/=]/.test(after)) {
    return [
      `block stops after ${formatCount(token.length)} characters at “${after.charAt(0)}”, which is not part of it`,
    ]
  }
  if (expected === undefined || expected === token.length) return []
  if (token.length > expected) return [`block found with ${formatCount(token.length - expected)} characters too many`]
  return [`block found but cut after ${formatCount(token.length)} of ${formatCount(expected)} characters`]
}

/**
 * How long a compact text must be, by the block headers of its zstd frame (RFC 8878 §3.1.1), of which the first ones
 * survive a cut. Undefined where they do not say: no frame, or the header of the last block is lost.
 */
export function expectedLength(token: string): number | undefined {
  const frame = Buffer.from(token.slice(prefix.length), "base64url")
  const descriptor = frame[4]
  if (descriptor === undefined || frame.readUInt32LE(0) !== 0xfd2fb528) return undefined
  const single = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >> 6
  const sizeBytes = sizeFlag === 0 ? (single ? 1 : 0) : 1 << sizeFlag
  let at = 5 + (single ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0) + sizeBytes
  for (;;) {
    if (at + 3 > frame.length) return undefined
    const block = frame.readUIntLE(at, 3)
    const type = (block >> 1) & 3
    if (type === 3) return undefined
    // A block of type 1 is one byte that stands for many.
    at += 3 + (type === 1 ? 1 : block >> 3)
    if ((block & 1) === 1) break
  }
  const bytes = at + ((descriptor & 0x04) === 0 ? 0 : 4)
  return prefix.length + Math.ceil((bytes * 4) / 3)
}

/** Text at the border: sizes before decoding, then strict UTF-8. SPEC §3.1 steps 1 and 2. */
import { backend } from "#backend"
import { KezError } from "./error.ts"

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** UTF-8 bytes of a well-formed text. */
export function encodeUtf8(text: string): Uint8Array {
  return backend.encodeUtf8(text)
}

/** Whether `text` has more than `maxBytes` bytes of UTF-8. A text whose length alone decides is not walked. */
export function isLongerThan(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true
  return text.length * 3 > maxBytes && utf8Length(text) > maxBytes
}

/** Number of UTF-8 bytes of `text`. */
export function utf8Length(text: string): number {
  return backend.utf8Length(text)
}

/**
 * Text of at most `maxBytes` bytes of UTF-8, without a byte order mark.
 * Throws `limit.size`, `text.utf8` or `text.bom`, in this order.
 */
export function decodeText(input: string | Uint8Array, maxBytes: number): string {
  const text = typeof input === "string" ? boundedString(input, maxBytes) : boundedBytes(input, maxBytes)
  if (text.charCodeAt(0) === 0xfeff) {
    throw new KezError("text.bom", "Cannot read the text: it begins with a byte order mark")
  }
  return text
}

function boundedString(text: string, maxBytes: number): string {
  if (isLongerThan(text, maxBytes)) throw tooLong(maxBytes)
  if (!text.isWellFormed()) throw new KezError("text.utf8", "Cannot read the text: it holds a lone surrogate")
  return text
}

function boundedBytes(bytes: Uint8Array, maxBytes: number): string {
  if (bytes.length > maxBytes) throw tooLong(maxBytes)
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new KezError("text.utf8", "Cannot read the text: expected UTF-8", { cause })
  }
}

function tooLong(maxBytes: number): KezError {
  return new KezError("limit.size", `Cannot read the text: expected at most ${maxBytes} bytes`)
}

/** Without U+0009, U+000A, U+000D and U+0020 at both ends. (`trim` also takes what other languages do not.) SPEC §4 */
export function trimSpace(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isSpace(text.charCodeAt(start))) start++
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09
}

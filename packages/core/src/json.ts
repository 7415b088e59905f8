/** Strict JSON: a single pass that refuses what two parsers might read differently, then its value. SPEC §3.2. */
import type { Code } from "./codes.ts"
import { KezError } from "./error.ts"
import { jsonValue } from "./json-value.ts"
import { maxJsonDepth, maxJsonMembers } from "./limits.ts"

/** A value that the strict parser can return: no fractions, no duplicates, nothing but plain data. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [member: string]: Json
}

/**
 * The value of a JSON text, already bounded and known to be well-formed Unicode (`decodeText`).
 * Throws `json.*`, `limit.depth` or `limit.members`; the first fault from the left gives the code.
 */
export function parseJson(text: string): Json {
  scanJson(text)
  return jsonValue(text)
}

/**
 * Checks a text by SPEC §3.2 without building a value. Linear in the length of the text.
 * Returns whether the text is in canonical form (RFC 8785): for what this parser accepts, that is no white space, members in
 * order, and no escapes but `\"` and `\\`. Then nobody has to write the value again to compare.
 */
export function scanJson(text: string): boolean {
  const scan: Scan = { text, canonical: true }
  const end = scanValue(scan, skipSpace(scan, 0), 1)
  const rest = skipSpace(scan, end)
  if (rest !== text.length) throw fault("json.syntax", "one value", rest)
  return scan.canonical
}

interface Scan {
  readonly text: string
  canonical: boolean
}

// Recursion is bounded by maxJsonDepth, not by the input.
function scanValue(scan: Scan, at: number, depth: number): number {
  switch (scan.text.charCodeAt(at)) {
    case 0x7b: // {
      return scanObject(scan, at, depth)
    case 0x5b: // [
      return scanArray(scan, at, depth)
    case 0x22: // "
      return scanString(scan, at)
    case 0x74: // t
      return scanWord(scan.text, at, "true")
    case 0x66: // f
      return scanWord(scan.text, at, "false")
    case 0x6e: // n
      return scanWord(scan.text, at, "null")
    default:
      return scanNumber(scan.text, at)
  }
}

function scanObject(scan: Scan, start: number, depth: number): number {
  const { text } = scan
  if (depth > maxJsonDepth) throw fault("limit.depth", `at most ${maxJsonDepth} levels`, start)
  let at = skipSpace(scan, start + 1)
  if (text.charCodeAt(at) === 0x7d) return at + 1
  const names = new Names()
  for (;;) {
    if (text.charCodeAt(at) !== 0x22) throw fault("json.syntax", "a member name", at)
    if (names.size === maxJsonMembers) throw fault("limit.members", `at most ${maxJsonMembers} members`, at)
    const nameEnd = scanString(scan, at)
    // JSON.parse would silently take the last one, another parser the first.
    if (!names.add(unescaped(text, at, nameEnd))) throw fault("json.duplicate", "each member once", at)
    at = skipSpace(scan, nameEnd)
    if (text.charCodeAt(at) !== 0x3a) throw fault("json.syntax", "a colon", at)
    at = skipSpace(scan, scanValue(scan, skipSpace(scan, at + 1), depth + 1))
    const next = text.charCodeAt(at)
    if (next === 0x7d) break
    if (next !== 0x2c) throw fault("json.syntax", "a comma or the end of the object", at)
    at = skipSpace(scan, at + 1)
  }
  if (!names.inOrder) scan.canonical = false
  return at + 1
}

/** The member names of one object. While they rise there can be no duplicate, and no set is needed. */
class Names {
  size = 0
  inOrder = true
  #last: string | undefined
  readonly #rising: string[] = []
  #seen: Set<string> | undefined

  /** Returns false when the name is there already. */
  add(name: string): boolean {
    this.size++
    if (this.#seen === undefined) {
      if (this.#last === undefined || name > this.#last) {
        this.#last = name
        this.#rising.push(name)
        return true
      }
      this.inOrder = false
      this.#seen = new Set(this.#rising)
    }
    if (this.#seen.has(name)) return false
    this.#seen.add(name)
    return true
  }
}

function scanArray(scan: Scan, start: number, depth: number): number {
  const { text } = scan
  if (depth > maxJsonDepth) throw fault("limit.depth", `at most ${maxJsonDepth} levels`, start)
  let at = skipSpace(scan, start + 1)
  if (text.charCodeAt(at) === 0x5d) return at + 1
  for (;;) {
    at = skipSpace(scan, scanValue(scan, at, depth + 1))
    const next = text.charCodeAt(at)
    if (next === 0x5d) return at + 1
    if (next !== 0x2c) throw fault("json.syntax", "a comma or the end of the array", at)
    at = skipSpace(scan, at + 1)
  }
}

/** Scans the string that opens at `start`; returns the position after its closing quote. */
function scanString(scan: Scan, start: number): number {
  const { text } = scan
  let at = start + 1
  for (;;) {
    const unit = text.charCodeAt(at)
    if (unit === 0x22) return at + 1
    if (unit === 0x5c) {
      at = scanEscape(scan, at)
      continue
    }
    if (Number.isNaN(unit)) throw fault("json.syntax", "a closing quote", at)
    if (isControl(unit)) throw fault("json.control", "no control character", at)
    at++
  }
}

/** Scans the escape at `at`, a surrogate pair as one; returns the position after it. */
function scanEscape(scan: Scan, at: number): number {
  const { text } = scan
  const letter = text.charAt(at + 1)
  if (letter === '"' || letter === "\\") return at + 2
  scan.canonical = false
  if (letter !== "u") {
    if (letter === "/") return at + 2
    if (letter !== "" && "bfnrt".includes(letter)) throw fault("json.control", "no control character", at)
    throw fault("json.syntax", "an escape", at)
  }
  const unit = hexUnit(text, at)
  if (isControl(unit)) throw fault("json.control", "no control character", at)
  if (unit < 0xd800 || unit > 0xdfff) return at + 6
  if (unit > 0xdbff || text.charAt(at + 6) !== "\\" || text.charAt(at + 7) !== "u") {
    throw fault("json.surrogate", "a pair of surrogates", at)
  }
  const low = hexUnit(text, at + 6)
  if (low < 0xdc00 || low > 0xdfff) throw fault("json.surrogate", "a pair of surrogates", at)
  return at + 12
}

const fourHex = /^[0-9a-fA-F]{4}$/

function hexUnit(text: string, at: number): number {
  const digits = text.slice(at + 2, at + 6)
  if (!fourHex.test(digits)) throw fault("json.syntax", "four hex digits", at)
  return Number.parseInt(digits, 16)
}

function unescaped(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end - 1)
  return raw.includes("\\") ? String(JSON.parse(text.slice(start, end))) : raw
}

const integer = /^-?(?:0|[1-9][0-9]*)$/

function scanNumber(text: string, start: number): number {
  const first = text.charCodeAt(start)
  if (first !== 0x2d && !(first >= 0x30 && first <= 0x39)) throw fault("json.syntax", "a value", start)
  let end = start + 1
  while (isNumberUnit(text.charCodeAt(end))) end++
  const token = text.slice(start, end)
  // 2^53 and beyond would round, 1.0 and 1e2 have other spellings, -0 is 0 in some languages.
  if (!integer.test(token) || token === "-0" || !Number.isSafeInteger(Number(token))) {
    throw fault("json.number", "an integer within 2^53 - 1", start)
  }
  return end
}

function isNumberUnit(unit: number): boolean {
  return (
    (unit >= 0x30 && unit <= 0x39) || unit === 0x2d || unit === 0x2b || unit === 0x2e || unit === 0x65 || unit === 0x45
  )
}

function scanWord(text: string, at: number, word: string): number {
  if (!text.startsWith(word, at)) throw fault("json.syntax", "a value", at)
  return at + word.length
}

function skipSpace(scan: Scan, start: number): number {
  let at = start
  for (;;) {
    const unit = scan.text.charCodeAt(at)
    if (unit > 0x20 || (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09)) break
    at++
  }
  if (at > start) scan.canonical = false
  return at
}

function isControl(unit: number): boolean {
  return unit < 0x20 || (unit >= 0x7f && unit <= 0x9f)
}

function fault(code: Code, expected: string, at: number): KezError {
  return new KezError(code, `Cannot parse JSON: expected ${expected} at character ${at}`)
}

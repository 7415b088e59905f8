/**
 * Values of JSON texts, for all texts of others. V8 reads a member name with an escape as another one when an earlier text
 * had a name that is how this one is spelled (nodejs/node#63785): whoever sends a text could change what the next one says.
 */
import type { Json } from "./json.ts"
import { maxForeignJsonDepth } from "./limits.ts"

/**
 * JSON of platforms and other stores: RFC 8259 and nothing more, of two members with one name the last. Throws SyntaxError for any other
 * text, and for one that is nested deeper than any of them writes. SPEC §7.5
 */
export function parseForeignJson(text: string): Json {
  assertDepth(text)
  // It knows the grammar, and gives the value where no name can have an escape.
  const value: Json = JSON.parse(text)
  return text.includes("\\") ? jsonValue(text) : value
}

/** Of a text that is no JSON it may be any error, or none. */
function assertDepth(text: string): void {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === '"') at = endOfString(text, at)
    else if (char === "]" || char === "}") depth--
    else if ((char === "[" || char === "{") && ++depth > maxForeignJsonDepth) throw new SyntaxError("Nested too deep")
  }
}

/** Where the quote stands that closes the string; the end of the text where none does. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === "\\") at++
    else if (char === '"') return at
  }
  return text.length
}

/** The value of a text that is known to be well-formed: `JSON.parse` where no name can have an escape, else the same by hand. The text was checked before; its depth bounds the recursion. */
export function jsonValue(text: string): Json {
  return text.includes("\\") ? new Reader(text).value() : JSON.parse(text)
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(): Json {
    switch (this.#next()) {
      case "{":
        return this.#object()
      case "[":
        return this.#array()
      case '"':
        return this.#string()
      default:
        return this.#word()
    }
  }

  /** The next character that is no white space. */
  #next(): string {
    while (" \t\n\r".includes(this.#text.charAt(this.#at)) && this.#at < this.#text.length) this.#at++
    return this.#text.charAt(this.#at)
  }

  #object(): Json {
    const members: [string, Json][] = []
    for (this.#at++; this.#next() !== "}"; this.#skipComma()) {
      const name = this.#string()
      this.#next()
      this.#at++ // the colon
      members.push([name, this.value()])
    }
    this.#at++
    // A member `__proto__` stays a member.
    return Object.fromEntries(members)
  }

  #array(): Json {
    const elements: Json[] = []
    for (this.#at++; this.#next() !== "]"; this.#skipComma()) elements.push(this.value())
    this.#at++
    return elements
  }

  #skipComma(): void {
    if (this.#next() === ",") this.#at++
    else if (this.#at >= this.#text.length) throw new SyntaxError("Unexpected end of JSON")
  }

  #string(): string {
    const start = this.#at
    for (this.#at++; this.#text.charAt(this.#at) !== '"'; this.#at++) {
      if (this.#at >= this.#text.length) throw new SyntaxError("Unexpected end of JSON")
      if (this.#text.charAt(this.#at) === "\\") this.#at++
    }
    return JSON.parse(this.#text.slice(start, ++this.#at))
  }

  /** A number, `true`, `false` or `null`. */
  #word(): Json {
    const start = this.#at
    while (this.#at < this.#text.length && !",]} \t\n\r".includes(this.#text.charAt(this.#at))) this.#at++
    return JSON.parse(this.#text.slice(start, this.#at))
  }
}

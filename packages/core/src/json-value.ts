/**
 * The value of a JSON text that is known to be well-formed. V8 reads a member name with an escape as another one when an earlier text
 * had a name that is how this one is spelled (nodejs/node#63785): whoever sends a text could change what the next one says.
 */
import type { Json } from "./json.ts"

/** `JSON.parse` where no name can have an escape, else the same by hand. The text was checked before; its depth bounds the recursion. */
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

/** Bytes: joined, compared, measured, and read from the front. */
import { KezError } from "@kez/core"

const utf8 = new TextEncoder()

export function encodeText(text: string): Uint8Array {
  return utf8.encode(text)
}

export function joinBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** Takes as long for any two inputs of one length. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference === 0
}

/** Big-endian, `length` bytes. */
export function uintBytes(value: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = length - 1, rest = value; i >= 0; i--) {
    bytes[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return bytes
}

/** A part with its length, 4 bytes, before it. */
export function sized(part: Uint8Array): Uint8Array {
  return joinBytes(uintBytes(part.length, 4), part)
}

/** Reads fields from the front. Every fault, also bytes left over, is `chat.encoding`. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #what: string
  #at = 0

  /** `what` names the thing in messages. */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes
    this.#what = what
  }

  bytes(length: number): Uint8Array {
    const end = this.#at + length
    if (end > this.#bytes.length) throw this.#fault("more bytes than there are")
    const part = Uint8Array.prototype.slice.call(this.#bytes, this.#at, end) // a Buffer's own slice is no copy
    this.#at = end
    return part
  }

  uint(length: number): number {
    const value = this.bytes(length).reduce((sum, byte) => sum * 256 + byte, 0)
    if (!Number.isSafeInteger(value)) throw this.#fault("a number that is too large")
    return value
  }

  /** A part of at most `maxBytes` bytes with its length before it. */
  sized(maxBytes: number): Uint8Array {
    const length = this.uint(4)
    if (length > maxBytes) {
      throw new KezError("limit.size", `Cannot read ${this.#what}: expected at most ${maxBytes} bytes in a part`)
    }
    return this.bytes(length)
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw this.#fault("bytes after the end")
  }

  #fault(found: string): KezError {
    return new KezError("chat.encoding", `Cannot read ${this.#what}: it has ${found}`, {
      hint: "It was cut or altered on its way. Ask for it again.",
    })
  }
}

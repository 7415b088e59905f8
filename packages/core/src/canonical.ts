/** JSON Canonicalization Scheme, RFC 8785. SPEC §3.3. */
import { KezError } from "./error.ts"

/** RFC 8785 bounds no depth; this one keeps a hostile builder from exhausting the stack. */
const maxDepth = 64

/**
 * RFC 8785 text of a plain JSON value. Object members are sorted by UTF-16 code units, numbers written as ECMAScript does.
 * Throws `json.not_plain` for whatever has no JSON form of its own: undefined, dates, class instances, accessors,
 * `toJSON`, proxies of such, non-finite numbers, lone surrogates. (RFC 8785 §3.2)
 */
export function canonicalize(value: unknown): string {
  try {
    return write(value, 0)
  } catch (cause) {
    if (cause instanceof KezError) throw cause
    throw new KezError("json.not_plain", "Cannot canonicalise: the value refuses to be read", { cause }) // a proxy's trap
  }
}

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case "string":
      return quote(value)
    case "number":
      if (!Number.isFinite(value)) throw notPlain("a finite number")
      return JSON.stringify(value)
    case "boolean":
      return value ? "true" : "false"
    case "object":
      if (value === null) return "null"
      if (depth >= maxDepth) throw notPlain(`at most ${maxDepth} levels`)
      return Array.isArray(value) ? writeArray(value, depth + 1) : writeObject(value, depth + 1)
    default:
      throw notPlain(`plain JSON, got ${typeof value}`)
  }
}

function writeArray(list: readonly unknown[], depth: number): string {
  if (Object.getPrototypeOf(list) !== Array.prototype) throw notPlain("a plain array")
  // The elements and `length`: nothing else, a `toJSON` for instance.
  if (Reflect.ownKeys(list).length !== list.length + 1) throw notPlain("an array without holes or other members")
  let text = "["
  for (let i = 0; i < list.length; i++) {
    text += (i === 0 ? "" : ",") + write(plainMember(list, String(i)), depth)
  }
  return `${text}]`
}

function writeObject(object: object, depth: number): string {
  const prototype = Object.getPrototypeOf(object)
  if (prototype !== Object.prototype && prototype !== null) throw notPlain("a plain object")
  if (Object.getOwnPropertySymbols(object).length > 0) throw notPlain("no symbol members")
  const names = Object.getOwnPropertyNames(object)
  let text = "{"
  // The default sort compares UTF-16 code units, as RFC 8785 §3.2.3 asks.
  for (const name of names.sort()) {
    text += `${text.length === 1 ? "" : ","}${quote(name)}:${write(plainMember(object, name), depth)}`
  }
  return `${text}}`
}

/** The value of a data member. An accessor could return one value to the reader and another to the signer. */
function plainMember(object: object, name: string): unknown {
  const descriptor = Object.getOwnPropertyDescriptor(object, name)
  if (descriptor === undefined || !("value" in descriptor) || descriptor.enumerable !== true) {
    throw notPlain("members that are plain data")
  }
  return descriptor.value
}

function quote(text: string): string {
  // Lone surrogates have no UTF-8 form; JSON.stringify would escape them, RFC 8785 §3.2.2.2 refuses them.
  if (!text.isWellFormed()) throw notPlain("text without lone surrogates")
  return JSON.stringify(text)
}

function notPlain(expected: string): KezError {
  return new KezError("json.not_plain", `Cannot canonicalise: expected ${expected}`)
}

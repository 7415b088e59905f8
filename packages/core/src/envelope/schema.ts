/** Closed schemas: each payload is a table of members, checked in the order of SPEC [OBJ-1]. */
import type { Code } from "../codes.ts"
import { isDigest } from "../digest.ts"
import { KezError } from "../error.ts"
import { isHex } from "../hex.ts"
import { isHandle, isHost, parseCanonicalIdentity, parseIdentity, parseKeyIdentity } from "../identity.ts"
import type { Json, JsonObject } from "../json.ts"
import { parseClaimTime, parseTime } from "../time.ts"

/** Returns the value, now known to be a T, or throws a `KezError`. Values are never changed. */
export type Check<T> = (value: Json, name: string) => T

interface Member<T> {
  readonly optional: boolean
  readonly check: Check<T>
}

/** The table of an object with the members of T. A member that T allows to be absent is `optional`. */
export type Members<T> = { readonly [K in keyof T]-?: Member<NonNullable<T[K]>> }

export function required<T>(check: Check<T>): Member<T> {
  return { optional: false, check }
}

export function optional<T>(check: Check<T>): Member<T> {
  return { optional: true, check }
}

/** An object with exactly these members. `rules`, between members, run last. [OBJ-1] */
export function record<T extends object>(members: Members<T>, rules: (value: T) => void = () => {}): Check<T> {
  const names = Object.keys(members)
  const table: readonly [string, Member<unknown>][] = Object.entries<Member<unknown>>(members)
  return (value, name) => {
    assertObject(value, name)
    for (const member of Object.keys(value)) {
      if (!names.includes(member)) throw fault("schema.unknown_member", name, `no member but ${names.join(", ")}`)
    }
    for (const [member, { optional }] of table) {
      if (!optional && !Object.hasOwn(value, member)) throw fault("schema.missing_member", name, `a member ${member}`)
    }
    for (const [member, { check }] of table) {
      const held = value[member]
      if (held !== undefined) check(held, member)
    }
    // Every member was checked against its row, and there is no other: the value is a T.
    const checked = value as unknown as T
    rules(checked)
    return checked
  }
}

export function assertObject(value: Json | undefined, name: string): asserts value is JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw fault("schema.type", name, "an object")
}

export const anyString: Check<string> = (value, name) => {
  if (typeof value !== "string") throw fault("schema.type", name, "a string")
  return value
}

/** A string that fits, or the given code. */
function string(code: Code, fits: (text: string) => boolean, expected: string): Check<string> {
  return (value, name) => {
    const text = anyString(value, name)
    if (!fits(text)) throw fault(code, name, expected)
    return text
  }
}

export function literal<T extends string | number>(expected: T): Check<T> {
  return (value, name) => {
    if (value !== expected) throw fault("schema.value", name, JSON.stringify(expected))
    return expected
  }
}

export const count: Check<number> = (value, name) => {
  if (typeof value !== "number") throw fault("schema.type", name, "an integer")
  if (value < 0) throw fault("schema.value", name, "an integer from 0 on")
  return value
}

export const digest = string("schema.value", isDigest, "sha256: and 64 lower-case hex digits")
export const hex32 = string("schema.value", (text) => isHex(text, 32), "64 lower-case hex digits")
export const signatureHex = string("signature.encoding", (text) => isHex(text, 64), "128 lower-case hex digits")
export const host = string("schema.value", isHost, "a domain")
export const handle = string("schema.value", isHandle, "a handle")
export const shortText = string("schema.value", (text) => /^[ -~]{1,512}$/.test(text), "1 to 512 printable characters")
export const accountId = string("schema.value", (text) => /^[!-~]{1,512}$/.test(text), "1 to 512 characters")
export const time = parsedString(parseTime)
export const claimTime = parsedString(parseClaimTime)
export const identity = parsedString(parseCanonicalIdentity)
export const keyIdentity = parsedString(parseKeyIdentity)

/** Any spelling that is accepted as typed, and systems that this version does not know. [ID-5] */
export const claimSubject = parsedString((text) => {
  try {
    parseIdentity(text)
  } catch (error) {
    if (!(error instanceof KezError) || error.code !== "identity.unsupported") throw error
  }
})

/** An array of `min` to `max` different strings. [OBJ-2] */
export function list(check: Check<string>, min: number, max: number): Check<readonly string[]> {
  return (value, name) => {
    if (!Array.isArray(value)) throw fault("schema.type", name, "an array")
    if (value.length < min || value.length > max) throw fault("schema.value", name, `${min} to ${max} entries`)
    const entries: string[] = value.map((entry: Json) => check(entry, name))
    if (new Set(entries).size !== entries.length) throw fault("schema.value", name, "no entry twice")
    return entries
  }
}

function parsedString(parse: (text: string) => unknown): Check<string> {
  return (value, name) => {
    const text = anyString(value, name)
    parse(text)
    return text
  }
}

export function fault(code: Code, name: string, expected: string): KezError {
  return new KezError(code, `Cannot accept ${name}: expected ${expected}`)
}

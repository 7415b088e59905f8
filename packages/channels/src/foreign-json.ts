/** JSON of platforms: read defensively, one member at a time. What is missing or of another type is undefined, never an error. */
import { KezError, parseForeignJson } from "@kez/core"
import { decodeUtf8 } from "./body.ts"
import type { FetchAnswer } from "./fetch-answer.ts"

/** Throws `text.utf8`, or `net.content_type` for a body that is no JSON: an error page, say, which is no answer. */
export function parseForeign(answer: Pick<FetchAnswer, "body" | "headers" | "url">): unknown {
  const text = decodeUtf8(answer.body, answer.headers["content-type"])
  try {
    return parseForeignJson(text)
  } catch (cause) {
    throw new KezError("net.content_type", `Cannot read ${answer.url}: expected JSON, got another text`, { cause })
  }
}

/** The value at a path of own members and list places; undefined where the path ends early. */
export function valueAt(value: unknown, ...path: ReadonlyArray<string | number>): unknown {
  return path.reduce<unknown>((at, step) => {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return undefined
    return (at as Readonly<Record<string | number, unknown>>)[step]
  }, value)
}

export function textAt(value: unknown, ...path: ReadonlyArray<string | number>): string | undefined {
  const found = valueAt(value, ...path)
  return typeof found === "string" ? found : undefined
}

/** Safe integers only: a platform's numeric id must survive as text. */
export function integerAt(value: unknown, ...path: ReadonlyArray<string | number>): number | undefined {
  const found = valueAt(value, ...path)
  return Number.isSafeInteger(found) ? (found as number) : undefined
}

/** Empty where there is no list. JSON-LD writes a list of one as the thing itself: `listAt` takes that as a list too. */
export function listAt(value: unknown, ...path: ReadonlyArray<string | number>): readonly unknown[] {
  const found = valueAt(value, ...path)
  if (Array.isArray(found)) return found
  return found === undefined || found === null ? [] : [found]
}

/**
 * Answers that are kept to ask "has it changed?" instead of for all of it again. SPEC NET-3.
 * A kept answer is used only when the very place that gave it says, at this moment, that it still holds.
 */
import { createHash } from "node:crypto"
import type { IncomingHttpHeaders } from "node:http"
import { type AnswerCacheLimits, answerCacheLimits } from "./limits.ts"
import type { Target } from "./url.ts"

/** Everything of a request that its answer may depend on. */
export interface AnswerKey {
  /** Where the request was sent: under a configured base URL that one, so that no other server's answer is ever mixed in. */
  readonly url: string
  readonly isAuthorized: boolean
  /** The other headers that matter, as one text. */
  readonly variant: string
}

export interface StoredAnswer {
  /** Lower-case names; those of `storedHeaders` only. */
  readonly headers: Readonly<Record<string, string>>
  /** Decompressed. */
  readonly body: Uint8Array
}

/** A cache that fails is a cache that has nothing: neither call throws. */
export interface AnswerCache {
  get(key: AnswerKey): Promise<StoredAnswer | undefined>
  set(key: AnswerKey, answer: StoredAnswer): Promise<void>
}

const storedHeaders = ["content-type", "etag", "last-modified", "link"] as const
/** RFC 9110 §8.8.3; the value goes back to the server, so it must be a header value. */
const entityTag = /^(?:W\/)?"[\x21\x23-\x7e]{0,256}"$/
const httpDate = /^[A-Z][a-z]{2}, [A-Za-z0-9: -]{9,30} GMT$/
/** Sent with every request alike. */
const fixedHeaders = ["user-agent", "accept-encoding", "connection"]
const variantHeaders = ["accept", "x-github-api-version"]

/**
 * Undefined for a request whose answer is not kept: one with headers of which we do not know what they change, and one over
 * plain http, where whoever is in between could leave an answer of his own under the tag of the honest one.
 */
export function keyOfRequest(target: Target, headers: Readonly<Record<string, string>>): AnswerKey | undefined {
  const { sent, base } = target
  if (sent.protocol !== "https:" && base === undefined) return undefined
  const names = Object.keys(headers).filter((name) => !fixedHeaders.includes(name) && name !== "authorization")
  if (names.some((name) => !variantHeaders.includes(name))) return undefined
  const { authorization } = headers
  const caller = authorization === undefined ? [] : [digestOfCaller(authorization)]
  const variant = [...variantHeaders.map((name) => headers[name] ?? ""), ...caller].join("\n")
  return { url: sent.href, isAuthorized: authorization !== undefined, variant }
}

/**
 * Which credentials asked: what `GET /user` says to one token is wrong for every other. Long enough to tell tokens apart,
 * and too short to tell what they are.
 */
function digestOfCaller(authorization: string): string {
  return createHash("sha256").update(authorization).digest("hex").slice(0, 16)
}

/** The headers that ask whether a kept answer still holds. RFC 9110 §13.1. */
export function conditionOf({ headers }: StoredAnswer): Readonly<Record<string, string>> {
  const { etag, "last-modified": lastModified } = headers
  if (etag !== undefined) return { "if-none-match": etag }
  return lastModified === undefined ? {} : { "if-modified-since": lastModified }
}

/** What is kept of a 200; undefined for one without a tag or date, and for one that its sender wants forgotten. */
export function storable(headers: IncomingHttpHeaders, body: Uint8Array): StoredAnswer | undefined {
  if (/\bno-store\b/i.test(headers["cache-control"] ?? "") || headers.vary?.includes("*") === true) return undefined
  const kept: Record<string, string> = {}
  for (const name of storedHeaders) {
    const value = headers[name]
    if (typeof value === "string") kept[name] = value
  }
  if (!entityTag.test(kept["etag"] ?? "")) delete kept["etag"]
  if (!httpDate.test(kept["last-modified"] ?? "")) delete kept["last-modified"]
  const canAskAgain = kept["etag"] !== undefined || kept["last-modified"] !== undefined
  return canAskAgain && body.length > 0 ? { headers: kept, body } : undefined
}

/** A kept answer with what the 304 says anew; the type of the body belongs to the body. RFC 9111 §4.3.4. */
export function refresh(stored: StoredAnswer, headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return { ...stored.headers, ...headers, "content-type": stored.headers["content-type"] }
}

/** Keeps answers as long as the process lives; the oldest go first. */
export function createMemoryCache(limits: AnswerCacheLimits = answerCacheLimits): AnswerCache {
  const answers = new Map<string, StoredAnswer>()
  let bytes = 0
  const nameOf = ({ url, isAuthorized, variant }: AnswerKey) => JSON.stringify([url, isAuthorized, variant])
  const drop = (name: string) => {
    bytes -= answers.get(name)?.body.length ?? 0
    answers.delete(name)
  }
  return {
    async get(key) {
      const stored = answers.get(nameOf(key))
      // A copy: what one caller does to its bytes must not become the answer to another.
      return stored === undefined ? undefined : { headers: stored.headers, body: stored.body.slice() }
    },
    async set(key, { headers, body }) {
      const name = nameOf(key)
      drop(name)
      if (body.length > limits.maxEntryBytes) return
      answers.set(name, { headers, body: body.slice() })
      bytes += body.length
      while (answers.size > limits.maxEntries || bytes > limits.maxBytes) {
        const [oldest] = answers.keys()
        if (oldest === undefined) return
        drop(oldest)
      }
    },
  }
}

/** What a fetch gives back: the status, few headers, the body and its digest. SPEC §7.2 */
import { createHash } from "node:crypto"
import type { IncomingHttpHeaders } from "node:http"
import { KezError } from "@kez/core"
import type { AnswerHead } from "./exchange.ts"
import { readRetryAfter } from "./retry-after.ts"
import type { Target } from "./url.ts"

export interface FetchAnswer {
  /** After redirects. For a host with a configured base URL still the URL as everyone names it. */
  readonly url: string
  readonly status: number
  /** Lower-case names; those of `keptHeaders` only. */
  readonly headers: Readonly<Record<string, string>>
  /** Decompressed. */
  readonly body: Uint8Array
  /** Lower-case hex over `body`. */
  readonly sha256: string
  /** Unix seconds. */
  readonly fetchedAt: number
  /** How long the place asks to wait; until then further requests to it fail. */
  readonly retryAfterSeconds?: number
  /** The place was asked whether an earlier answer still holds, and said so: status 200, without the body being sent again. */
  readonly revalidated?: true
}

/** One answer, decompressed. */
export interface HopAnswer extends AnswerHead {
  readonly body: Uint8Array
  readonly revalidated?: true
}

/** Headers that channels read. Set-Cookie is not among them, so no cookie can come back. */
const keptHeaders = [
  "content-type",
  "date",
  "etag",
  "last-modified",
  "link",
  "www-authenticate",
  "x-oauth-scopes",
  "x-ratelimit-remaining",
  "x-ratelimit-reset",
] as const

/** The answer as channels see it. Throws `net.content_type`. */
export function describeAnswer(
  target: Target,
  answer: HopAnswer,
  { accept, now }: { readonly accept: readonly string[] | undefined; readonly now: number },
): FetchAnswer {
  const { status, body, headers } = answer
  // Of a kept answer nobody has asked yet.
  assertMediaType(target, answer, accept)
  const retryAfterSeconds = readRetryAfter(status, headers, now)
  return {
    url: target.url.href,
    status,
    headers: keepHeaders(headers),
    body,
    sha256: createHash("sha256").update(body).digest("hex"),
    fetchedAt: now,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(answer.revalidated === undefined ? {} : { revalidated: true }),
  }
}

/** Before the body is read: a page in the place of a document is no answer, however long it is. */
export function assertMediaType(
  { url }: Target,
  { status, headers }: AnswerHead,
  accept: readonly string[] | undefined,
): void {
  const contentType = headers["content-type"]?.split(";")[0]?.trim().toLowerCase() ?? "none"
  if (status < 200 || status >= 300 || accept === undefined || accept.includes(contentType)) return
  throw new KezError(
    "net.content_type",
    `Cannot read the answer of ${url.host}: expected ${accept.join(" or ")}, got ${contentType.slice(0, 80)}`,
  )
}

function keepHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of keptHeaders) {
    const value = headers[name]
    if (typeof value === "string") kept[name] = value
  }
  return kept
}

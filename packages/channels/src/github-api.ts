/** Questions to GitHub's REST API: headers, the hourly limit, what statuses mean. SPEC §7.3 [GH-1] [GH-2]. */
import type { Evidence, Net, Publication } from "./channel.ts"
import type { FetchAnswer } from "./fetch-answer.ts"
import { integerAt, parseForeign, textAt } from "./foreign-json.ts"
import { usualRetryAfterSeconds } from "./limits.ts"
import { describeFetch, publicationOfError, publicationOfStatus } from "./publication.ts"
import { RateLimitError } from "./rate-limit.ts"

export const apiUrl = "https://api.github.com"
/** Sent without a token; the documented default of this API. */
const apiVersion = "2022-11-28"

/** The other end of a look: no value came. */
export type Refusal = Exclude<Publication, { status: "found" }>

export type ApiAnswer =
  | { readonly ok: true; readonly value: unknown; readonly answer: FetchAnswer; readonly evidence: Evidence }
  | { readonly ok: false; readonly refusal: Refusal }

export interface ApiQuestion {
  readonly signal: AbortSignal
  readonly maxWireBytes?: number
  readonly maxBodyBytes?: number
}

/** An account as answers name it. */
export interface Owner {
  readonly login: string
  /** Decimal. */
  readonly id: string
  /** `User`, `Organization`, … */
  readonly type: string | undefined
}

/** Headers of every request to the API. The token goes to this host alone and stays behind at a redirect. */
export function apiHeaders(token: string | undefined): Readonly<Record<string, string>> {
  return {
    accept: "application/vnd.github+json",
    "x-github-api-version": apiVersion,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
}

/** Asks the API. Throws only the signal's reason. */
export async function askApi(net: Net, url: string, question: ApiQuestion): Promise<ApiAnswer> {
  const token = net.settings.githubToken
  try {
    const headers = apiHeaders(token)
    const answer = await net.fetch(url, { ...question, headers, accept: ["application/json"], sameHost: true })
    const refusal = refusalOf(answer, token !== undefined)
    if (refusal !== undefined) return { ok: false, refusal }
    return { ok: true, value: parseForeign(answer), answer, evidence: describeFetch(answer) }
  } catch (error) {
    return { ok: false, refusal: refusalOfError(error, { url, fetchedAt: net.now() }, token !== undefined) }
  }
}

/** What a status of GitHub's means; undefined for a 200 with a body. */
export function refusalOf(answer: FetchAnswer, hasToken: boolean): Refusal | undefined {
  const waitSeconds = limitOf(answer)
  if (waitSeconds !== undefined) {
    const note = describeLimit(answer.fetchedAt + waitSeconds, hasToken)
    const seen: Evidence = { ...describeFetch(answer), code: "net.rate_limit", note, retryAfterSeconds: waitSeconds }
    return { status: "unreachable", code: "net.rate_limit", evidence: [seen], retryAfterSeconds: waitSeconds }
  }
  const refusal = publicationOfStatus(answer)
  if (answer.status !== 401 || !hasToken || refusal === undefined) return refusal
  return withNote(refusal, "GitHub does not accept GITHUB_TOKEN: renew it, or unset it to ask without")
}

/** As `publicationOfError`, with the sentence about the limit. */
export function refusalOfError(error: unknown, place: Evidence, hasToken: boolean): Refusal {
  if (!(error instanceof RateLimitError)) return publicationOfError(error, place)
  const note = describeLimit(place.fetchedAt + error.retryAfterSeconds, hasToken)
  return publicationOfError(error, { ...place, note })
}

/** Seconds to wait, where the answer is a refusal of too many requests. [GH-2] */
export function limitOf({ status, headers, body, retryAfterSeconds }: FetchAnswer): number | undefined {
  if (status !== 403 && status !== 429) return undefined
  if (retryAfterSeconds !== undefined) return retryAfterSeconds
  const isLimit = status === 429 || headers["x-ratelimit-remaining"] === "0" || saysLimit(body)
  return isLimit ? usualRetryAfterSeconds : undefined
}

/** The secondary limit is told by its message alone. */
function saysLimit(body: Uint8Array): boolean {
  return /rate limit/i.test(new TextDecoder().decode(body.subarray(0, 4_096)))
}

function describeLimit(untilSeconds: number, hasToken: boolean): string {
  const again = `again at ${new Date(untilSeconds * 1000).toISOString().slice(11, 16)} UTC`
  if (hasToken) return `GitHub's limit for this token is used up; ${again}`
  return `GitHub allows 60 anonymous requests an hour; ${again}; set GITHUB_TOKEN for more`
}

function withNote(refusal: Refusal, note: string): Refusal {
  return { ...refusal, evidence: refusal.evidence.map((one) => ({ ...one, note })) }
}

/** Undefined unless login and id are there and plain. */
export function readOwner(value: unknown): Owner | undefined {
  const login = textAt(value, "login")
  const id = integerAt(value, "id")
  if (login === undefined || !/^[A-Za-z0-9-]{1,39}$/.test(login) || id === undefined || id < 1) return undefined
  return { login, id: String(id), type: textAt(value, "type") }
}

/** Logins differ in more than case. Both are ASCII: identities by their grammar, owners by `readOwner`. */
export function isSameLogin(login: string, other: string): boolean {
  return login.toLowerCase() === other.toLowerCase()
}

/** A name from the answer, fit for a sentence. */
export function shownName(name: string): string {
  const plain = name.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, "?")
  return plain.length > 60 ? `${plain.slice(0, 60)}…` : plain
}

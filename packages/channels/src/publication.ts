/** How answers, statuses and failures of a look become a publication: one table for all channels. SPEC §6. */
import { KezError } from "@kez/core"
import type { Evidence, Health, Publication } from "./channel.ts"
import type { FetchAnswer } from "./fetch-answer.ts"
import { RateLimitError } from "./rate-limit.ts"

/**
 * The publication that a failed look means. What came but may not be used (`limit.*`, `text.*`) is an answer and so
 * `invalid`; everything of the network is none. `earlier` is the evidence of the looks before it.
 * Throws what is not a KezError, the caller's own abort among it.
 */
export function publicationOfError(
  error: unknown,
  place: Evidence,
  earlier: readonly Evidence[] = [],
): Exclude<Publication, { status: "found" }> {
  if (!(error instanceof KezError)) throw error
  const note = place.note ?? error.message
  const { code } = error
  const retry = error instanceof RateLimitError ? { retryAfterSeconds: error.retryAfterSeconds } : {}
  const evidence = [...earlier, { ...place, code, note, ...retry }]
  const area = code.split(".")[0]
  if (area === "limit" || area === "text") return { status: "invalid", code, evidence }
  return { status: "unreachable", code, evidence, ...retry }
}

/**
 * The publication that an HTTP status alone means, or undefined for a 200 with a body, which the channel reads.
 * 404, 410 and an empty answer say that nothing is there. A refusal (401, 403, 429) or a failure (5xx) says nothing.
 */
export function publicationOfStatus(
  answer: FetchAnswer,
  earlier: readonly Evidence[] = [],
): Exclude<Publication, { status: "found" }> | undefined {
  if (answer.status === 200 && answer.body.length > 0) return undefined
  const seen = describeFetch(answer)
  const isAnswer = [200, 204, 404, 410].includes(answer.status)
  if (isAnswer) return { status: "absent", code: "proof.not_found", evidence: [...earlier, seen] }
  const { retryAfterSeconds } = answer
  // GitHub says 403 where it means 429, and when to come back.
  const isLimit = answer.status === 429 || (answer.status === 403 && retryAfterSeconds !== undefined)
  const code = isLimit ? "net.rate_limit" : "net.status"
  return {
    status: "unreachable",
    code,
    evidence: [...earlier, { ...seen, code }],
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  }
}

/** The evidence of one fetch. */
export function describeFetch(answer: FetchAnswer): Evidence {
  const { url, fetchedAt, status, sha256, retryAfterSeconds } = answer
  return { url, fetchedAt, status, sha256, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }
}

/** A platform that could not be asked is not well. Throws what is not a KezError, the caller's own abort among it. */
export function healthOfError(error: unknown, place: Evidence): Health {
  if (!(error instanceof KezError)) throw error
  const retry = error instanceof RateLimitError ? { retryAfterSeconds: error.retryAfterSeconds } : {}
  return { ok: false, evidence: { ...place, code: error.code, note: error.message, ...retry } }
}

/** The note joins the last look, which it is about. */
export function withNote(
  evidence: readonly Evidence[],
  note: string | undefined,
  code?: Evidence["code"],
): readonly Evidence[] {
  const last = evidence.at(-1)
  if (last === undefined) return evidence
  const said = [last.note, note].filter((part) => part !== undefined).join("; ")
  const added = { ...(said === "" ? {} : { note: said }), ...(code === undefined ? {} : { code }) }
  return [...evidence.slice(0, -1), { ...last, ...added }]
}

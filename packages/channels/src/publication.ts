/** How answers, statuses and failures of a look become a publication: one table for all channels. SPEC §6. */
import { KezError } from "@kez/core"
import type { Evidence, Publication } from "./channel.ts"
import type { FetchAnswer } from "./fetch.ts"

/**
 * The publication that a failed look means. What came but may not be used (`limit.*`, `text.*`) is an answer and so
 * `invalid`; everything of the network is none. Throws what is not a KezError, the caller's own abort among it.
 */
export function publicationOfError(error: unknown, evidence: Evidence): Publication {
  if (!(error instanceof KezError)) throw error
  const note = evidence.note ?? error.message
  const seen = { ...evidence, code: error.code, note }
  const area = error.code.split(".")[0]
  if (area === "limit" || area === "text") return { status: "invalid", code: error.code, evidence: seen }
  return { status: "unreachable", code: error.code, evidence: seen }
}

/**
 * The publication that an HTTP status alone means, or undefined for a 200 with a body, which the channel reads.
 * 404, 410 and an empty answer say that nothing is there. A refusal (401, 403, 429) or a failure (5xx) says nothing.
 */
export function publicationOfStatus(answer: FetchAnswer): Publication | undefined {
  if (answer.status === 200 && answer.body.length > 0) return undefined
  const evidence = describeFetch(answer)
  const isAnswer = [200, 204, 404, 410].includes(answer.status)
  if (isAnswer) return { status: "absent", code: "proof.not_found", evidence }
  const { retryAfterSeconds } = answer
  return {
    status: "unreachable",
    code: "net.status",
    evidence: { ...evidence, code: "net.status" },
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  }
}

/** The evidence of one fetch. */
export function describeFetch(answer: FetchAnswer): Evidence {
  const { url, fetchedAt, status, sha256, retryAfterSeconds } = answer
  return { url, fetchedAt, status, sha256, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }
}

/** Statuses of the codes that only this server answers with; all others are those of every server. */
import { type Code, KezError } from "@kez/core"
import { asProblem, Problem } from "@kez/server"

const statuses: Readonly<Partial<Record<Code, number>>> = {
  "handle.invitation": 403,
  "handle.closed": 403,
  "store.unknown": 404,
  "handle.taken": 409,
  "handle.confusable": 409,
  "handle.released": 409,
  "handle.limit": 409,
  "chain.unknown": 422,
  "chain.unreachable": 503,
}
const retryAfterSeconds = 5

export function refusalOf(error: unknown): Problem {
  if (!(error instanceof KezError)) return asProblem(error)
  const problem = asProblem(error, statuses[error.code])
  if (error.code !== "chain.unreachable") return problem
  return new Problem({
    status: problem.status,
    code: error.code,
    detail: error.message,
    members: problem.members,
    headers: { "retry-after": String(retryAfterSeconds) },
    cause: error,
  })
}

/** A name in a path or a query that is none: the request is wrong, and nothing was sent that could be invalid. */
export function badName(error: unknown): Problem {
  return asProblem(error, error instanceof KezError ? 400 : undefined)
}

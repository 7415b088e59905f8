/** Answers that are refusals: RFC 9457, with the codes of the library. SPEC STORE-4 */
import { STATUS_CODES } from "node:http"
import { type Code, KezError } from "@kez/core"

export const problemType = "application/problem+json; charset=utf-8"

export interface ProblemOptions {
  readonly status: number
  readonly code: Code
  /** One sentence for the person who reads it; never a secret. */
  readonly detail: string
  /** More members of the answer, such as where the chain ends. */
  readonly members?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

/** A refusal on its way to the client. */
export class Problem extends Error {
  readonly status: number
  readonly code: Code
  readonly members: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>

  constructor({ status, code, detail, members = {}, headers = {}, cause }: ProblemOptions) {
    super(detail, cause === undefined ? undefined : { cause })
    this.name = "Problem"
    this.status = status
    this.code = code
    this.members = members
    this.headers = headers
  }
}

/** Codes that are about this server or the request. Every other code is about what was sent: 422. */
const statuses: Readonly<Partial<Record<Code, number>>> = {
  "chain.unknown": 404,
  "chain.fork": 409,
  "net.http": 400,
  "net.timeout": 408,
  "net.content_type": 415,
  "net.rate_limit": 429,
  "net.busy": 503,
  "store.full": 507,
  "store.busy": 503,
  "store.write": 500,
  "store.corrupt": 500,
  "store.newer": 500,
  "store.permissions": 500,
  internal: 500,
}

export function statusOf(code: Code): number {
  return statuses[code] ?? 422
}

const damaged = "Cannot answer: the server cannot use what it has stored"

/** The refusal that an error comes to. `status` is for errors whose code does not say enough. */
export function asProblem(error: unknown, status?: number): Problem {
  if (error instanceof Problem) return error
  if (error instanceof KezError) {
    const { code, hint, message } = error
    // Its message is for who runs the server: it may name files. The log has it.
    if ((status ?? statusOf(code)) === 500) return new Problem({ status: 500, code, detail: damaged, cause: error })
    const headers = code === "store.busy" ? { "retry-after": "1" } : {}
    const members = hint === undefined ? {} : { hint }
    return new Problem({ status: status ?? statusOf(code), code, detail: message, members, headers, cause: error })
  }
  return asFrameworkProblem(error)
}

/** What Fastify refuses by itself, before a route is asked. */
const framework: Readonly<Record<string, Omit<ProblemOptions, "cause">>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    status: 413,
    code: "limit.size",
    detail: "Cannot take the body: it is longer than any that is taken here",
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    code: "net.content_type",
    detail: "Cannot take the body: expected content type application/json",
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    status: 400,
    code: "net.http",
    detail: "Cannot take the body: it is not as long as its Content-Length",
  },
  FST_ERR_BAD_URL: { status: 400, code: "net.http", detail: "Cannot read the URL: it is not encoded as it should be" },
  FST_ERR_MAX_PARAM_LENGTH: {
    status: 400,
    code: "limit.size",
    detail: "Cannot look it up: the name is too long",
  },
}

function asFrameworkProblem(error: unknown): Problem {
  const { code, validation, statusCode } = detailsOf(error)
  const known = framework[code]
  if (known !== undefined) return new Problem({ ...known, cause: error })
  if (validation !== undefined) {
    return new Problem({
      status: 400,
      code: "schema.value",
      detail: `Cannot use the request: ${validation}`,
      cause: error,
    })
  }
  if (statusCode >= 400 && statusCode < 500) {
    return new Problem({ status: 400, code: "net.http", detail: "Cannot read the request", cause: error })
  }
  return new Problem({ status: 500, code: "internal", detail: "Cannot answer: a defect of the server", cause: error })
}

function detailsOf(error: unknown): { code: string; validation: string | undefined; statusCode: number } {
  const none = { code: "", validation: undefined, statusCode: 500 }
  if (!(error instanceof Error)) return none
  const code = "code" in error && typeof error.code === "string" ? error.code : ""
  const statusCode = "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : 500
  const validation = "validation" in error && error.validation !== undefined ? error.message : undefined
  return { code, validation, statusCode }
}

/** The body of an answer. `type` names the code, so that a program needs to compare one member only. */
export function formatProblem({ status, code, message, members }: Problem): string {
  const title = STATUS_CODES[status] ?? "Error"
  return JSON.stringify({ type: `urn:kez:error:${code}`, title, status, detail: message, code, ...members })
}

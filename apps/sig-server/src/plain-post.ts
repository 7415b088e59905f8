/** The answer to a plain POST of an event (plain-request.ts), as the framework would give it. */
import { STATUS_CODES } from "node:http"
import { asProblem } from "@kez/server"
import type { Log } from "@kez/server/log"
import { type AppendDeps, appendEvent, appendedHeaders, type Posted } from "./append-event.ts"
import { commonHeaders } from "./common-headers.ts"
import { logFault, refusalHeaders, refusalText } from "./refusal-answer.ts"

export interface PlainPostDeps extends AppendDeps {
  readonly log: Log
  readonly requestId: () => string
}

export interface PlainAnswer {
  readonly status: number
  /** Up to the date. */
  readonly start: string
  readonly text: string
}

export const eventsRoute = "/v1/chains/:id/events"

/** Never rejects. */
export async function answerPost(deps: PlainPostDeps, posted: Posted): Promise<PlainAnswer> {
  const request = deps.requestId()
  const headers: Record<string, string> = { "x-request-id": request, ...commonHeaders }
  const sink = {
    setHeader(name: string, value: string) {
      headers[name] = value
    },
  }
  try {
    const { status, text } = await appendEvent(deps, posted, sink)
    return answer(status, Object.assign(headers, appendedHeaders), text)
  } catch (error) {
    const problem = asProblem(error)
    deps.metrics.refused(problem.code)
    logFault(deps.log, problem, { error, request, route: eventsRoute })
    return answer(problem.status, Object.assign(headers, refusalHeaders(problem)), refusalText(problem))
  }
}

function answer(status: number, headers: Readonly<Record<string, string>>, text: string): PlainAnswer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const length = `content-length: ${Buffer.byteLength(text)}\r\n`
  return { status, start: `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}${length}`, text }
}

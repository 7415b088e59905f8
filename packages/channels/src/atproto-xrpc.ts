/** One call to a server of atproto, and what its answer means for a proof. SPEC §7.5. */
import { KezError } from "@kez/core"
import type { Evidence, Net, Publication } from "./channel.ts"
import type { FetchOptions } from "./fetch.ts"
import type { FetchAnswer } from "./fetch-answer.ts"
import { parseForeign, textAt } from "./foreign-json.ts"
import { maxRecordsBytes } from "./limits.ts"
import { describeFetch, publicationOfError, publicationOfStatus } from "./publication.ts"

export interface XrpcCall {
  /** `https://host`, without a path. */
  readonly origin: string
  readonly method: string
  readonly params?: Readonly<Record<string, string>>
  /** Sent as JSON; a call with `body` or `token` is a POST. */
  readonly body?: unknown
  /** Bearer token. Never part of a URL or a message. */
  readonly token?: string
}

export interface XrpcAnswer {
  readonly answer: FetchAnswer
  /** The JSON; undefined where there was none. */
  readonly body: unknown
  /** The name that the server gives to a refusal, such as `RecordNotFound`. */
  readonly error: string | undefined
}

/** Of a repository that is not there, or was closed: an answer, for the server is the account's own place. */
const closedRepos: ReadonlyMap<string, string> = new Map([
  ["RepoNotFound", "its server has no such account"],
  ["RepoDeactivated", "its owner deactivated the account"],
  ["RepoTakendown", "its server took the account down"],
  ["RepoSuspended", "its server suspended the account"],
])

export function urlOfCall({ origin, method, params = {} }: XrpcCall): string {
  const query = new URLSearchParams(params).toString()
  return `${origin}/xrpc/${method}${query === "" ? "" : `?${query}`}`
}

/** Throws KezError `net.*`, `limit.body`, `text.utf8`. Any status is an answer. */
export async function callXrpc(call: XrpcCall, net: Net, signal?: AbortSignal): Promise<XrpcAnswer> {
  const isPost = call.body !== undefined || call.token !== undefined
  const options: FetchOptions = {
    signal,
    accept: ["application/json"],
    // The server that the account names is the place; another host is not.
    sameHost: true,
    maxWireBytes: maxRecordsBytes,
    ...(isPost ? { method: "POST", headers: headersOf(call) } : {}),
    ...(call.body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(call.body)) }),
  }
  const answer = await net.fetch(urlOfCall(call), isPost && call.body === undefined ? withoutType(options) : options)
  const body = answer.status === 200 ? readBody(answer) : tryReadBody(answer)
  return { answer, body, error: answer.status === 200 ? undefined : textAt(body, "error") }
}

/** A look: the JSON of a 200, or the publication that everything else means. */
export async function lookAtXrpc(
  call: XrpcCall,
  net: Net,
  signal: AbortSignal,
): Promise<{ readonly body: unknown; readonly evidence: Evidence } | Exclude<Publication, { status: "found" }>> {
  const place = { url: urlOfCall(call), fetchedAt: net.now() }
  try {
    const { answer, body, error } = await callXrpc(call, net, signal)
    const evidence = describeFetch(answer)
    const note = noteOnRefusal(error)
    if (answer.status === 400 && note !== undefined) {
      return { status: "absent", code: "proof.not_found", evidence: [{ ...evidence, note }] }
    }
    return publicationOfStatus(answer) ?? { body, evidence }
  } catch (error) {
    return publicationOfError(error, place)
  }
}

/** What a refusal with this name says about the account; undefined for one that says nothing. */
function noteOnRefusal(error: string | undefined): string | undefined {
  if (error === "RecordNotFound") return "there is no such record"
  return error === undefined ? undefined : closedRepos.get(error)
}

/** Whether a repository's status, `deactivated` say, means that nothing is shown there. */
export function noteOnRepoStatus(status: string | undefined): string {
  return status === undefined || !/^[a-z]{1,20}$/.test(status)
    ? "the account is not active"
    : `the account is ${status}`
}

function headersOf({ body, token }: XrpcCall): Record<string, string> {
  return {
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
}

/** Calls without a body are answered by a bare 200. */
function withoutType({ accept: _, ...options }: FetchOptions): FetchOptions {
  return options
}

function readBody(answer: FetchAnswer): unknown {
  return answer.body.length === 0 ? undefined : parseForeign(answer)
}

/** The body of a refusal only explains it: an error page is none the worse. */
function tryReadBody(answer: FetchAnswer): unknown {
  try {
    return readBody(answer)
  } catch (error) {
    if (error instanceof KezError) return undefined
    throw error
  }
}

/** Commands and answers as bytes. The shapes are in `commands.ts`. */
import { type Code, codes, type Json, KezError } from "@kez/core"
import { anyString, assertObject, count, fault, optional, record, required } from "@kez/core/schema"
import {
  answerShapes,
  type CommandAnswers,
  type CommandRequests,
  type Operation,
  partsOf,
  requestShapes,
} from "./commands.ts"
import { decodeFrame, encodeFrame } from "./frame.ts"

export function isOperation(name: string): name is Operation {
  return Object.hasOwn(requestShapes, name)
}

export interface WithParts<T> {
  readonly header: T
  readonly parts: readonly Uint8Array[]
}

export function encodeRequest<O extends Operation>(
  operation: O,
  request: CommandRequests[O],
  parts: readonly Uint8Array[] = [],
): Uint8Array {
  requestShapes[operation]({ ...request } as Json, operation)
  return encodeFrame({ header: { ...request } as Json, parts })
}

/** For the server: sizes, structure, number of parts. */
export function decodeRequest<O extends Operation>(operation: O, bytes: Uint8Array): WithParts<CommandRequests[O]> {
  const { header, parts } = decodeFrame(bytes)
  const [min, max] = partsOf[operation]
  if (parts.length < min || parts.length > max) {
    throw new KezError("chat.encoding", `Cannot do ${operation}: it has ${parts.length} parts`)
  }
  return { header: requestShapes[operation](header, operation), parts }
}

export function encodeAnswer<O extends Operation>(
  operation: O,
  answer: CommandAnswers[O],
  parts: readonly Uint8Array[] = [],
): Uint8Array {
  answerShapes[operation]({ ...answer } as Json, operation)
  return encodeFrame({ header: { ok: { ...answer } as Json }, parts })
}

/** A refusal, with the codes that the library has. `retry_after`: seconds. */
export function encodeRefusal(error: KezError, retryAfterSeconds?: number): Uint8Array {
  const retry = retryAfterSeconds === undefined ? {} : { retry_after: retryAfterSeconds }
  const hint = error.hint === undefined ? {} : { hint: error.hint }
  return encodeFrame({ header: { error: { code: error.code, message: error.message, ...hint, ...retry } }, parts: [] })
}

interface Refusal {
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly retry_after?: number
}

const refusal = record<Refusal>({
  code: required(anyString),
  message: required(anyString),
  hint: optional(anyString),
  retry_after: optional(count),
})

/** The answer, or what the server refused it with: thrown, with the server's code. A code that is not known here is `broker.refused`. */
export function decodeAnswer<O extends Operation>(operation: O, bytes: Uint8Array): WithParts<CommandAnswers[O]> {
  const { header, parts } = decodeFrame(bytes)
  assertObject(header, "the answer")
  if (Object.hasOwn(header, "error")) throw refusalOf(refusal(header["error"] ?? null, "error"))
  const { ok, ...others } = header
  if (Object.keys(others).length > 0) throw fault("schema.unknown_member", "the answer", "ok or error alone")
  return { header: answerShapes[operation](ok ?? null, operation), parts }
}

function refusalOf({ code, message, hint, retry_after }: Refusal): KezError {
  const known: Code = codes.find((one) => one === code) ?? "broker.refused"
  const wait = retry_after === undefined ? undefined : `Try again in ${retry_after} s.`
  const next = hint?.slice(0, 500) ?? wait
  return new KezError(known, message.slice(0, 500), next === undefined ? {} : { hint: next })
}

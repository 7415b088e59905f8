/** The bytes of an answer to a plain request (plain-request.ts): what does not change, the second, and whether it is the last. */
import type { ChainAnswer } from "./chain-answer.ts"
import { keepAliveTimeoutMs } from "./http-limits.ts"
import type { PlainAnswer } from "./plain-post.ts"

/** Answers that have the date of this second. Put together, one is 6 kB of new memory; as it is, none. */
const maxPutTogether = 256
const putTogether = new Map<ChainAnswer, string>()
let second = 0
let date = ""

const keepAlive = `\r\nConnection: keep-alive\r\nKeep-Alive: timeout=${keepAliveTimeoutMs / 1_000}\r\n\r\n`
const close = "\r\nConnection: close\r\n\r\n"

/** One byte a character. */
export function wholeAnswer(answer: ChainAnswer, isLast: boolean): string {
  refreshDate()
  if (isLast) return `${answer.start}${date}${close}${answer.text}`
  const known = putTogether.get(answer)
  if (known !== undefined) return known
  const whole = `${answer.start}${date}${keepAlive}${answer.text}`
  if (putTogether.size < maxPutTogether) putTogether.set(answer, whole)
  return whole
}

export function notModified({ notModifiedStart }: ChainAnswer, isLast: boolean): string {
  refreshDate()
  return `${notModifiedStart}${date}${isLast ? close : keepAlive}`
}

/** To be sent as UTF-8. */
export function postAnswer({ start, text }: PlainAnswer, isLast: boolean): string {
  refreshDate()
  return `${start}${date}${isLast ? close : keepAlive}${text}`
}

function refreshDate(): void {
  const now = Math.floor(Date.now() / 1_000)
  if (now === second) return
  second = now
  date = `Date: ${new Date(now * 1_000).toUTCString()}`
  putTogether.clear()
}

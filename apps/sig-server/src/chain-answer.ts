/** What is sent of a chain, made once for each version of it: reads are many, and all of them get the same bytes. */
import type { ChainView } from "./chain-service.ts"
import { commonHeaders, readerHeaders } from "./common-headers.ts"

export interface ChainAnswer {
  readonly etag: string
  /** How many events are known beside the winning path. */
  readonly forks: number
  /** Of the whole document; `etag`, `kez-chain` and `kez-forks` fit every part of it. */
  readonly headers: Readonly<Record<string, string>>
  /** The same, the length, and what every read has, as Node writes them fastest: name, value, name, value. Nobody changes it. */
  readonly flatHeaders: string[]
  /** The same again, as the bytes that come before the date of an answer, and those of a 304. */
  readonly start: string
  readonly notModifiedStart: string
  readonly body: Buffer
  /**
   * A short body as a text of one byte a character. Node writes that in one piece with the headers; a Buffer is a second piece, which
   * costs as much as all the rest of an answer.
   */
  readonly text: string | undefined
}

/** Of several times the usual chain; a text is kept beside the bytes. */
const maxTextBytes = 16_384

const everyRead = { ...commonHeaders, ...readerHeaders }

const answers = new WeakMap<ChainView, ChainAnswer>()

export function answerOf(view: ChainView): ChainAnswer {
  const known = answers.get(view)
  if (known !== undefined) return known
  const { document, replay, size } = view
  const etag = `"${replay.head.digest}"`
  const forks = size - (replay.head.seq + 1)
  const headers = {
    "content-type": "application/jsonl",
    "cache-control": "no-cache",
    etag,
    "kez-chain": view.chain,
    "kez-forks": String(forks),
  }
  const body = Buffer.from(document.buffer, document.byteOffset, document.byteLength)
  const all = { ...everyRead, ...headers, "content-length": String(body.length) }
  const { "content-type": _type, "content-length": _length, ...unchanged } = all
  const text = body.length <= maxTextBytes ? body.toString("latin1") : undefined
  const answer = {
    etag,
    forks,
    headers,
    flatHeaders: Object.entries(all).flat(),
    start: startOf("200 OK", all),
    notModifiedStart: startOf("304 Not Modified", unchanged),
    body,
    text,
  }
  answers.set(view, answer)
  return answer
}

function startOf(status: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status}\r\n${lines.join("")}`
}

/** Whether the reader has this version: If-None-Match by RFC 9110 §13.1.2, where `W/` makes no difference. */
export function hasVersion(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch === etag || ifNoneMatch === "*") return true
  return ifNoneMatch.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag)
}

const lineFeed = 0x0a

/** The lines from the `from`th of `count` on: none when there are not so many. */
export function tailOf(document: Buffer, from: number, count: number): Buffer {
  if (from >= count) return document.subarray(document.length)
  if (from > count / 2) return document.subarray(startFromEnd(document, count - from))
  let start = 0
  for (let line = 0; line < from; line++) start = document.indexOf(lineFeed, start) + 1
  return document.subarray(start)
}

/** Where the last `lines` lines begin. Most readers lack only a few. */
function startFromEnd(document: Buffer, lines: number): number {
  let end = document.length - 1
  for (let line = 0; line < lines; line++) end = document.lastIndexOf(lineFeed, end - 1)
  return end + 1
}

/** One page of a feed of another store, read with bounds: whoever serves it may mean harm. SPEC §8 */
import { type Code, type Digest, digestOf, isDigest, KezError, limits, parseForeignJson } from "@kez/core"
import { boundedLines } from "./bounded-lines.ts"

/** An envelope and what stands around it. */
const maxLineBytes = limits.maxEnvelopeBytes + 256

export interface FeedEntry {
  readonly cursor: number
  /** Names the whole line: whether the other store still tells the same. */
  readonly digest: Digest
  /** Of which chain it is said to be. A lie only gets it refused. */
  readonly chain: string
  /** The event or the head as it stands in the line. Nothing of it is checked. */
  readonly text: string
}

/** What a line of the feed holds beside chain and cursor. */
export type FeedMember = "event" | "head"

export interface PageRequest {
  readonly member: FeedMember
  /** Base URL of the other store. */
  readonly base: URL
  readonly after: number
  /** Lines asked for. */
  readonly limit: number
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly fetch?: typeof globalThis.fetch
}

/** The other store asks to be left alone for a while. */
export class WaitError extends KezError {
  readonly waitMs: number

  constructor(waitMs: number) {
    super("net.rate_limit", "Cannot read the feed: the store asks to wait")
    this.waitMs = waitMs
  }
}

/**
 * Events or heads after a cursor, in rising order of cursors. Throws `net.*` without an answer, `limit.body` and `limit.size` for too much,
 * `chain.jsonl` for what is no feed.
 */
export async function readPage(request: PageRequest): Promise<readonly FeedEntry[]> {
  const { base, member, after, limit, timeoutMs, signal } = request
  const url = new URL(`v1/${member}s?after=${after}&limit=${limit}`, base.href.endsWith("/") ? base : `${base.href}/`)
  const entries: FeedEntry[] = []
  try {
    // Not followed: where the feed lies is configured, and nobody else's to say.
    const response = await (request.fetch ?? fetch)(url, {
      redirect: "error",
      headers: { accept: "application/jsonl", "accept-encoding": "identity", "user-agent": "kez-sig-server mirror" },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
    assertAnswer(response)
    if (response.body === null) return entries
    for await (const line of boundedLines(response.body, { maxLineBytes, maxBytes: limit * (maxLineBytes + 1) })) {
      const entry = parseEntry(line, member)
      if (entry.cursor <= (entries.at(-1)?.cursor ?? after)) throw noFeed("cursors that rise")
      if (entries.length === limit) throw noFeed(`at most ${limit} lines`)
      entries.push(entry)
    }
    return entries
  } catch (error) {
    throw explain(error)
  }
}

function assertAnswer(response: Response): void {
  if (response.status === 200) return
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN)
  if ((response.status === 429 || response.status === 503) && seconds > 0) throw new WaitError(seconds * 1_000)
  throw new KezError("net.status", `Cannot read the feed: expected status 200, got ${response.status}`)
}

function parseEntry(bytes: Buffer, member: FeedMember): FeedEntry {
  const line = bytes.toString("utf8")
  // An event that this version cannot read is refused later: the way past it must not depend on its content.
  const value = tryParse(line)
  if (typeof value !== "object" || value === null) throw noFeed("objects")
  const { cursor, chain, [member]: envelope } = Object.fromEntries(Object.entries(value))
  if (!Number.isSafeInteger(cursor) || typeof cursor !== "number" || cursor < 1) throw noFeed("a cursor in each line")
  if (typeof chain !== "string" || !isDigest(chain)) throw noFeed("a chain id in each line")
  if (typeof envelope !== "object" || envelope === null) throw noFeed(`one ${member} in each line`)
  return { cursor, chain, digest: digestOf(bytes), text: textOf(line, member) ?? JSON.stringify(envelope) }
}

/** The bytes that were signed stand in the line as they are; the strict decoder looks at them, not at what was parsed of them. */
function textOf(line: string, member: FeedMember): string | undefined {
  return forms[member].exec(line)?.[1]
}

const forms: Readonly<Record<FeedMember, RegExp>> = {
  event: /^\{"chain":"[^"]*","cursor":\d+,"event":(\{.*\})\}$/,
  head: /^\{"chain":"[^"]*","cursor":\d+,"head":(\{.*\})\}$/,
}

function tryParse(line: string): unknown {
  try {
    return parseForeignJson(line)
  } catch {
    return undefined
  }
}

function noFeed(expected: string): KezError {
  return new KezError("chain.jsonl", `Cannot read the feed: expected ${expected}`)
}

const codesOfFetch: Readonly<Record<string, Code>> = {
  ECONNREFUSED: "net.refused",
  ECONNRESET: "net.refused",
  UND_ERR_SOCKET: "net.refused",
  ENOTFOUND: "net.dns",
  EAI_AGAIN: "net.dns",
  UND_ERR_CONNECT_TIMEOUT: "net.timeout",
  UND_ERR_HEADERS_TIMEOUT: "net.timeout",
  UND_ERR_BODY_TIMEOUT: "net.timeout",
}

function explain(error: unknown): unknown {
  if (error instanceof KezError || !(error instanceof Error)) return error
  if (error.name === "TimeoutError") {
    return new KezError("net.timeout", "Cannot read the feed: no answer in time", { cause: error })
  }
  if (error.name === "AbortError") return error
  const code = codesOfFetch[codeOf(error.cause) ?? ""] ?? "net.http"
  return new KezError(code, `Cannot read the feed: ${error.message}`, { cause: error })
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined
}

/** The judge: reads everything back from a store and compares it with the history of its clients. Whatever it finds has a kind. */
import { type Digest, formatEnvelope, parseChain, replayChain } from "@kez/core"
import type { Connection } from "./connection.ts"
import { type History, isAcknowledged, type SentEvent } from "./history.ts"

export type Finding =
  /** Acknowledged, and not there. */
  | "lost"
  /** There twice. */
  | "duplicated"
  /** Before the event that it follows. */
  | "out of order"
  /** Bytes that nobody has sent. */
  | "altered"
  /** Refused, and there all the same. */
  | "refused but kept"
  /** At another place of the feed than before. */
  | "moved"
  /** A document, /forks or a head is not what the events come to. */
  | "wrong answer"
  /** An answer that should never be given. */
  | "odd"

export interface Problem {
  readonly finding: Finding
  readonly about: string
}

interface FeedEntry {
  readonly cursor: number
  readonly chain: string
  readonly line: string
}

const feedPage = 1_000

/** Reads the feed whole, and the chains given; all of them where none is. */
export async function check(
  connection: Connection,
  history: History,
  chains: Iterable<Digest> = history.chains.keys(),
): Promise<readonly Problem[]> {
  const feed = await readFeed(connection)
  const problems = [...checkFeed(feed, history)]
  const byChain = Map.groupBy(feed, ({ chain }) => chain)
  for (const chain of chains) problems.push(...(await checkChain(connection, history, { chain, byChain })))
  problems.push(...history.oddities.splice(0).map((about) => ({ finding: "odd", about }) as const))
  return problems
}

export async function readFeed(connection: Connection): Promise<readonly FeedEntry[]> {
  const entries: FeedEntry[] = []
  for (;;) {
    const { status, body } = await connection.get(`/v1/events?after=${entries.at(-1)?.cursor ?? 0}&limit=${feedPage}`)
    if (status !== 200) throw new Error(`cannot read the feed: ${status} ${body.toString()}`)
    const lines = body.toString().split("\n").slice(0, -1)
    if (lines.length === 0) return entries
    entries.push(...lines.map(readFeedLine))
  }
}

/** Cut, not parsed: the bytes of the event are what counts. */
function readFeedLine(line: string): FeedEntry {
  const [, chain = "", cursor = "", event = ""] =
    /^\{"chain":"([^"]*)","cursor":([0-9]+),"event":(.*)\}$/.exec(line) ?? []
  return { chain, cursor: Number(cursor), line: event }
}

function* checkFeed(feed: readonly FeedEntry[], history: History): Generator<Problem> {
  const seen = new Set<Digest>()
  const there = new Set<string>()
  for (const { cursor, chain, line } of feed) {
    const sent = history.sent.get(line)
    if (sent === undefined || sent.chain !== chain) yield { finding: "altered", about: line || `cursor ${cursor}` }
    if (sent === undefined) continue
    if (there.has(line)) yield { finding: "duplicated", about: nameOf(sent) }
    if (sent.outcome === "refused") yield { finding: "refused but kept", about: nameOf(sent) }
    const { prev } = sent.event.payload
    if (prev !== undefined && !seen.has(prev)) yield { finding: "out of order", about: nameOf(sent) }
    if ((history.cursors.get(line) ?? cursor) !== cursor) yield { finding: "moved", about: nameOf(sent) }
    history.cursors.set(line, cursor)
    there.add(line)
    seen.add(sent.digest)
  }
  for (const sent of history.sent.values()) {
    // Whatever somebody has once read must stay as well: a reader's chain never gets shorter.
    if (!there.has(sent.line) && (isAcknowledged(sent) || history.cursors.has(sent.line)))
      yield { finding: "lost", about: nameOf(sent) }
  }
}

interface ChainCheck {
  readonly chain: Digest
  readonly byChain: ReadonlyMap<string, readonly FeedEntry[]>
}

/** The events of the feed are put together anew with core; the answers of the store must be what that gives. */

async function checkChain(
  connection: Connection,
  history: History,
  { chain, byChain }: ChainCheck,
): Promise<readonly Problem[]> {
  const wrong = (about: string): Problem => ({ finding: "wrong answer", about: `${about} of ${chain}` })
  const document = await connection.get(`/v1/chains/${chain}`)
  const entries = byChain.get(chain)
  if (entries === undefined) return document.status === 404 ? [] : [wrong(`status ${document.status}`)]
  const events = entries.flatMap(({ line }) => history.sent.get(line)?.event ?? [])
  const path = replayChain(events, { chain }).path.map(formatEnvelope)
  const losing = entries.map(({ line }) => line).filter((line) => !path.includes(line))
  const problems: Problem[] = []
  if (document.body.toString() !== path.map((line) => `${line}\n`).join("")) problems.push(wrong("document"))
  else parseChain(document.body)
  const forks = (await connection.get(`/v1/chains/${chain}/forks`)).body.toString().split("\n").slice(0, -1)
  if (forks.toSorted().join("\n") !== losing.toSorted().join("\n")) problems.push(wrong("forks"))
  const head = history.heads.get(chain)
  if (head !== undefined && !(await connection.get(`/v1/chains/${chain}/head`)).body.includes(head))
    problems.push({ finding: "lost", about: `a signed head of ${chain}` })
  return problems
}

function nameOf({ chain, event, outcome }: SentEvent): string {
  return `event ${event.payload.seq} of ${chain} (${outcome})`
}

/** How many there are of each kind. */
export function tally(problems: readonly Problem[], finding: Finding): number {
  return problems.filter((problem) => problem.finding === finding).length
}

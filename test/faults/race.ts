/** G8: many connections append to one chain at the same moment. For each seq one event wins; the others are told so, and kept. */
import {
  appendEvent,
  type ChainReplay,
  type Digest,
  envelopeDigest,
  formatEnvelope,
  type Operation,
  parseChain,
  type SigchainEvent,
  type Signer,
} from "@kez/core"
import type { Problem } from "./check.ts"
import { type Answer, type Connection, codeOf, connect } from "./connection.ts"
import { newSigner, nowSeconds } from "./load.ts"
import type { Random } from "./random.ts"

export interface RaceReport {
  readonly posted: number
  /** On the winning path. */
  readonly won: number
  /** Kept as evidence. */
  readonly kept: number
  /** Beyond what is kept of a fork, or following nothing: refused, and not there. */
  readonly refused: number
  readonly problems: readonly Problem[]
}

interface Rivals {
  readonly chain: Digest
  /** Posted before. */
  readonly base: readonly SigchainEvent[]
  /** The owner's, one after the other. */
  readonly winners: readonly [SigchainEvent, SigchainEvent]
  /** In the order in which they are posted, the owner's among them. */
  readonly events: readonly SigchainEvent[]
}

/** Devices and the owner of one identity append `count` events at two places in a row. */
export async function race(url: string, count: number, random: Random): Promise<RaceReport> {
  const rivals = await makeRivals(count, random)
  const { chain, base, winners, events } = rivals
  const first = connect(url)
  const post = (connection: Connection, event: SigchainEvent): Promise<Answer> =>
    connection.post(`/v1/chains/${chain}/events`, formatEnvelope(event))
  for (const event of base) await post(first, event)
  const connections = events.map(() => connect(url))
  const answers = new Map<SigchainEvent, Answer>()
  const posts = connections.map(async (connection, i) => {
    const event = events[i]
    if (event !== undefined) answers.set(event, await post(connection, event))
    connection.close()
  })
  await Promise.all(posts)
  // His second event may have come before his first, and followed nothing then. He sends it again, as every client does.
  for (const event of winners) if (answers.get(event)?.status !== 201) answers.set(event, await post(first, event))
  const document = parseChain((await first.get(`/v1/chains/${chain}`)).body)
  const forks = (await first.get(`/v1/chains/${chain}/forks`)).body.toString().split("\n").slice(0, -1)
  first.close()
  return judge(rivals, answers, { document, forks })
}

async function makeRivals(count: number, random: Random): Promise<Rivals> {
  const [owner, phone, laptop] = [newSigner(random), newSigner(random), newSigner(random)]
  const next = (by: Signer, chain: ChainReplay | undefined, operation: Operation) =>
    appendEvent({ chain, operation, now: nowSeconds() }, by)
  const add = (name: string): Operation => ({ op: "add", subject: `dns:${name}.example` })
  const start = await next(owner, undefined, add("a"))
  const withPhone = await next(owner, start.replay, { op: "add_device", device: phone })
  const base = await next(owner, withPhone.replay, { op: "add_device", device: laptop })
  const won = await next(owner, base.replay, add("owner"))
  const wonNext = await next(owner, won.replay, add("next"))
  const events = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      if (i === Math.floor(count * 0.4)) return won.event
      if (i === Math.floor(count * 0.8)) return wonNext.event
      const device = i % 2 === 0 ? phone : laptop
      return (await next(device, i < count * 0.6 ? base.replay : won.replay, add(`r${i}`))).event
    }),
  )
  return {
    chain: base.replay.chain,
    base: [start.event, withPhone.event, base.event],
    winners: [won.event, wonNext.event],
    events,
  }
}

interface Served {
  readonly document: readonly SigchainEvent[]
  /** Lines. */
  readonly forks: readonly string[]
}

function judge(
  { base, winners, events }: Rivals,
  answers: ReadonlyMap<SigchainEvent, Answer>,
  { document, forks }: Served,
): RaceReport {
  const problems: Problem[] = []
  const odd = (about: string) => problems.push({ finding: "odd", about })
  if (document.map(envelopeDigest).join() !== [...base, ...winners].map(envelopeDigest).join())
    odd("the winning path is not the owner's")
  const tally = { won: 0, kept: 0, refused: 0 }
  for (const event of events) {
    const answer = answers.get(event)
    const outcome = answer === undefined ? "odd" : outcomeOf(answer)
    const isThere = forks.includes(formatEnvelope(event))
    if (winners.includes(event)) tally.won += outcome === "kept" && !isThere ? 1 : 0
    else if (outcome === "kept" && isThere) tally.kept += 1
    else if (outcome === "refused" && !isThere) tally.refused += 1
    else odd(`${outcome}, answered ${answer?.status}, ${isThere ? "among" : "not among"} the evidence`)
  }
  if (tally.won !== winners.length) odd(`${tally.won} of the owner's events were taken`)
  if (forks.length !== tally.kept) odd(`${forks.length} events of evidence, ${tally.kept} acknowledged`)
  return { posted: events.length, ...tally, problems }
}

/** A device's event may stand at the end for a moment, before the owner's comes: 201, and evidence later. */
function outcomeOf(answer: Answer): "kept" | "refused" | "odd" {
  if (answer.status === 201) return "kept"
  const { kept } = JSON.parse(answer.body.toString()) as { kept?: unknown }
  if (answer.status === 409) return kept === true ? "kept" : "refused"
  return answer.status === 422 && codeOf(answer) === "limit.chain" ? "refused" : "odd"
}

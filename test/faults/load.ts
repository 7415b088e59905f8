/** Clients that append to a store as fast as it answers, each on a connection of its own, until it dies or they are told to stop. */
import {
  appendEvent,
  type ChainReplay,
  createSigner,
  formatEnvelope,
  type SigchainEvent,
  type Signer,
  signHead,
} from "@kez/core"
import { type Answer, type Connection, codeOf, connect } from "./connection.ts"
import type { History, SentEvent } from "./history.ts"
import type { Random } from "./random.ts"

/** Codes by which a store says that it cannot write now: the same event is sent again later. */
const notNow = ["store.full", "store.busy", "net.busy", "store.write"]
const headEvery = 10
/** That a writer appends to by turns. */
export const chainsOfWriter = 3

export const nowSeconds = (): number => Math.floor(Date.now() / 1_000)

export function newSigner(random: Random): Signer {
  return createSigner(
    "ed25519",
    Uint8Array.from({ length: 32 }, () => random.below(256)),
  )
}

/** What a writer knows of a chain of his: nobody else appends to it. */
interface OwnChain {
  readonly signer: Signer
  readonly length: number
  replay: ChainReplay | undefined
  /** Sent, and not acknowledged yet. */
  pending: { readonly event: SigchainEvent; readonly replay: ChainReplay } | undefined
}

export interface Writer {
  /** Appends until `signal` aborts, the connection breaks, or `maxAppends` are acknowledged. Resolves to how many were. */
  run(connection: Connection, signal: AbortSignal, maxAppends?: number): Promise<number>
  /** Sends again what has no answer yet. */
  settle(connection: Connection): Promise<void>
  /** The code of the last refusal. */
  readonly refusal: string | undefined
  /** Whether everything that was sent has been acknowledged. */
  readonly isSettled: boolean
}

export function createWriter(history: History, random: Random, name: string): Writer {
  const chains: OwnChain[] = []
  let made = 0
  let refusal: string | undefined

  const newChain = (): OwnChain => {
    const own = random.fork(`${name}/${made++}`)
    return { signer: newSigner(own), length: own.between(5, 80), replay: undefined, pending: undefined }
  }
  const pick = (): OwnChain => {
    const place = random.below(chainsOfWriter)
    const found = chains[place]
    if (found !== undefined && (found.pending !== undefined || (found.replay?.path.length ?? 0) < found.length))
      return found
    const fresh = newChain()
    chains[Math.min(place, chains.length)] = fresh
    return fresh
  }
  const step = async (connection: Connection, chain: OwnChain): Promise<boolean> => {
    chain.pending ??= await nextEvent(chain, random)
    const { event, replay } = chain.pending
    const sent = history.sending(event, replay.chain)
    const answer = await connection.post(`/v1/chains/${replay.chain}/events`, sent.line)
    refusal = judgeAnswer(answer, sent, history)
    if (refusal !== undefined) return false
    chain.replay = replay
    chain.pending = undefined
    if (random.oneIn(headEvery)) await sendHead(connection, chain, history)
    return true
  }
  return {
    get refusal() {
      return refusal
    },
    get isSettled() {
      return chains.every(({ pending }) => pending === undefined)
    },
    async run(connection, signal, maxAppends = Number.POSITIVE_INFINITY) {
      let appended = 0
      try {
        while (!signal.aborted && appended < maxAppends) {
          if (!(await step(connection, pick()))) return appended
          appended += 1
        }
      } catch (error) {
        assertBroken(error)
      }
      return appended
    },
    async settle(connection) {
      for (const chain of chains) {
        if (chain.pending === undefined) continue
        history.settled += 1
        await step(connection, chain)
      }
    },
  }
}

async function nextEvent({ replay, signer }: OwnChain, random: Random) {
  const pad = "x".repeat(random.below(60))
  const subject = `dns:a${replay?.path.length ?? 0}${pad}.${signer.key.slice(-8)}.example`
  return appendEvent({ chain: replay, operation: { op: "add", subject }, now: nowSeconds() }, signer)
}

/** Undefined where the event was taken. */
function judgeAnswer(answer: Answer, sent: SentEvent, history: History): string | undefined {
  if (answer.status === 201 || answer.status === 200) {
    // 200 before anything was stored would be a lie about another event.
    const { digest }: { digest?: unknown } = JSON.parse(answer.body.toString())
    if (digest !== sent.digest) history.oddities.push(`acknowledged ${String(digest)} instead of ${sent.digest}`)
    sent.outcome = "stored"
    return undefined
  }
  const code = codeOf(answer)
  if (!notNow.includes(code)) history.oddities.push(`refused an event of its only writer: ${answer.status} ${code}`)
  if (code === "store.full" && answer.status !== 507) history.oddities.push(`store.full with status ${answer.status}`)
  sent.outcome = "refused"
  return code
}

async function sendHead(connection: Connection, { replay, signer }: OwnChain, history: History): Promise<void> {
  if (replay === undefined) return
  const head = await signHead(replay, { now: nowSeconds() }, signer)
  const answer = await connection.post(`/v1/chains/${replay.chain}/heads`, formatEnvelope(head))
  if (answer.status === 204) history.keptHead(head)
  else if (!notNow.includes(codeOf(answer)))
    history.oddities.push(`refused a head: ${answer.status} ${answer.body.toString()}`)
}

/** What a connection throws when the other side is gone; anything else is a defect of the test. */
function assertBroken(error: unknown): void {
  const code = error instanceof Error && "code" in error ? String(error.code) : ""
  if (!["ECONNRESET", "ECONNREFUSED", "EPIPE"].includes(code)) throw error
}

/** Several devices of one identity that all append at the same place, again and again. */
export async function runRivals(url: string, { history, random, signal }: RivalOptions): Promise<void> {
  const connections = Array.from({ length: 6 }, () => connect(url))
  try {
    while (!signal.aborted) await oneRace(connections, history, random)
  } catch (error) {
    assertBroken(error)
  } finally {
    for (const connection of connections) connection.close()
  }
}

export interface RivalOptions {
  readonly history: History
  readonly random: Random
  readonly signal: AbortSignal
}

async function oneRace(connections: readonly Connection[], history: History, random: Random): Promise<void> {
  const [owner, device] = [newSigner(random), newSigner(random)]
  const [first] = connections
  let replay: ChainReplay | undefined
  for (const operation of [
    { op: "add", subject: "dns:a.example" },
    { op: "add_device", device },
  ] as const) {
    const made = await appendEvent({ chain: replay, operation, now: nowSeconds() }, owner)
    replay = made.replay
    if (first !== undefined) await sendRival(first, { event: made.event, replay }, history)
  }
  const rivals = await Promise.all(
    connections.map((_, i) => {
      const operation = { op: "add", subject: `dns:r${i}.example` } as const
      return appendEvent({ chain: replay, operation, now: nowSeconds() }, i === 3 ? owner : device)
    }),
  )
  const races = rivals.map(async (made, i) => {
    const connection = connections[i]
    if (connection !== undefined) await sendRival(connection, made, history)
  })
  // All of them come to an end before the next race: what was told must be known.
  const failed = (await Promise.allSettled(races)).find((result) => result.status === "rejected")
  if (failed !== undefined) throw failed.reason
}

async function sendRival(
  connection: Connection,
  { event, replay }: { readonly event: SigchainEvent; readonly replay: ChainReplay },
  history: History,
): Promise<void> {
  const sent = history.sending(event, replay.chain)
  const answer = await connection.post(`/v1/chains/${replay.chain}/events`, sent.line)
  if (answer.status !== 409) return void judgeAnswer(answer, sent, history)
  const { kept }: { kept?: unknown } = JSON.parse(answer.body.toString())
  sent.outcome = kept === true ? "evidence" : "refused"
}

/** Giving a store what it lacks of a chain: events in order, evidence of forks, then signed heads. SPEC §8 */
import { type FetchAnswer, type Net, RateLimitError } from "@kez/channels"
import {
  type ChainHead,
  type Code,
  type Digest,
  envelopeDigest,
  formatEnvelope,
  KezError,
  type SigchainEvent,
} from "@kez/core"
import type { Asked } from "./ask-chain.ts"
import { readProblem } from "./store-answers.ts"
import { chainUrl } from "./store-url.ts"

/** What is to be in every store. */
export interface WholeChain {
  readonly chain: Digest
  /** The winning path. */
  readonly path: readonly SigchainEvent[]
  /** Events off it, parents before children. */
  readonly losing: readonly SigchainEvent[]
  /** The head that is to be there too. */
  readonly head: ChainHead | undefined
}

/** What became of it at one store. */
export interface StoreOutcome {
  /** Base URL. */
  readonly store: string
  /** `whole`: it has the winning path now. `part`: some events are missing. `failed`: nothing was taken. */
  readonly state: "whole" | "part" | "failed"
  /** Events that it did not have before. */
  readonly sent: number
  /** Events of the winning path that it still lacks. */
  readonly missing: number
  /** Evidence of forks that it did not take. */
  readonly untold: number
  /** Whether it has the head. */
  readonly head: boolean
  readonly code?: Code
  readonly note?: string
  readonly retryAfterSeconds?: number
}

interface Fate {
  readonly isKept: boolean
  /** Why no further event will be taken now. */
  readonly stop?: Pick<StoreOutcome, "code" | "note" | "retryAfterSeconds">
}

/** `before`: what the store answered when it was asked for the chain. Never throws for what the store does. */
export async function pushChain(
  net: Net,
  store: string,
  { whole, before, timeoutMs }: { readonly whole: WholeChain; readonly before: Asked; readonly timeoutMs: number },
): Promise<StoreOutcome> {
  const post = (path: string, body: string) => postTo(net, `${chainUrl(store, whole.chain)}/${path}`, body, timeoutMs)
  const served = [...before.documents.map(({ reading }) => reading), ...before.forks]
  const has = new Set(served.flatMap(({ events }) => events.map(envelopeDigest)))
  const nothing = { store, sent: 0, missing: whole.path.length, untold: 0, head: false }
  if (before.outcome === "failed") {
    const { code = "net.status", note } = before.evidence
    return { ...nothing, state: "failed", code, ...(note === undefined ? {} : { note }) }
  }
  const lacking = (events: readonly SigchainEvent[]) => events.filter((event) => !has.has(envelopeDigest(event)))
  const main = await postAll(lacking(whole.path), post)
  const missing = lacking(whole.path).length - main.kept
  const beside = main.stop === undefined ? await postAll(lacking(whole.losing), post) : { kept: 0, stop: undefined }
  const untold = lacking(whole.losing).length - beside.kept
  const head = missing === 0 && (await postHead(whole.head, before, post))
  const isFailed = missing === whole.path.length
  return {
    store,
    state: missing === 0 ? "whole" : isFailed ? "failed" : "part",
    sent: main.kept + beside.kept,
    missing,
    untold,
    head,
    ...(main.stop ?? beside.stop),
  }
}

type Post = (path: string, body: string) => Promise<Posted>

/** One after the other: each needs the one before it. */
async function postAll(events: readonly SigchainEvent[], post: Post) {
  let kept = 0
  for (const event of events) {
    const { isKept, stop } = fateOf(await post("events", formatEnvelope(event)))
    if (isKept) kept += 1
    if (stop !== undefined) return { kept, stop }
  }
  return { kept, stop: undefined }
}

async function postHead(head: ChainHead | undefined, before: Asked, post: Post): Promise<boolean> {
  if (head === undefined) return false
  const digest = envelopeDigest(head)
  if (before.heads.some((one) => envelopeDigest(one) === digest)) return true
  const posted = await post("heads", formatEnvelope(head))
  return "answer" in posted && posted.answer.status >= 200 && posted.answer.status < 300
}

/** Whether a head could be given to a store. Never throws for what the store does. */
export async function pushHead(net: Net, store: string, head: ChainHead, timeoutMs: number): Promise<boolean> {
  const url = `${chainUrl(store, head.payload.chain)}/heads`
  const posted = await postTo(net, url, formatEnvelope(head), timeoutMs)
  return "answer" in posted && posted.answer.status >= 200 && posted.answer.status < 300
}

type Posted = { readonly answer: FetchAnswer } | { readonly error: KezError }

async function postTo(net: Net, url: string, body: string, timeoutMs: number): Promise<Posted> {
  try {
    const answer = await net.fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: Buffer.from(body),
      signal: AbortSignal.timeout(timeoutMs),
      isChosen: true,
    })
    return { answer }
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    return { error }
  }
}

function fateOf(posted: Posted): Fate {
  if ("error" in posted) return { isKept: false, stop: reasonOf(posted.error) }
  const { answer } = posted
  const { status, retryAfterSeconds } = answer
  if (status === 200 || status === 201) return { isKept: true }
  const { code, isKept } = readProblem(answer)
  // Valid, and on a losing branch: kept as evidence, and what follows it may win. [FORK-5]
  if (status === 409 && isKept === true) return { isKept: true }
  const retry = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
  if (status === 429) return { isKept: false, stop: { code: "net.rate_limit", note: "asks to wait", ...retry } }
  return { isKept: false, stop: { code: code ?? "net.status", note: `answered ${status}`, ...retry } }
}

function reasonOf(error: KezError): NonNullable<Fate["stop"]> {
  const retry = error instanceof RateLimitError ? { retryAfterSeconds: error.retryAfterSeconds } : {}
  return { code: error.code, note: error.message, ...retry }
}

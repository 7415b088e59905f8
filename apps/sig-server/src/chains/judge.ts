/** Whether an event may join a chain that the store has. What readers would refuse is refused with their code. SPEC §5 */
import {
  type ChainReplay,
  type Digest,
  envelopeDigest,
  faultOfEvent,
  formatEnvelope,
  hasRoomFor,
  KezError,
  limits,
  parseTime,
  replayChain,
  type SigchainEvent,
  utf8Length,
} from "@kez/core"
import type { Refusal } from "../chain-service.ts"
import { maxStoredChainBytes, reservedChainBytes, sharedFilesIntervalSeconds } from "../limits.ts"
import { branchTo, type KeptChain, type KeptEvent, vouchForAll } from "./kept-chain.ts"

export type Judgement =
  | { readonly status: "known" }
  | { readonly status: "behind" | "refused"; readonly refusal: Refusal }
  /** `replay`: the chain with the event. */
  | { readonly status: "valid"; readonly replay: ChainReplay }

export interface Circumstances {
  /** Unix seconds, by the store's clock. */
  readonly now: number
  readonly isCopy: boolean
}

/** Refused for now: the same event may be accepted later. */
class WaitError extends KezError {
  readonly retryAfterSeconds: number

  constructor(retryAfterSeconds: number) {
    super("net.rate_limit", "Cannot accept the event: expected at most one set_shared_files a day")
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** `chain` undefined: the event is event 0 of a new one. Changes nothing that others see. */
export function judgeEvent(event: SigchainEvent, chain: KeptChain | undefined, at: Circumstances): Judgement {
  if (chain === undefined) return judgeFirst(event)
  if (chain.events.has(envelopeDigest(event))) return { status: "known" }
  // Without a replay: whoever posts noise must not make the store walk through a long chain for each piece of it.
  const fault = faultOfEvent(event, chain.view.replay)
  if (fault !== undefined) return { status: isMisplaced(fault) ? "behind" : "refused", refusal: fault }
  const replay = tryReplay(event, chain)
  if ("code" in replay) return { status: "refused", refusal: replay }
  const tooMuch = faultOf(() => {
    assertRoom(event, chain)
    if (!at.isCopy) assertSharedFilesInterval(event, chain, at.now)
  })
  return tooMuch === undefined ? { status: "valid", replay } : { status: "refused", refusal: tooMuch }
}

function judgeFirst(event: SigchainEvent): Judgement {
  const refusal = faultOfEvent(event)
  return refusal === undefined ? { status: "valid", replay: replayChain([event]) } : { status: "refused", refusal }
}

function isMisplaced({ code }: KezError): boolean {
  return code === "chain.gap" || code === "chain.repeat" || code === "chain.prev"
}

function tryReplay(event: SigchainEvent, { events, view }: KeptChain): ChainReplay | Refusal {
  // All of a chain that has split is walked again, or that splits now.
  if (event.payload.prev !== view.replay.head.digest || view.replay.splits.length > 0) vouchForAll(events)
  try {
    const replay = replayChain([event], { previous: view.replay })
    const digest = envelopeDigest(event)
    const refused = replay.refused.find((refusal) => refusal.digest === digest)
    if (refused === undefined) return replay
    return { code: refused.code, message: `Cannot accept the event: readers would refuse it (${refused.code})` }
  } catch (error) {
    if (error instanceof KezError) return error
    throw error
  }
}

/** Rules of the store: what is kept of forks, and in bytes. */
function assertRoom(event: SigchainEvent, chain: KeptChain): void {
  const { prev = "" } = event.payload
  const ownBytes = utf8Length(formatEnvelope(event))
  const keptBytes = isReserved(event) ? 0 : reservedChainBytes
  const branchBytes = bytesTo(chain, prev) + ownBytes + 1
  if (branchBytes > limits.maxChainBytes - keptBytes || chain.bytes + ownBytes > maxStoredChainBytes - keptBytes) {
    throw tooMuch("bytes")
  }
  const isFork = chain.parents.has(prev)
  const isNearlyFull = chain.events.size + 1 > limits.maxKnownEvents - limits.reservedChainEvents
  if (!isFork && !isNearlyFull) return
  const known = [...chain.events.values()].map((each) => each.event)
  const branch = [...branchTo(chain, prev), event]
  if (!hasRoomFor(known, branch, branch.length - 1)) throw tooMuch("events of losing branches")
}

/** Of the document that ends with this event. */
function bytesTo(chain: KeptChain, digest: Digest): number {
  if (digest === chain.view.replay.head.digest) return chain.document.bytes.length
  return branchTo(chain, digest).reduce((sum, event) => sum + utf8Length(formatEnvelope(event)) + 1, 0)
}

/** What the last places of a chain are for, SPEC CHAIN-9; the event is known to be valid. */
function isReserved({ payload, signature }: SigchainEvent): boolean {
  switch (payload.op) {
    case "rotate":
    case "settle":
    case "set_next":
      return true
    case "revoke":
    case "revoke_device":
      return signature.key === payload.primary
    case "add":
    case "add_device":
    case "set_shared_files":
      return false
  }
}

/**
 * At most one `set_shared_files` a day. An event counts as of when it was made, but not later than it came: a history that is
 * posted at once is accepted, and dates in the future win nothing.
 */
function assertSharedFilesInterval({ payload }: SigchainEvent, chain: KeptChain, now: number): void {
  if (payload.op !== "set_shared_files") return
  const last = lastSharedFiles(chain, payload.prev)
  if (last === undefined) return
  const lastAt = Math.min(parseTime(last.event.payload.created_at), last.storedAt)
  const at = Math.min(parseTime(payload.created_at), now)
  const waitSeconds = sharedFilesIntervalSeconds - (at - lastAt)
  if (waitSeconds > 0) throw new WaitError(waitSeconds)
}

function lastSharedFiles({ events }: KeptChain, from: Digest | undefined): KeptEvent | undefined {
  for (let kept = events.get(from ?? ""); kept !== undefined; kept = events.get(kept.event.payload.prev ?? "")) {
    if (kept.event.payload.op === "set_shared_files") return kept
  }
  return undefined
}

function tooMuch(what: string): KezError {
  return new KezError("limit.chain", `Cannot accept the event: the store keeps no more ${what} of this chain`)
}

function faultOf(check: () => void): KezError | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    if (error instanceof KezError) return error
    throw error
  }
}

/** One message of a stream: where a chain ends now, and what is new in it. SPEC STORE-11 */
import { type Digest, isDigest } from "@kez/core"
import { answerOf, tailOf } from "./chain-answer.ts"
import type { ChainView } from "./chain-service.ts"
import { maxStreamEventsBytes } from "./http-limits.ts"

/** How far a reader has come. */
export interface Position {
  readonly seq: number
  /** Without it, the reader is taken to be on the winning path. */
  readonly digest?: Digest | undefined
}

/** `from`: the seq of the first event that a reader at an earlier position lacks. */
export interface Change {
  readonly view: ChainView
  readonly from: number
}

const idForm = /^(0|[1-9][0-9]{0,4})(?:-(sha256:[0-9a-f]{64}))?$/

/** Of `Last-Event-ID`: a seq, or what `formatMessage` writes. Undefined for anything else. */
export function parsePosition(text: string): Position | undefined {
  const [, seq, digest] = idForm.exec(text) ?? []
  if (seq === undefined || (digest !== undefined && !isDigest(digest))) return undefined
  return { seq: Number(seq), digest }
}

/** A reader whose event is not on the winning path any more gets the whole path: what it has is a losing branch. */
export function changeSincePosition(view: ChainView, { seq, digest }: Position): Change {
  const { digests, head } = view.replay
  if (digest !== undefined && digests[seq] !== digest) return { view, from: 0 }
  return { view, from: Math.min(seq, head.seq) + 1 }
}

export function changeBetween(before: ChainView, view: ChainView): Change {
  const old = before.replay.digests
  const { digests, head } = view.replay
  const seq = Math.min(before.replay.head.seq, head.seq)
  // Chains grow at their end: two paths with one digest at a seq are the same up to it.
  if (old[seq] === digests[seq]) return { view, from: seq + 1 }
  const first = digests.findIndex((digest, index) => old[index] !== digest)
  return { view, from: first === -1 ? head.seq + 1 : first }
}

/** `event: head`, its id a position, its data one line of JSON with the envelopes as they are kept. */
export function formatMessage({ view, from }: Change): string {
  const { chain, replay } = view
  const { seq, digest } = replay.head
  const answer = answerOf(view)
  const head = JSON.stringify({ chain, seq, digest, status: replay.status, forks: answer.forks, from })
  const tail = tailOf(answer.body, from, replay.path.length)
  const events = tail.length > maxStreamEventsBytes ? "" : `,"events":[${jsonList(tail)}]`
  return `id: ${seq}-${digest}\nevent: head\ndata: ${head.slice(0, -1)}${events}}\n\n`
}

/** JSONL as the inside of a JSON array: JCS has no line feeds. */
function jsonList(lines: Buffer): string {
  return lines.toString("utf8").trimEnd().replaceAll("\n", ",")
}

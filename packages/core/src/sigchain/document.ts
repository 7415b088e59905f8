/** Chain documents: JSONL and its compact form. SPEC §5.9. */
import type { Code } from "../codes.ts"
import { decodeCompactChain, encodeCompactChain } from "../encoding/compact.ts"
import { checkEnvelope, envelopeDigest, formatEnvelope, type SigchainEvent } from "../envelope/envelope.ts"
import { KezError } from "../error.ts"
import { scanJson } from "../json.ts"
import { jsonValue } from "../json-value.ts"
import { maxChainBytes, maxChainEvents, maxEnvelopeBytes } from "../limits.ts"
import { decodeText, isLongerThan } from "../text.ts"
import { assertContinues, type ChainPosition } from "./link.ts"

export interface ChainReading {
  /** Linked events before the first fault. */
  readonly events: readonly SigchainEvent[]
  /** Why the document is refused, if it is. */
  readonly fault: KezError | undefined
}

/** The events of a chain document, linked, signatures not checked. Throws the code of the first fault. [JSONL-1] [JSONL-2] */
export function parseChain(input: string | Uint8Array): readonly SigchainEvent[] {
  const { events, fault } = readChain(input)
  if (fault !== undefined) throw fault
  return events
}

/** Like `parseChain`, but keeps what came before the fault: a revocation in there is not lost. */
export function readChain(input: string | Uint8Array): ChainReading {
  const events: SigchainEvent[] = []
  try {
    let previous: ChainPosition | undefined
    for (const line of linesOf(input)) {
      const event = readLine(line)
      if (previous === undefined) assertFirst(event)
      else assertContinues(previous, event.payload)
      previous = { seq: event.payload.seq, digest: envelopeDigest(event) }
      events.push(event)
    }
    return { events, fault: undefined }
  } catch (fault) {
    if (fault instanceof KezError) return { events, fault }
    throw fault
  }
}

/**
 * The event of one line of a chain document, without its LF; its signature is not checked. Throws the codes that the line has
 * in a document, the size first. [JSONL-1]
 */
export function parseChainLine(input: string | Uint8Array): SigchainEvent {
  const line = decodeText(input, maxEnvelopeBytes)
  if (line !== "" && !/[\r\n\0]/.test(line)) return readLine(line)
  throw new KezError("chain.jsonl", "Cannot read the event: expected one envelope on one line, and nothing else")
}

/** JSONL of one branch: a JCS envelope a line, LF after each. */
export function formatChain(events: readonly SigchainEvent[]): string {
  return events.map((event) => `${formatEnvelope(event)}\n`).join("")
}

/** `kez:zc1:` of one branch. */
export function encodeChain(events: readonly SigchainEvent[]): string {
  return encodeCompactChain(formatChain(events))
}

function linesOf(input: string | Uint8Array): readonly string[] {
  const text = jsonlText(isCompact(input) ? decodeCompactChain(compactText(input)) : input)
  if (!text.endsWith("\n") || text.startsWith("\n") || text.includes("\n\n") || /[\r\0]/.test(text)) {
    throw new KezError(
      "chain.jsonl",
      "Cannot read the chain: expected one envelope a line, LF after each, and nothing else",
    )
  }
  // One more than there may be, and a last empty one: millions of short lines become no array.
  const lines = text.split("\n", maxChainEvents + 2)
  if (lines.length > maxChainEvents + 1) throw tooLong()
  lines.pop()
  return lines
}

/** Whether a document begins with `kez:` in any case; what it is then, the compact decoder says. [ENC-1] */
function isCompact(input: string | Uint8Array): boolean {
  return /^kez:/i.test(typeof input === "string" ? input.slice(0, 4) : String.fromCharCode(...input.subarray(0, 4)))
}

/** The text without one LF at its end. That it is none is told before how long it is. [JSONL-2] */
function compactText(input: string | Uint8Array): string {
  const text = decodeText(input, Number.POSITIVE_INFINITY)
  return text.endsWith("\n") ? text.slice(0, -1) : text
}

function jsonlText(input: string | Uint8Array): string {
  try {
    return decodeText(input, maxChainBytes)
  } catch (error) {
    throw error instanceof KezError && error.code === "limit.size" ? tooLong() : error
  }
}

function readLine(line: string): SigchainEvent {
  if (isLongerThan(line, maxEnvelopeBytes)) {
    throw new KezError("limit.size", `Cannot read the chain: expected lines of at most ${maxEnvelopeBytes} bytes`)
  }
  const canonical = scanLine(line)
  const event = checkEnvelope(jsonValue(line), "sigchain_event", canonical ? line : undefined)
  if (canonical) return event
  throw new KezError(
    "chain.not_canonical",
    `Cannot read the chain: event ${event.payload.seq} is not in canonical form`,
  )
}

function scanLine(line: string): boolean {
  try {
    return scanJson(line)
  } catch (error) {
    const code: Code | undefined = error instanceof KezError ? error.code : undefined
    if (code !== "json.syntax") throw error
    throw new KezError("chain.jsonl", "Cannot read the chain: a line is not one JSON value", { cause: error })
  }
}

function assertFirst(event: SigchainEvent): void {
  if (event.payload.seq === 0) return
  throw new KezError("chain.genesis", `Cannot read the chain: expected event 0 first, got event ${event.payload.seq}`)
}

function tooLong(): KezError {
  return new KezError(
    "limit.chain",
    `Cannot read the chain: expected at most ${maxChainEvents} events and ${maxChainBytes} bytes`,
  )
}

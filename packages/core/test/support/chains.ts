/** Events and chains for tests: each event is built on the one before it, and may be as wrong as a test needs. */

import { type ChainHead, type Claim, envelopeDigest, type SigchainEvent } from "../../src/envelope/envelope.ts"
import { commitmentTo } from "../../src/sigchain/commitment.ts"
import type { EventPayload, Op, Operations } from "../../src/sigchain/event.ts"
import { type PopRole, popText } from "../../src/sigchain/pop.ts"
import { formatTime } from "../../src/time.ts"
import { sealed, type TestKey } from "./keys.ts"

/** 2026-01-01T00:00:00Z in Unix seconds: "now" of most tests. */
export const now = 1_767_225_600

/** The primary in force after an event. */
export function primaryAfter({ payload }: SigchainEvent): string {
  return payload.op === "rotate" ? payload.payload.new_primary : payload.primary
}

type Frame = Partial<Pick<EventPayload, "primary" | "seq" | "prev" | "created_at">>

/** The members of the next event; `changes` makes them wrong, or different. */
export function frameAfter(previous: SigchainEvent | undefined, by: TestKey, changes: Frame = {}) {
  const start = { type: "kez.sigchain.event", version: 1, created_at: formatTime(now) } as const
  if (previous === undefined) return { ...start, primary: by.key, seq: 0, ...changes }
  const { seq } = previous.payload
  return { ...start, primary: primaryAfter(previous), seq: seq + 1, prev: envelopeDigest(previous), ...changes }
}

export interface EventRequest<O extends Op> {
  readonly op: O
  readonly payload: Operations[O]
  readonly by: TestKey
  readonly changes?: Frame
}

export function eventAfter<O extends Op>(previous: SigchainEvent | undefined, request: EventRequest<O>): SigchainEvent {
  const { op, payload, by, changes } = request
  // One op with its own payload, by the type of the request.
  const event = { ...frameAfter(previous, by, changes), op, payload } as unknown as EventPayload
  return sealed("sigchain_event", event, by)
}

export function add(previous: SigchainEvent | undefined, subject: string, by: TestKey, more: object = {}) {
  return eventAfter(previous, { op: "add", payload: { subject, ...more }, by })
}

export function revoke(previous: SigchainEvent | undefined, subject: string, by: TestKey) {
  return eventAfter(previous, { op: "revoke", payload: { subject }, by })
}

/** Hex of the proof of possession of `newKey` for an event with these members. */
export function popFor(
  previous: SigchainEvent | undefined,
  parts: { readonly op: "add_device" | "rotate"; readonly payload: object; readonly by: TestKey },
  { newKey, role }: { readonly newKey: TestKey; readonly role: PopRole },
): string {
  const payload = { ...frameAfter(previous, parts.by), op: parts.op, payload: parts.payload } as unknown as EventPayload
  return newKey.sign(popText(payload, newKey.key, role))
}

export function addDevice(previous: SigchainEvent | undefined, device: TestKey, by: TestKey) {
  const payload = { key: device.key }
  const pop = popFor(previous, { op: "add_device", payload, by }, { newKey: device, role: "device" })
  return eventAfter(previous, { op: "add_device", payload: { ...payload, pop }, by })
}

export function revokeDevice(
  previous: SigchainEvent | undefined,
  keys: readonly TestKey[],
  by: TestKey,
  keep: readonly TestKey[] = [],
) {
  const kept = keep.length === 0 ? {} : { keep: keep.map(({ key }) => key) }
  return eventAfter(previous, { op: "revoke_device", payload: { keys: keys.map(({ key }) => key), ...kept }, by })
}

export function setNext(previous: SigchainEvent | undefined, next: TestKey, by: TestKey) {
  return eventAfter(previous, { op: "set_next", payload: { next: commitmentTo(next.key) }, by })
}

export function rotate(previous: SigchainEvent | undefined, newPrimary: TestKey, by: TestKey, next?: TestKey) {
  const payload = {
    new_primary: newPrimary.key,
    ...(next === undefined ? {} : { next: commitmentTo(next.key) }),
  }
  const pop = popFor(previous, { op: "rotate", payload, by }, { newKey: newPrimary, role: "primary" })
  return eventAfter(previous, { op: "rotate", payload: { ...payload, pop }, by })
}

export function settle(previous: SigchainEvent | undefined, reject: readonly SigchainEvent[], by: TestKey) {
  return eventAfter(previous, { op: "settle", payload: { reject: reject.map(envelopeDigest) }, by })
}

export function headOf(
  event: SigchainEvent,
  { chain, by, issued = now - 60, lasts = 86_400 }: { chain: string; by: TestKey; issued?: number; lasts?: number },
): ChainHead {
  const payload = {
    type: "kez.sigchain.head",
    version: 1,
    chain,
    seq: event.payload.seq,
    digest: envelopeDigest(event),
    issued_at: formatTime(issued),
    expires_at: formatTime(issued + lasts),
  } as const
  return sealed("chain_head", payload, by)
}

export function claimOf(subject: string, by: TestKey, more: { created?: number; expires?: number } = {}): Claim {
  const { created = now - 86_400, expires } = more
  const payload = {
    type: "kez.claim",
    version: 1,
    subject,
    primary: by.key,
    created_at: formatTime(created),
    ...(expires === undefined ? {} : { expires_at: formatTime(expires) }),
  } as const
  return sealed("claim", payload, by)
}

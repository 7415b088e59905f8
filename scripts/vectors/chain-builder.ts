/** Builds events of any shape, also ones that no reader accepts: only their structure is checked. */
import {
  envelopeDigest,
  formatHex,
  formatTime,
  type Operations,
  type SigchainEvent,
  type Signer,
  signEnvelope,
} from "@kez/core"
import type { EventPayload, Op } from "../../packages/core/src/sigchain/event.ts"
import { popText } from "../../packages/core/src/sigchain/pop.ts"
import { start } from "./keys.ts"

export interface EventRequest<O extends Op> {
  /** The event before; undefined for event 0. */
  readonly after: SigchainEvent | undefined
  readonly signer: Signer
  readonly primary: string
  readonly op: O
  readonly payload: Omit<Operations[O], "pop"> & { readonly pop?: string }
  /** Makes the proof of possession; without it the payload's own `pop` stands. */
  readonly newKey?: Signer
  /** Overrides the seq that follows from `after`. */
  readonly seq?: number
  readonly prev?: string
  readonly createdAt?: number
}

export async function buildEvent<O extends Op>(request: EventRequest<O>): Promise<SigchainEvent> {
  const { after, op, newKey } = request
  const seq = request.seq ?? (after === undefined ? 0 : after.payload.seq + 1)
  const prev = request.prev ?? (after === undefined ? undefined : envelopeDigest(after))
  const frame = {
    type: "kez.sigchain.event",
    version: 1,
    primary: request.primary,
    seq,
    ...(prev === undefined ? {} : { prev }),
    created_at: formatTime(request.createdAt ?? start + seq * 60),
    op,
  }
  // The request is generic in its operation; that operation and payload belong together is what its type says.
  const payload = { ...frame, payload: request.payload } as unknown as EventPayload
  if (newKey === undefined) return signEnvelope("sigchain_event", payload, request.signer)
  const role = op === "rotate" ? "primary" : "device"
  const signed = await newKey.sign(new TextEncoder().encode(popText(payload, newKey.key, role)))
  const proven = { ...frame, payload: { ...request.payload, pop: formatHex(signed) } } as unknown as EventPayload
  return signEnvelope("sigchain_event", proven, request.signer)
}

/** Events of one chain by short names: each call appends after the event that it names. */
export class ChainBuilder {
  readonly #events = new Map<string, SigchainEvent>()
  primary: string

  constructor(primary: string) {
    this.primary = primary
  }

  get(name: string): SigchainEvent {
    const event = this.#events.get(name)
    if (event === undefined) throw new Error(`no event named ${name}`)
    return event
  }

  digest(name: string): string {
    return envelopeDigest(this.get(name))
  }

  async add<O extends Op>(
    name: string,
    after: string | undefined,
    request: Omit<EventRequest<O>, "after" | "primary"> & { readonly primary?: string },
  ): Promise<SigchainEvent> {
    const primary = request.primary ?? this.primary
    const event = await buildEvent({ ...request, primary, after: after === undefined ? undefined : this.get(after) })
    this.#events.set(name, event)
    return event
  }

  addDevice(name: string, after: string | undefined, device: Signer, signer: Signer): Promise<SigchainEvent> {
    return this.add<"add_device">(name, after, {
      signer,
      op: "add_device",
      payload: { key: device.key },
      newKey: device,
    })
  }

  rotate(
    name: string,
    after: string | undefined,
    newPrimary: Signer,
    signer: Signer,
    next?: string,
  ): Promise<SigchainEvent> {
    const payload = { new_primary: newPrimary.key, ...(next === undefined ? {} : { next }) }
    return this.add<"rotate">(name, after, { signer, op: "rotate", payload, newKey: newPrimary })
  }

  pick(...names: readonly string[]): readonly SigchainEvent[] {
    return names.map((name) => this.get(name))
  }
}

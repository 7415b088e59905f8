/** Building the next event of a chain, checked by the same rules as a received one before anybody sees it. SPEC §5. */
import { envelopeDigest, type SigchainEvent } from "../envelope/envelope.ts"
import { signEnvelope } from "../envelope/sign.ts"
import { KezError } from "../error.ts"
import { formatHex } from "../hex.ts"
import { formatIdentity, parseIdentity } from "../identity.ts"
import type { Signer } from "../signer.ts"
import { encodeUtf8 } from "../text.ts"
import { formatTime } from "../time.ts"
import { assertAllowed } from "./apply.ts"
import type { EventPayload, Operations } from "./event.ts"
import { type PopRole, popText } from "./pop.ts"
import { replayChain } from "./replay.ts"
import { type ChainReplay, stateAfter } from "./result.ts"

/** An operation as a caller states it: proofs of possession are made here, by the new key's own signer. */
export type Operation =
  | ({ readonly op: "add" } & Operations["add"])
  | ({ readonly op: "revoke" } & Operations["revoke"])
  | { readonly op: "add_device"; readonly device: Signer }
  | ({ readonly op: "revoke_device" } & Operations["revoke_device"])
  | ({ readonly op: "set_next" } & Operations["set_next"])
  | { readonly op: "rotate"; readonly newPrimary: Signer; readonly next?: string }
  | ({ readonly op: "settle" } & Operations["settle"])
  | ({ readonly op: "set_shared_files" } & Operations["set_shared_files"])

export interface Appended {
  readonly event: SigchainEvent
  /** The chain with the event at its end. */
  readonly replay: ChainReplay
}

export interface AppendOptions {
  /** The chain so far; undefined begins a new one, whose primary is the signer. */
  readonly chain: ChainReplay | undefined
  readonly operation: Operation
  /** Unix seconds. */
  readonly now: number
}

/**
 * Signs the next event of a chain. A rotation under a commitment is signed by the new primary itself.
 * Throws the code by which every reader would refuse the event; `chain.fork` on a chain that is an undecided fork.
 */
export async function appendEvent({ chain, operation, now }: AppendOptions, signer: Signer): Promise<Appended> {
  assertDecided(chain, operation.op)
  const author = operation.op === "rotate" && chain?.state.next !== undefined ? operation.newPrimary : signer
  const payload = await payloadOf(frameOf(chain, author.key, now), operation)
  const event = await signEnvelope("sigchain_event", payload, author)
  const replay = replayChain([event], chain === undefined ? {} : { previous: chain })
  const refusal = replay.refused.find(({ digest }) => digest === envelopeDigest(event))
  if (refusal !== undefined) throw new KezError(refusal.code, "Cannot append the event: readers would refuse it")
  return { event, replay }
}

/** What a `rotate`, `revoke_device`, `set_next` or `settle` says, before anybody signs it. */
export type Outline =
  | Extract<Operation, { readonly op: "revoke_device" | "set_next" | "settle" }>
  | { readonly op: "rotate"; readonly newPrimary: Pick<Signer, "key">; readonly next?: string }

/**
 * Throws the code by which every reader would refuse such an event of `signer` at the end of the chain, and `chain.fork` on an undecided
 * fork: nobody has to open a key for what cannot be.
 */
export function assertAppendable(chain: ChainReplay, operation: Outline, signer: string): void {
  assertDecided(chain, operation.op)
  const frame = frameOf(chain, signer, 0)
  try {
    assertAllowed(stateAfter(chain.path), outlineOf(frame, operation), signer)
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    throw new KezError(error.code, "Cannot append the event: readers would refuse it", { cause: error })
  }
}

function outlineOf(frame: Frame, operation: Outline): EventPayload {
  if (operation.op !== "rotate") {
    const { op, ...payload } = operation
    return { ...frame, op, payload } as EventPayload
  }
  const { newPrimary, next } = operation
  const payload = { new_primary: newPrimary.key, ...(next === undefined ? {} : { next }), pop: "" }
  return { ...frame, op: "rotate", payload }
}

function assertDecided(chain: ChainReplay | undefined, op: Operation["op"]): void {
  if (chain?.status !== "fork" || op === "settle") return
  throw new KezError("chain.fork", "Cannot append to the chain: it is an undecided fork", {
    hint: "Settle it first: kez sigchain settle.",
  })
}

type Frame = Pick<EventPayload, "type" | "version" | "primary" | "seq" | "prev" | "created_at">

function frameOf(chain: ChainReplay | undefined, author: string, now: number): Frame {
  const start = { type: "kez.sigchain.event", version: 1, created_at: formatTime(now) } as const
  if (chain === undefined) return { ...start, primary: author, seq: 0 }
  return { ...start, primary: chain.state.primary, seq: chain.head.seq + 1, prev: chain.head.digest }
}

async function payloadOf(frame: Frame, operation: Operation): Promise<EventPayload> {
  switch (operation.op) {
    case "add": {
      const { op, ...payload } = operation
      return { ...frame, op, payload: { ...payload, subject: canonical(payload.subject) } }
    }
    case "revoke":
      return { ...frame, op: "revoke", payload: { subject: canonical(operation.subject) } }
    case "add_device": {
      const { device } = operation
      const unproven = { ...frame, op: "add_device", payload: { key: device.key, pop: "" } } as const
      return { ...unproven, payload: { key: device.key, pop: await popOf(unproven, device, "device") } }
    }
    case "rotate": {
      const { newPrimary, next } = operation
      const payload = { new_primary: newPrimary.key, ...(next === undefined ? {} : { next }) }
      const unproven = { ...frame, op: "rotate", payload: { ...payload, pop: "" } } as const
      return { ...unproven, payload: { ...payload, pop: await popOf(unproven, newPrimary, "primary") } }
    }
    case "revoke_device": {
      const { op, ...payload } = operation
      return { ...frame, op, payload }
    }
    case "set_next":
      return { ...frame, op: "set_next", payload: { next: operation.next } }
    case "settle":
      return { ...frame, op: "settle", payload: { reject: operation.reject } }
    case "set_shared_files":
      return { ...frame, op: "set_shared_files", payload: { manifest: operation.manifest, size: operation.size } }
  }
}

async function popOf(payload: EventPayload, newKey: Signer, role: PopRole): Promise<string> {
  return formatHex(await newKey.sign(encodeUtf8(popText(payload, newKey.key, role))))
}

function canonical(subject: string): string {
  return formatIdentity(parseIdentity(subject))
}

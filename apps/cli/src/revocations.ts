/** Revocations of branches that lost, signed again on the one that won. They stay in force until they are lifted. SPEC FORK-6 */
import type { ChainReplay, Operation, SigchainEvent } from "@kez/core"
import { everBurned } from "./chain-refusal.ts"

export function isRevocation({ payload }: SigchainEvent): boolean {
  return payload.op === "revoke" || payload.op === "revoke_device"
}

export interface Repeated {
  readonly operations: readonly Operation[]
  /** The revocations that these repeat. */
  readonly again: readonly SigchainEvent[]
}

export interface Repeating extends Repeated {
  /** Revocations that are not repeated: one that is revokes their signer. */
  readonly leftOut: readonly SigchainEvent[]
}

/**
 * What signs the revocations among `events`, which follow `onto` one by one, again at its end. What a key signed that is revoked later is
 * left out: a thief of a device would revoke the owner's keys for good.
 */
export function repeatTrusted(onto: ChainReplay, events: readonly SigchainEvent[], primary: string): Repeating {
  const lines = linesOf([...onto.path, ...events])
  const [trusted, leftOut] = partTrusted(events, lines, primary)
  return { ...repeatAll(onto, trusted, primary), leftOut }
}

/** What signs the revocations among `events` again at the end of `onto`, but for what holds there, and never of its `primary`. */
export function repeatAll(onto: ChainReplay, events: readonly SigchainEvent[], primary: string): Repeated {
  const operations: Operation[] = []
  const again: SigchainEvent[] = []
  const repeat = repeaterAfter(onto, linesOf(onto.path), primary)
  for (const event of events) {
    const operation = repeat(event)
    if (operation === undefined) continue
    operations.push(operation)
    again.push(event)
  }
  return { operations, again }
}

/** A key and what added it, directly or through others. */
type Lines = (key: string) => Iterable<string>

function linesOf(path: readonly SigchainEvent[]): Lines {
  const addedBy = new Map<string, string>()
  for (const { payload, signature } of path) {
    if (payload.op === "add_device") addedBy.set(payload.payload.key, signature.key)
  }
  return function* lineOf(key) {
    for (let one: string | undefined = key; one !== undefined; one = addedBy.get(one)) yield one
  }
}

/** The revocations that count, and those whose signer a later one that counts revokes. A device may have revoked itself. */
function partTrusted(
  events: readonly SigchainEvent[],
  lines: Lines,
  primary: string,
): readonly [readonly SigchainEvent[], readonly SigchainEvent[]] {
  const trusted: SigchainEvent[] = []
  const leftOut: SigchainEvent[] = []
  const later: { readonly keys: readonly string[]; readonly keep: readonly string[] }[] = []
  for (const event of events.filter(isRevocation).toReversed()) {
    const { payload, signature } = event
    const isLeftOut =
      signature.key !== payload.primary && later.some((revoked) => isRevokedBy(signature.key, revoked, lines))
    ;(isLeftOut ? leftOut : trusted).push(event)
    if (isLeftOut || payload.op !== "revoke_device") continue
    const { keys, keep = [] } = payload.payload
    later.push({ keys: keys.filter((key) => key !== primary), keep })
  }
  return [trusted.reverse(), leftOut.reverse()]
}

/** [CHAIN-12] */
function isRevokedBy(
  key: string,
  { keys, keep }: { readonly keys: readonly string[]; readonly keep: readonly string[] },
  lines: Lines,
): boolean {
  if (keys.length === 0 || keep.includes(key)) return false
  for (const one of lines(key)) if (keys.includes(one)) return true
  return false
}

/** What repeats one revocation after another; undefined for one that changes nothing. */
function repeaterAfter(
  onto: ChainReplay,
  lines: Lines,
  primary: string,
): (event: SigchainEvent) => Operation | undefined {
  const subjects = new Set([...onto.state.subjects.values()].filter(isRevoked).map(({ subject }) => subject))
  const burned = new Set(everBurned(onto))
  let devices = onto.state.devices.map(({ key }) => key)
  return ({ payload }) => {
    if (payload.op === "revoke") {
      const { subject } = payload.payload
      if (subjects.has(subject)) return undefined
      subjects.add(subject)
      return { op: "revoke", subject }
    }
    if (payload.op !== "revoke_device") return undefined
    const { keep } = payload.payload
    const goingWith = (keys: readonly string[]): readonly string[] =>
      devices.filter((device) => isRevokedBy(device, { keys, keep: keep ?? [] }, lines))
    const keys = payload.payload.keys.filter(
      (key) => key !== primary && (!burned.has(key) || goingWith([key]).length > 0),
    )
    if (keys.length === 0) return undefined
    const gone = goingWith(keys)
    for (const key of [...keys, ...gone]) burned.add(key)
    devices = devices.filter((device) => !gone.includes(device))
    return { op: "revoke_device", keys, ...(keep === undefined ? {} : { keep }) }
  }
}

function isRevoked({ status }: { readonly status: string }): boolean {
  return status === "revoked"
}

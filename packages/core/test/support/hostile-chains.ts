/** Long chains that ask much of whoever replays them. */
import type { SigchainEvent } from "../../src/envelope/envelope.ts"
import { add, addDevice, eventAfter, revoke, revokeDevice, rotate, settle } from "./chains.ts"
import { keyNamed } from "./keys.ts"

const owner = keyNamed("owner")
const phone = keyNamed("phone")

function start(): [SigchainEvent, SigchainEvent] {
  const first = add(undefined, "dns:a.example", owner)
  return [first, addDevice(first, phone, owner)]
}

/** So many events by a device after one event. */
export function siblings(count: number): readonly SigchainEvent[] {
  const [first, second] = start()
  return [first, second, ...Array.from({ length: count }, (_, i) => revoke(second, `github:s${i}`, phone))]
}

/** The same, with signatures that do not verify. */
export function junkSiblings(count: number): readonly SigchainEvent[] {
  const [first, second] = start()
  const wrong = "1".repeat(128)
  return siblings(count).map((event) => {
    const { kez, payload, signature } = event
    return payload.seq < 2
      ? payload.seq === 0
        ? first
        : second
      : { kez, payload, signature: { ...signature, sig: wrong } }
  })
}

/** At each of `depth` places the owner's event and one by a device. */
export function nestedForks(depth: number): readonly SigchainEvent[] {
  const [first, second] = start()
  const events = [first, second]
  let last = second
  for (let i = 0; i < depth; i++) {
    const lost = revoke(last, `github:lost${i}`, phone)
    last = revoke(last, `github:won${i}`, owner)
    events.push(lost, last)
  }
  return events
}

/** `depth` rotations, each with a losing sibling: every split is judged under another primary. */
export function rotatedForks(depth: number): readonly SigchainEvent[] {
  const [first, second] = start()
  const events = [first, second]
  let last = second
  let primary = owner
  for (let i = 0; i < depth; i++) {
    const next = keyNamed(`hostile primary ${i}`)
    const lost = revoke(last, "github:lost", phone)
    last = rotate(last, next, primary)
    primary = next
    events.push(lost, last)
  }
  return events
}

/** `depth` ties of the owner with itself, all settled by events at the end. */
export function settledForks(depth: number): readonly SigchainEvent[] {
  const [first, second] = start()
  const events = [first, second]
  const rejected: SigchainEvent[] = []
  let last = second
  for (let i = 0; i < depth; i++) {
    const lost = revoke(last, `github:lost${i}`, owner)
    last = revoke(last, `github:won${i}`, owner)
    rejected.push(lost)
    events.push(lost, last)
  }
  for (let at = 0; at < rejected.length; at += 32) {
    last = settle(last, rejected.slice(at, at + 32), owner)
    events.push(last)
  }
  return events
}

/** A device that adds one and is revoked, `depth` times; the last of them then revokes on a branch that loses. */
export function deviceLine(depth: number, revocations: number): readonly SigchainEvent[] {
  const [first, second] = start()
  const events = [first, second]
  let last = second
  let device = phone
  for (let i = 0; i < depth; i++) {
    const next = keyNamed(`hostile device ${i}`)
    const added = addDevice(last, next, device)
    last = revokeDevice(added, [device], owner, [next])
    device = next
    events.push(added, last)
  }
  const won = eventAfter(last, { op: "add", payload: { subject: "dns:a.example" }, by: owner })
  events.push(won)
  for (let i = 0; i < revocations; i++) {
    // Not the phone: it added the signer through others, which would go with it.
    last = i % 2 === 0 ? revoke(last, `github:x${i}`, device) : revokeDevice(last, [keyNamed(`nobody ${i}`)], device)
    events.push(last)
  }
  return events
}

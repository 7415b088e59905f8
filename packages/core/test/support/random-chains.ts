/** Random forked chains by honest and hostile keys. Adversarial E-3. */
import fc from "fast-check"
import { envelopeDigest, type SigchainEvent } from "../../src/envelope/envelope.ts"
import { add, addDevice, eventAfter, revoke, revokeDevice, rotate, setNext, settle } from "./chains.ts"
import { keyNamed, type TestKey } from "./keys.ts"

const names = ["owner", "next", "third", "phone", "laptop", "thief", "stranger"]
const keys = names.map((name) => keyNamed(`chain ${name}`))
const subjects = ["dns:a.example", "github:a", "github:b"]

interface Step {
  /** Which earlier event it follows, counted from the last one: 0 makes the branch longer, others fork it. */
  readonly back: number
  readonly op: number
  readonly by: number
  readonly key: number
  readonly other: number
  readonly forged: boolean
}

const step: fc.Arbitrary<Step> = fc.record({
  back: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(6) }),
  op: fc.nat(8),
  // Mostly the owner and the devices, so that most events are valid.
  by: fc.oneof(fc.constantFrom(0, 0, 0, 1, 3, 4), fc.nat(keys.length - 1)),
  key: fc.nat(keys.length - 1),
  other: fc.nat(keys.length - 1),
  forged: fc.oneof({ weight: 15, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
})

/** Few keys, that mostly revoke: what is in force after a fork, and what is kept. */
const revoking: fc.Arbitrary<Step> = fc.record({
  back: fc.oneof(fc.constant(0), fc.nat(3)),
  op: fc.constantFrom(1, 2, 2, 2, 6, 7, 7, 8),
  by: fc.constantFrom(0, 0, 3, 4),
  key: fc.constantFrom(3, 3, 4),
  other: fc.constantFrom(3, 4, 4),
  forged: fc.constant(false),
})

const steps = fc.oneof(
  fc.array(step, { minLength: 1, maxLength: 14 }),
  fc.array(revoking, { minLength: 3, maxLength: 8 }),
)

/** Events in the order they were made, each after its `prev`; event 0 first, two devices after it. */
export const forkedChain: fc.Arbitrary<readonly SigchainEvent[]> = steps.map((taken) => {
  const [owner, , , phone, laptop] = keys.map((key) => key)
  if (owner === undefined || phone === undefined || laptop === undefined) throw new Error("no keys")
  const first = add(undefined, subjects[0] ?? "", owner)
  const withPhone = addDevice(first, phone, owner)
  const events = [first, withPhone, addDevice(withPhone, laptop, phone)]
  for (const each of taken) events.push(eventOf(each, events))
  return events
})

function eventOf({ back, op, by, key, other, forged }: Step, events: readonly SigchainEvent[]): SigchainEvent {
  const previous = events.at(-1 - (back % events.length))
  const signer = at(keys, by)
  const event = operation(op, { previous, signer, key: at(keys, key), other: at(keys, other), events })
  if (!forged) return event
  // Another signature: decoded, linked, never valid, and with a digest of its own.
  const { kez, payload, signature } = event
  return { kez, payload, signature: { ...signature, sig: at(keys, 6).sign(`forged ${op} ${key}`) } }
}

interface Parts {
  readonly previous: SigchainEvent | undefined
  readonly signer: TestKey
  readonly key: TestKey
  readonly other: TestKey
  readonly events: readonly SigchainEvent[]
}

function operation(op: number, { previous, signer, key, other, events }: Parts): SigchainEvent {
  const subject = at(subjects, keys.indexOf(key))
  switch (op) {
    case 0:
      return addDevice(previous, key, signer)
    case 1:
      return revokeDevice(previous, [key], signer)
    case 2:
      return revokeDevice(previous, [key], signer, key === other ? [] : [other])
    case 3:
      return setNext(previous, key, signer)
    case 4:
      return rotate(previous, key, signer)
    case 5:
    case 6: {
      const reject = new Map(events.slice(-4 - keys.indexOf(key)).map((event) => [envelopeDigest(event), event]))
      return settle(previous, [...reject.values()], signer)
    }
    case 7:
      return revoke(previous, subject, signer)
    default:
      return eventAfter(previous, { op: "add", payload: { subject }, by: signer })
  }
}

function at<T>(list: readonly T[], i: number): T {
  const item = list[i % list.length]
  if (item === undefined) throw new Error("empty list")
  return item
}

/** Chains by honest and hostile keys: every operation, forks of every rank, settlements, sticky revocations. SPEC §5. */
import { commitmentTo, formatTime, type Op } from "@kez/core"
import { now } from "../../packages/core/test/support/chains.ts"
import type { TestKey } from "../../packages/core/test/support/keys.ts"
import { claims } from "./claims.ts"
import { type Dice, weighted } from "./dice.ts"
import { keyOf, laptop, next, nostrOwner, nostrPhone, owner, phone, stranger, tablet, thief, third } from "./keys.ts"
import { forge, popFor, type Sealed, seal } from "./seal.ts"
import { subjects } from "./subjects.ts"

/** An event, and what its maker believes of the chain after it. */
export interface Made extends Sealed {
  readonly seq: number
  readonly op: Op
  readonly parent: Made | undefined
  /** The primary in force after it, if it is valid. */
  readonly primary: TestKey
  readonly commitment: string | undefined
  readonly devices: readonly TestKey[]
}

export interface Step {
  readonly op: Op
  readonly by: TestKey
  readonly payload: object
  /** Members of the frame that are wrong. */
  readonly changes?: object
  readonly forged?: boolean
}

const devices = [phone, laptop, tablet, nostrPhone]
const anyone = [owner, next, third, phone, laptop, tablet, thief, stranger, nostrOwner, nostrPhone]
const newcomers = [phone, laptop, tablet, next, third, thief, phone, laptop, tablet, nostrPhone, owner]

const opOf = weighted<Op>([
  [4, "add"],
  [4, "revoke"],
  [5, "add_device"],
  [5, "revoke_device"],
  [2, "set_next"],
  [3, "rotate"],
  [4, "settle"],
  [1, "set_shared_files"],
])

/** Appends an event, right or wrong. */
export function append(parent: Made | undefined, { op, by, payload, changes = {}, forged = false }: Step): Made {
  const seq = (parent?.seq ?? -1) + 1
  const primary = parent?.primary ?? by
  const frame = {
    ...{
      type: "kez.sigchain.event",
      version: 1,
      primary: primary.key,
      seq,
      created_at: formatTime(now - 86_400 + 60 * seq),
    },
    ...(parent === undefined ? {} : { prev: parent.digest }),
    ...changes,
  }
  const sealed = (forged ? forge : seal)("sigchain_event", { ...frame, op, payload: withPop(frame, op, payload) }, by)
  return { ...sealed, seq, op, parent, ...believed(parent, primary, { op, payload }) }
}

function withPop(frame: object, op: Op, payload: object): object {
  if (op !== "add_device" && op !== "rotate") return payload
  const key = keyOf(op === "rotate" ? textIn(payload, "new_primary") : textIn(payload, "key"))
  if (key === undefined) return payload
  return { ...payload, pop: popFor({ ...frame, op, payload }, key, op === "rotate" ? "primary" : "device") }
}

function believed(parent: Made | undefined, primary: TestKey, { op, payload }: Pick<Step, "op" | "payload">) {
  const before = { primary, commitment: parent?.commitment, devices: parent?.devices ?? [] }
  if (op === "set_next") return { ...before, commitment: textIn(payload, "next") }
  if (op === "rotate") {
    return { ...before, primary: keyOf(textIn(payload, "new_primary")) ?? primary, commitment: textIn(payload, "next") }
  }
  if (op === "add_device") {
    const added = keyOf(textIn(payload, "key"))
    return { ...before, devices: added === undefined ? before.devices : [...before.devices, added] }
  }
  return before
}

function textIn(payload: object, name: string): string | undefined {
  const value: unknown = Object.entries(payload).find(([member]) => member === name)?.[1]
  return typeof value === "string" ? value : undefined
}

/** Event 0 and `steps` more, each after one of those before it. */
export function randomChain(dice: Dice, steps: number): readonly Made[] {
  const first = dice.chance(4) ? nostrOwner : owner
  const op = dice.pick(["add", "add", "revoke", "set_next", "add_device"] as const)
  const events = [
    append(undefined, { op, by: first, payload: payloadOf(dice, { op, by: first, primary: first, events: [] }) }),
  ]
  for (let i = 0; i < steps; i++) events.push(randomEvent(dice, events))
  return events
}

/** One more event, after the last one or as a fork of an earlier one. */
export function randomEvent(dice: Dice, events: readonly Made[]): Made {
  const parent = dice.chance(70) ? events.at(-1) : dice.pick(events)
  if (parent === undefined) throw new Error("a chain has an event 0")
  const op = opOf(dice)
  const by = signerFor(dice, parent, op)
  const payload = payloadOf(dice, { op, by, primary: parent.primary, parent, events })
  return append(parent, { op, by, payload, changes: wrongFrame(dice, events), forged: dice.chance(3) })
}

/** Mostly one who may: the primary, one of its devices, or for a rotation the committed key. */
function signerFor(dice: Dice, parent: Made, op: Op): TestKey {
  if (dice.chance(8)) return dice.pick(anyone)
  if (op === "rotate" && parent.commitment !== undefined && dice.chance(75)) return committed(parent) ?? parent.primary
  const owners = op === "set_next" || op === "rotate" || op === "settle"
  if (owners || parent.devices.length === 0) return parent.primary
  return dice.chance(45) ? parent.primary : dice.pick(parent.devices)
}

function committed({ commitment }: Made): TestKey | undefined {
  return anyone.find(({ key }) => commitmentTo(key) === commitment)
}

const wrongFrames = [
  { seq: 0 },
  { seq: 1 },
  { seq: 5 },
  { seq: 9_000 },
  { seq: 10_000 },
  { primary: thief.key },
  { primary: next.key },
]

function wrongFrame(dice: Dice, events: readonly Made[]): object {
  if (!dice.chance(5)) return {}
  return dice.chance(30) ? { prev: dice.pick(events).digest } : dice.pick(wrongFrames)
}

interface Request {
  readonly op: Op
  readonly by: TestKey
  readonly primary: TestKey
  readonly parent?: Made
  readonly events: readonly Made[]
}

function payloadOf(dice: Dice, request: Request): object {
  const { op, by, parent } = request
  switch (op) {
    case "add": {
      const subject = dice.pick(subjects)
      const of = claims.filter((claim) => claim.subject === subject)
      return {
        subject,
        ...(dice.chance(40) ? { subject_id: dice.pick(["42", "43", "did:plc:a"]) } : {}),
        ...(dice.chance(50) ? { proof: dice.pick(of).digest } : {}),
      }
    }
    case "revoke":
      return { subject: dice.pick(subjects) }
    case "add_device":
      return { key: dice.pick(newcomers).key }
    case "revoke_device": {
      const keys = dice.some(parent?.devices.length ? [...parent.devices] : devices, 45).map(({ key }) => key)
      const unique = [...new Set(keys.length === 0 ? [dice.pick([...devices, thief, by]).key] : keys)]
      const keep = dice.some(devices, 30).map(({ key }) => key)
      const kept = dice.chance(95) ? keep.filter((key) => !unique.includes(key)) : keep
      return { keys: unique, ...(kept.length > 0 && dice.chance(60) ? { keep: kept } : {}) }
    }
    case "set_next":
      return { next: commitmentTo(dice.pick([next, next, third, thief, nostrOwner]).key) }
    case "rotate": {
      const to =
        parent?.commitment !== undefined && dice.chance(80)
          ? by
          : dice.pick([next, third, next, third, thief, nostrOwner, phone])
      return {
        new_primary: to.key,
        ...(dice.chance(40) ? { next: commitmentTo(dice.pick([third, next, owner]).key) } : {}),
      }
    }
    case "settle":
      return { reject: rejected(dice, request) }
    case "set_shared_files":
      return { manifest: `sha256:${"ab".repeat(31)}0${dice.below(10)}`, size: dice.below(1_000) }
  }
}

/** Mostly the siblings of an ancestor, as a settlement means it, with revocations on their branches; else whatever is there. */
function rejected(dice: Dice, { parent, events }: Request): readonly string[] {
  for (let event = parent; event !== undefined && dice.chance(85); event = event.parent) {
    const siblings = events.filter((other) => other.parent === event?.parent && other !== event)
    if (siblings.length === 0) continue
    const lifted = dice.some(
      events.filter(({ op }) => op === "revoke" || op === "revoke_device"),
      30,
    )
    return [...new Set([...siblings, ...lifted].map(({ digest }) => digest))].slice(0, 32)
  }
  const some = dice.some(events, 40).map(({ digest }) => digest)
  return [
    ...new Set(
      some.length === 0 ? [dice.pick([...events.map(({ digest }) => digest), `sha256:${"0".repeat(64)}`])] : some,
    ),
  ]
}

/** Sigchain events and the closed list of their operations. SPEC §5.1 and §5.2. */
import {
  accountId,
  anyString,
  assertObject,
  type Check,
  count,
  digest,
  fault,
  identity,
  keyIdentity,
  list,
  literal,
  optional,
  record,
  required,
  signatureHex,
  time,
} from "../envelope/schema.ts"
import type { Json } from "../json.ts"
import { maxListEntries } from "../limits.ts"

/** What each operation carries. */
export interface Operations {
  add: { readonly subject: string; readonly subject_id?: string; readonly proof?: string }
  revoke: { readonly subject: string }
  add_device: { readonly key: string; readonly pop: string }
  revoke_device: { readonly keys: readonly string[]; readonly keep?: readonly string[] }
  set_next: { readonly next: string }
  rotate: { readonly new_primary: string; readonly pop: string; readonly next?: string }
  settle: { readonly reject: readonly string[] }
  set_shared_files: { readonly manifest: string; readonly size: number }
}

export type Op = keyof Operations

interface EventFrame {
  readonly type: "kez.sigchain.event"
  readonly version: 1
  /** The primary in force before this event. */
  readonly primary: string
  readonly seq: number
  /** Digest of the previous envelope; absent exactly at seq 0. */
  readonly prev?: string
  readonly created_at: string
}

/** The payload of an event: one variant for each operation. */
export type EventPayload = { readonly [O in Op]: EventFrame & { readonly op: O; readonly payload: Operations[O] } }[Op]

const keyList = list(keyIdentity, 1, maxListEntries)

const operationChecks: { readonly [O in Op]: Check<Operations[O]> } = {
  add: record<Operations["add"]>({
    subject: required(identity),
    subject_id: optional(accountId),
    proof: optional(digest),
  }),
  revoke: record<Operations["revoke"]>({ subject: required(identity) }),
  add_device: record<Operations["add_device"]>({ key: required(keyIdentity), pop: required(signatureHex) }),
  revoke_device: record<Operations["revoke_device"]>({ keys: required(keyList), keep: optional(keyList) }),
  set_next: record<Operations["set_next"]>({ next: required(digest) }),
  rotate: record<Operations["rotate"]>({
    new_primary: required(keyIdentity),
    pop: required(signatureHex),
    next: optional(digest),
  }),
  settle: record<Operations["settle"]>({ reject: required(list(digest, 1, maxListEntries)) }),
  set_shared_files: record<Operations["set_shared_files"]>({ manifest: required(digest), size: required(count) }),
}

export const ops = Object.keys(operationChecks) as readonly Op[]

const op: Check<string> = (value, name) => {
  const text = anyString(value, name)
  // Never skipped: an operation that this version does not know might be a revocation. [CHAIN-3]
  if (!isOp(text)) throw fault("event.op", name, `one of ${ops.join(", ")}`)
  return text
}

interface EventShape extends EventFrame {
  readonly op: string
  readonly payload: Json
}

const shape = record<EventShape>({
  type: required(literal("kez.sigchain.event")),
  version: required(literal(1)),
  primary: required(keyIdentity),
  seq: required(count),
  prev: optional(digest),
  created_at: required(time),
  op: required(op),
  payload: required((value, name) => {
    assertObject(value, name)
    return value
  }),
})

export const eventPayload: Check<EventPayload> = (value, name) => {
  const event = shape(value, name)
  if ((event.seq === 0) !== (event.prev === undefined)) {
    throw fault("chain.genesis", `${name}.prev`, "no prev at seq 0, and one everywhere else")
  }
  if (isOp(event.op)) operationChecks[event.op](event.payload, `${name}.payload`)
  return event as EventPayload // the frame, the name of the operation and its payload are checked
}

function isOp(name: string): name is Op {
  return Object.hasOwn(operationChecks, name)
}

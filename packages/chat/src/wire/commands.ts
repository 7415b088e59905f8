/**
 * Commands of a device to its chat server, as requests on `cmd.<uid>.<dev>.<operation>`, and the answers. Who asks is in the subject,
 * which the broker lets nobody else publish to. Each operation is a table of members for the header of the request and one for
 * that of the answer; bytes travel as parts of the frame.
 */
import type { Digest, Json } from "@kez/core"
import {
  anyString,
  type Check,
  count,
  digest,
  fault,
  keyIdentity,
  list,
  optional,
  record,
  required,
} from "@kez/core/schema"
import { maxConversationMembers, maxGroupDevices, maxKeyPackagesHeld } from "../limits.ts"

/** What each command asks. Parts are named behind it. */
export interface CommandRequests {
  /** Opens, or opens anew, the reader of this device from the message after its cursor. Also tells the server what it has. */
  session: { readonly cursor: number }
  /** What this device has of its mailbox, without opening anything: what all devices have is forgotten. */
  cursor: { readonly cursor: number }
  /** Parts: key packages. They are added to those that are there; a last-resort one replaces the one before. */
  "key-packages-put": Empty
  /** Takes one for each device of a person. */
  "key-packages-take": { readonly chain: Digest; readonly devices?: readonly string[] }
  /** Part: the encrypted message. */
  send: { readonly conversation: string; readonly id: Digest }
  /** Part: the commit. Accepted only if the newest commit of the conversation is at `follows`; 0: this one begins it. */
  commit: {
    readonly conversation: string
    readonly id: Digest
    readonly follows: number
    /** Chains of everybody who is a member after it: to whom the server delivers from then on. */
    readonly members: readonly Digest[]
  }
  /** Part: the Welcome. To one device that the commit at `commit` added. */
  welcome: {
    readonly conversation: string
    readonly id: Digest
    readonly commit: number
    readonly chain: Digest
    readonly device: string
  }
  /** Messages or commits of a conversation, from a place on. Of members alone. */
  history: {
    readonly conversation: string
    readonly kind: "messages" | "commits"
    readonly from: number
    readonly limit: number
  }
  /** Part: an encrypted message that is passed to who is there now, and kept nowhere: typing, presence. */
  live: { readonly conversation: string; readonly topic: "typing" | "presence" }
  /** Part: an entry of this person's archive, encrypted for it. */
  "archive-put": { readonly id: Digest }
  /** Entries of this person's archive from a place on. */
  "archive-read": { readonly from: number; readonly limit: number }
  /** Codes with which others may register here. For admins. */
  invite: { readonly count: number }
}

type Empty = Readonly<Record<never, never>>

export interface CommandAnswers {
  session: {
    readonly stream: string
    readonly consumer: string
    /** The consumer as JetStream tells it, in JSON. */
    readonly info: string
    /** The cursor was beyond what is stored: the broker lost messages, and the conversations have to be asked. */
    readonly rewound: boolean
    readonly key_packages: number
    readonly last_resort: boolean
    /** Unix seconds of the server. */
    readonly now: number
  }
  cursor: Empty
  "key-packages-put": { readonly key_packages: number; readonly last_resort: boolean }
  /** Parts: one key package for each device, in this order. A device that has none is not among them. */
  "key-packages-take": { readonly devices: readonly string[] }
  /** Its place in the conversation. */
  send: { readonly seq: number }
  /** Not accepted: the commit at `newest` is to be applied first. */
  commit: { readonly accepted: boolean; readonly seq?: number; readonly newest?: number }
  welcome: Empty
  /** Parts: one for each place. */
  history: { readonly places: readonly number[]; readonly is_end: boolean }
  live: Empty
  "archive-put": { readonly seq: number }
  "archive-read": { readonly places: readonly number[]; readonly is_end: boolean }
  invite: { readonly codes: readonly string[] }
}

export type Operation = keyof CommandRequests

/** A number that may be as large as a place in a stream. */
const place = count
const empty = record<Empty>({})

/** The name of a conversation on the server: the digits of its group id. */
const conversation: Check<string> = (value, name) => {
  if (!/^[0-9a-f]{64}$/.test(anyString(value, name))) throw fault("schema.value", name, "64 lower-case hex digits")
  return anyString(value, name)
}

function upTo(max: number): Check<number> {
  return (value, name) => {
    const number = count(value, name)
    if (number < 1 || number > max) throw fault("schema.value", name, `an integer from 1 to ${max}`)
    return number
  }
}

function oneOf<T extends string>(...values: readonly T[]): Check<T> {
  return (value, name) => {
    const text = anyString(value, name)
    const found = values.find((known) => known === text)
    if (found === undefined) throw fault("schema.value", name, `one of ${values.join(", ")}`)
    return found
  }
}

const boolean: Check<boolean> = (value, name) => {
  if (typeof value !== "boolean") throw fault("schema.type", name, "true or false")
  return value
}

function many<T>(check: Check<T>, max: number): Check<readonly T[]> {
  return (value, name) => {
    if (!Array.isArray(value)) throw fault("schema.type", name, "an array")
    if (value.length > max) throw fault("schema.value", name, `at most ${max} entries`)
    return value.map((entry: Json) => check(entry, name))
  }
}

export const maxReadAtOnce = 256
export const maxInvitationsAtOnce = 100

export const requestShapes: { readonly [O in Operation]: Check<CommandRequests[O]> } = {
  session: record<CommandRequests["session"]>({ cursor: required(place) }),
  cursor: record<CommandRequests["cursor"]>({ cursor: required(place) }),
  "key-packages-put": empty,
  "key-packages-take": record<CommandRequests["key-packages-take"]>({
    chain: required(digest),
    devices: optional(list(keyIdentity, 1, maxGroupDevices)),
  }),
  send: record<CommandRequests["send"]>({ conversation: required(conversation), id: required(digest) }),
  commit: record<CommandRequests["commit"]>({
    conversation: required(conversation),
    id: required(digest),
    follows: required(place),
    members: required(list(digest, 1, maxConversationMembers)),
  }),
  welcome: record<CommandRequests["welcome"]>({
    conversation: required(conversation),
    id: required(digest),
    commit: required(place),
    chain: required(digest),
    device: required(keyIdentity),
  }),
  history: record<CommandRequests["history"]>({
    conversation: required(conversation),
    kind: required(oneOf("messages", "commits")),
    from: required(place),
    limit: required(upTo(maxReadAtOnce)),
  }),
  live: record<CommandRequests["live"]>({
    conversation: required(conversation),
    topic: required(oneOf("typing", "presence")),
  }),
  "archive-put": record<CommandRequests["archive-put"]>({ id: required(digest) }),
  "archive-read": record<CommandRequests["archive-read"]>({
    from: required(place),
    limit: required(upTo(maxReadAtOnce)),
  }),
  invite: record<CommandRequests["invite"]>({ count: required(upTo(maxInvitationsAtOnce)) }),
}

const places = {
  places: required(many(place, maxReadAtOnce)),
  is_end: required(boolean),
}

export const answerShapes: { readonly [O in Operation]: Check<CommandAnswers[O]> } = {
  session: record<CommandAnswers["session"]>({
    stream: required(anyString),
    consumer: required(anyString),
    info: required(anyString),
    rewound: required(boolean),
    key_packages: required(count),
    last_resort: required(boolean),
    now: required(count),
  }),
  cursor: empty,
  "key-packages-put": record<CommandAnswers["key-packages-put"]>({
    key_packages: required(count),
    last_resort: required(boolean),
  }),
  "key-packages-take": record<CommandAnswers["key-packages-take"]>({
    devices: required(many(keyIdentity, maxGroupDevices)),
  }),
  send: record<CommandAnswers["send"]>({ seq: required(place) }),
  commit: record<CommandAnswers["commit"]>({
    accepted: required(boolean),
    seq: optional(place),
    newest: optional(place),
  }),
  welcome: empty,
  history: record<CommandAnswers["history"]>(places),
  live: empty,
  "archive-put": record<CommandAnswers["archive-put"]>({ seq: required(place) }),
  "archive-read": record<CommandAnswers["archive-read"]>(places),
  invite: record<CommandAnswers["invite"]>({ codes: required(many(anyString, maxInvitationsAtOnce)) }),
}

/** How many parts a request may have. */
export const partsOf: { readonly [O in Operation]: readonly [number, number] } = {
  session: [0, 0],
  cursor: [0, 0],
  "key-packages-put": [1, maxKeyPackagesHeld + 1],
  "key-packages-take": [0, 0],
  send: [1, 1],
  commit: [1, 1],
  welcome: [1, 1],
  history: [0, 0],
  live: [1, 1],
  "archive-put": [1, 1],
  "archive-read": [0, 0],
  invite: [0, 0],
}

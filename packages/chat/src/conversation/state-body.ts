/** What a conversation's state says: members with roles, name, policy. The signed envelope (SPEC §2.3) holds its digest. */
import { canonicalize, type Digest, digestOf, type Json, KezError } from "@kez/core"
import {
  anyString,
  assertObject,
  type Check,
  count,
  digest,
  fault,
  hex32,
  literal,
  optional,
  record,
  required,
} from "@kez/core/schema"
import { maxConversationMembers, maxConversationNameLength } from "../limits.ts"

export const roles = ["owner", "admin", "member"] as const
export type Role = (typeof roles)[number]

export interface ConversationMember {
  readonly chain: Digest
  readonly role: Role
}

export interface ConversationPolicy {
  /** Who may add people: owners and admins, or every member. */
  readonly add: "admins" | "members"
  /** What new members get to read of the time before them. */
  readonly history: "none" | "days" | "all"
  readonly history_days?: number
  /** `off`: devices write nothing of this conversation into their archives. */
  readonly archive: "on" | "off"
}

export interface StateBody {
  readonly version: 1
  /** A `dm` has two owners, and neither members nor policy change but for `archive`. */
  readonly kind: "dm" | "group"
  /** Random, 64 hex: two conversations of the same people are two. */
  readonly salt: string
  readonly name?: string
  /** Sorted by chain. */
  readonly members: readonly ConversationMember[]
  readonly policy: ConversationPolicy
}

/** What a later version changes. What is absent stays. */
export interface StateChange {
  /** An empty name takes the name away. */
  readonly name?: string
  readonly policy?: ConversationPolicy
  readonly set?: readonly ConversationMember[]
  readonly remove?: readonly Digest[]
}

export const directPolicy: ConversationPolicy = { add: "admins", history: "none", archive: "on" }

function oneOf<T extends string>(...values: readonly T[]): Check<T> {
  return (value, name) => {
    const text = anyString(value, name)
    const found = values.find((known) => known === text)
    if (found === undefined) throw fault("schema.value", name, `one of ${values.join(", ")}`)
    return found
  }
}

function listOf<T>(check: Check<T>, min: number): Check<readonly T[]> {
  return (value, name) => {
    if (!Array.isArray(value)) throw fault("schema.type", name, "an array")
    if (value.length < min || value.length > maxConversationMembers) {
      throw fault("schema.value", name, `${min} to ${maxConversationMembers} entries`)
    }
    return value.map((entry: Json) => check(entry, name))
  }
}

function conversationName(min: number): Check<string> {
  return (value, name) => {
    const text = anyString(value, name)
    const length = [...text].length
    if (length < min || length > maxConversationNameLength) {
      throw fault("schema.value", name, `${min} to ${maxConversationNameLength} characters`)
    }
    return text
  }
}

const member = record<ConversationMember>({ chain: required(digest), role: required(oneOf(...roles)) })

const policy = record<ConversationPolicy>(
  {
    add: required(oneOf("admins", "members")),
    history: required(oneOf("none", "days", "all")),
    history_days: optional(count),
    archive: required(oneOf("on", "off")),
  },
  ({ history, history_days }) => {
    const isRight = history === "days" ? history_days !== undefined && history_days > 0 : history_days === undefined
    if (!isRight) throw fault("schema.value", "policy.history_days", "days exactly where history is days")
  },
)

const members: Check<readonly ConversationMember[]> = (value, name) => {
  const list = listOf(member, 1)(value, name)
  if (list.some((entry, i) => i > 0 && entry.chain <= (list[i - 1]?.chain ?? ""))) {
    throw fault("schema.value", name, "members sorted by chain, each once")
  }
  return list
}

const bodyCheck = record<StateBody>(
  {
    version: required(literal(1)),
    kind: required(oneOf("dm", "group")),
    salt: required(hex32),
    name: optional(conversationName(1)),
    members: required(members),
    policy: required(policy),
  },
  (body) => {
    if (!body.members.some(({ role }) => role === "owner")) throw fault("schema.value", "members", "an owner")
    if (body.kind === "group") return
    if (body.members.length > 2 || body.members.some(({ role }) => role !== "owner") || body.name !== undefined) {
      throw fault("schema.value", "members", "one or two owners, and no name, in a dm")
    }
  },
)

const changeCheck = record<StateChange>({
  name: optional(conversationName(0)),
  policy: optional(policy),
  set: optional(listOf(member, 1)),
  remove: optional(listOf(digest, 1)),
})

export function parseStateBody(value: Json): StateBody {
  return bodyCheck(value, "state")
}

export function parseStateChange(value: Json): StateChange {
  assertObject(value, "change")
  return changeCheck(value, "change")
}

/** The body after a change, checked like a received one. Throws `chat.state` for a change that changes nothing or what is not there. */
export function applyChange(body: StateBody, change: StateChange): StateBody {
  const { name, policy: newPolicy, set = [], remove = [] } = change
  const kept = new Map(body.members.map((entry) => [entry.chain, entry]))
  for (const chain of remove) if (!kept.delete(chain)) throw stateFault("it removes somebody who is not a member")
  for (const entry of set) kept.set(entry.chain, { chain: entry.chain, role: entry.role })
  const { name: oldName, ...rest } = body
  const nextName = name ?? oldName
  const next = {
    ...rest,
    ...(nextName === undefined || nextName === "" ? {} : { name: nextName }),
    members: [...kept.values()].sort((a, b) => (a.chain < b.chain ? -1 : 1)),
    policy: newPolicy ?? body.policy,
  }
  if (digestOfBody(next) === digestOfBody(body)) throw stateFault("it changes nothing")
  return bodyCheck(next as unknown as Json, "state")
}

export function digestOfBody(body: StateBody): Digest {
  return digestOf(canonicalize(body))
}

export function roleOf(body: StateBody, chain: Digest): Role | undefined {
  return body.members.find((entry) => entry.chain === chain)?.role
}

export function stateFault(found: string): KezError {
  return new KezError("chat.state", `Cannot accept the state of the conversation: ${found}`, {
    hint: "The state that was in force before stays in force.",
  })
}

/** Who may change what in a conversation. Every client asks this, so that no server decides it. */
import { canonicalize, type Digest, KezError } from "@kez/core"
import { type Role, roleOf, type StateBody } from "./state-body.ts"

/** Throws `chat.policy` unless `author` may turn one state into the next. */
export function assertMayChange(before: StateBody, after: StateBody, author: Digest): void {
  const role = roleOf(before, author)
  if (role === undefined) throw refused("somebody who is not a member changes the state")
  if (after.kind !== before.kind || after.salt !== before.salt) throw refused("what a conversation is cannot change")
  if (before.kind === "dm") {
    assertDirectChange(before, after)
    return
  }
  assertMembersChange(before, after, { author, role })
  if (after.name !== before.name && role === "member") throw refused("a member without a role changes the name")
  if (canonicalize(after.policy) !== canonicalize(before.policy) && role !== "owner") {
    throw refused("somebody who is no owner changes the policy")
  }
}

/** Version 0: who makes a conversation is an owner of it. */
export function assertMayCreate(body: StateBody, author: Digest): void {
  if (roleOf(body, author) !== "owner") throw refused("somebody who is no owner of it makes it")
}

function assertDirectChange(before: StateBody, after: StateBody): void {
  const sameMembers = canonicalize(after.members) === canonicalize(before.members)
  const samePolicy = canonicalize({ ...after.policy, archive: before.policy.archive }) === canonicalize(before.policy)
  if (!sameMembers || !samePolicy) throw refused("in a conversation of two only the archive can be switched")
}

function assertMembersChange(
  before: StateBody,
  after: StateBody,
  { author, role }: { readonly author: Digest; readonly role: Role },
): void {
  for (const { chain, role: now } of after.members) {
    const was = roleOf(before, chain)
    if (was === now) continue
    const isAllowed =
      was === undefined ? mayAdd(before, role, now) : role === "owner" || isStepDown(chain === author, now)
    if (!isAllowed) throw refused(`a member with the role ${role} gives somebody the role ${now}`)
  }
  for (const { chain, role: was } of before.members) {
    if (roleOf(after, chain) !== undefined || chain === author) continue // everybody may leave
    if (role !== "owner" && !(role === "admin" && was === "member")) {
      throw refused(`a member with the role ${role} removes one with the role ${was}`)
    }
  }
}

function mayAdd({ policy }: StateBody, role: Role, newRole: Role): boolean {
  if (role === "owner") return true
  return newRole === "member" && (role === "admin" || policy.add === "members")
}

function isStepDown(isSelf: boolean, newRole: Role): boolean {
  return isSelf && newRole === "member"
}

function refused(what: string): KezError {
  return new KezError("chat.policy", `Cannot accept the change: ${what}`, {
    hint: "An owner of the conversation can do it, or give you the role for it.",
  })
}

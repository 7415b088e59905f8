/** The keys of the people and thieves in the cases. Anybody can sign with them. */
import { keyNamed, type TestKey } from "../../packages/core/test/support/keys.ts"

const named = (name: string): TestKey => keyNamed(`crosstest ${name}`)

export const owner = named("owner")
export const next = named("next")
export const third = named("third")
export const phone = named("phone")
export const laptop = named("laptop")
export const tablet = named("tablet")
export const thief = named("thief")
export const stranger = named("stranger")
export const nostrOwner = keyNamed("crosstest owner", "nostr")
export const nostrPhone = keyNamed("crosstest phone", "nostr")

/** Those of which chains are made; a signature of nostr costs five of the others. */
export const keys: readonly TestKey[] = [
  ...[owner, next, third, phone, laptop, tablet, thief, stranger],
  ...[nostrOwner, nostrPhone],
]

const byIdentity = new Map(keys.map((key) => [key.key, key]))

/** One of any number of devices. */
export function deviceNumbered(number: number): TestKey {
  const key = named(`device ${number}`)
  byIdentity.set(key.key, key)
  return key
}

/** The key whose identity this is, so that it can sign what was changed. */
export function keyOf(identity: string | undefined): TestKey | undefined {
  return identity === undefined ? undefined : byIdentity.get(identity)
}

/** Conversations that tests begin with. */
import type { MlsGroup } from "../../src/cipher/mls-group.ts"
import { chainsOf, conversationOf, createPerson, type Desk, deskOf, stateOf } from "./world.ts"

function here<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("nobody")
  return value
}

/** Alice and Bob, both owners, a device each. */
export async function pair() {
  const [alice, bob] = [await createPerson(), await createPerson()]
  const chains = chainsOf(alice, bob)
  const desks = [deskOf(await alice.addDevice(), chains), deskOf(await bob.addDevice(), chains)] as const
  const body = stateOf([
    { chain: alice.chain, role: "owner" },
    { chain: bob.chain, role: "owner" },
  ])
  const [a, b] = await conversationOf(body, desks)
  return { alice, bob, chains, desks, a: here(a), b: here(b) }
}

/** Alice the owner, Bob an admin, Carol a member; Dave is known, and not in it. */
export async function trio() {
  const people = [await createPerson(), await createPerson(), await createPerson(), await createPerson()] as const
  const [alice, bob, carol, dave] = people
  const chains = chainsOf(...people)
  const deskFor = async (index: 0 | 1 | 2 | 3): Promise<Desk> => deskOf(await people[index].addDevice(), chains)
  const desks = [await deskFor(0), await deskFor(1), await deskFor(2)] as const
  const body = stateOf([
    { chain: alice.chain, role: "owner" },
    { chain: bob.chain, role: "admin" },
    { chain: carol.chain, role: "member" },
  ])
  const [a, b, c] = await conversationOf(body, desks)
  const members: readonly [MlsGroup, MlsGroup, MlsGroup] = [here(a), here(b), here(c)]
  return {
    ...{ alice, bob, carol, chains, desks, people, newcomer: { dave, desk: await deskFor(3) } },
    ...{ a: members[0], b: members[1], c: members[2] },
  }
}

/** Several people in a group on the model server. */
import type { Digest } from "@kez/core"
import type { Conversation } from "../../src/engine/engine.ts"
import { decodeRow, type GroupRow, keys } from "../../src/engine/row.ts"
import { EngineWorld, type Home } from "./engine-world.ts"

export interface GroupOfThree {
  readonly world: EngineWorld
  /** Owns it, and has the others as contacts. */
  readonly alice: Home
  readonly bob: Home
  readonly carol: Home
  /** Known to Alice, and not in it. */
  readonly dave: Home
  readonly id: string
}

export async function three(): Promise<GroupOfThree> {
  const world = new EngineWorld()
  const [alice, bob] = [await world.home("alice"), await world.home("bobby")]
  const [carol, dave] = [await world.home("carol"), await world.home("dave")]
  await world.rest()
  for (const handle of ["bobby", "carol", "dave"]) await alice.engine.contacts.add(`${handle}@localhost`)
  for (const home of [bob, carol, dave]) await home.engine.contacts.add("alice@localhost")
  await bob.engine.contacts.add("carol@localhost")
  await world.rest()
  const { id } = await alice.engine.groups.create("garden", [bob.person.chain, carol.person.chain])
  await world.rest()
  return { world, alice, bob, carol, dave, id }
}

export async function textsIn({ engine }: Home, id: string): Promise<readonly string[]> {
  return (await engine.messages(id, { limit: 500 })).map(({ text = "" }) => text)
}

export async function say({ engine }: Home, id: string, text: string): Promise<void> {
  await engine.send(id, { type: "text", text })
}

export async function viewOf({ engine }: Home, id: string): Promise<Conversation> {
  const found = await engine.conversation(id)
  if (found === undefined) throw new Error("no such conversation")
  return found
}

export function roleIn({ roles = [] }: Conversation, { person }: Home): string | undefined {
  return roles.find(({ chain }) => chain === person.chain)?.role
}

/** What waits so long is done, and what follows from it. */
export async function settle(world: EngineWorld, times = 2, seconds = 11): Promise<void> {
  for (let i = 0; i < times; i++) {
    await world.rest()
    world.clock.advance(seconds)
    await world.rest()
  }
}

/** What somebody's disk has under a key. */
export function rowAt<T>({ rows }: Home, key: string): T {
  const row = rows.get(key)
  if (row === undefined) throw new Error(`no row ${key}`)
  return decodeRow<T>(row).value
}

export function rowOf(home: Home, group: string): GroupRow {
  return rowAt(home, keys.group(group as Digest))
}

/** Messages that claim to be of a later epoch, which anybody can make: kept up to a bound, and read again when that epoch is there, not before. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { digestOf } from "@kez/core"
import { couple, type EngineWorld, type Home } from "./support/engine-world.ts"
import { rowOf } from "./support/group-world.ts"

/** Version, wire format, and the group's id with its length stand before it. */
const epochAt = 37

interface Talk {
  readonly world: EngineWorld
  readonly bob: Home
  readonly conversation: string
  /** Pushes the newest message of the conversation, under a later epoch. */
  readonly forge: (epoch: number) => void
}

async function talk(text: string): Promise<Talk> {
  const { world, alice, bob } = await couple()
  await alice.say(bob, text)
  await world.rest()
  await bob.say(alice, "0")
  await world.rest()
  const [conversation = ""] = world.server.conversations.keys()
  const sent = world.server.conversations.get(conversation)?.messages ?? []
  const largest = sent.toSorted((a, b) => b.data.length - a.data.length)[0]
  assert.ok(largest !== undefined)
  const { uid } = world.server.register(bob.person.chain, bob.device.name)
  let n = 0
  const forge = (epoch: number): void => {
    const data = Uint8Array.from(largest.data)
    new DataView(data.buffer).setBigUint64(epochAt, BigInt(epoch))
    data[data.length - 1] = n++ % 256
    world.server.push(uid, { kind: "message", conversation, seq: largest.seq, id: digestOf(data), data })
  }
  return { world, bob, conversation, forge }
}

const inboxOf = ({ rows }: Home) => [...rows].filter(([key]) => key.startsWith("inbox/"))

test("M18 what claims to be of an epoch that nobody comes to is not kept, and never read again", async () => {
  const { world, bob, conversation, forge } = await talk("hello")
  forge(2 ** 40)
  await world.rest()
  assert.equal(inboxOf(bob).length, 0)
  assert.equal(rowOf(bob, `sha256:${conversation}`).droppedFrom, undefined)
  await world.close()
})

test("M18 what claims to be of the next epochs is kept up to 2 MiB of a conversation; the rest is read again once its epoch is there", async () => {
  const { world, bob, conversation, forge } = await talk("x".repeat(60_000))
  for (let i = 0; i < 60; i++) forge(20)
  await world.rest()
  const bytes = inboxOf(bob).reduce((sum, [, value]) => sum + value.length, 0)
  assert.ok(bytes > 1_900_000 && bytes < 2_100_000, `${bytes} bytes wait`)
  const { droppedFrom, droppedEpoch } = rowOf(bob, `sha256:${conversation}`)
  assert.deepEqual([droppedFrom !== undefined, droppedEpoch], [true, 20])
  await bob.person.addDevice().then((device) => world.homeOf(bob.person, device))
  await world.rest()
  world.publish(bob.person)
  await world.rest()
  const after = rowOf(bob, `sha256:${conversation}`)
  assert.deepEqual([after.droppedFrom, after.droppedEpoch, after.isBehind], [droppedFrom, 20, undefined])
  await world.close()
})

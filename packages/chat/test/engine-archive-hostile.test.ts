/** An archive that a server, a revoked device or a power cut got at: nothing forged is shown, nothing that is missing is silent, nothing is written twice. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createSigner, deviceIdOf, digestOf, formatEnvelope } from "@kez/core"
import { decodeArchiveDocument, encodeArchiveDocument } from "../src/archive/archive-document.ts"
import { sealArchiveEntry } from "../src/archive/archive-entry.ts"
import { decodeArchiveItem, encodeArchiveItem } from "../src/archive/archive-item.ts"
import { createArchiveEpoch, signArchiveKey } from "../src/archive/archive-keys.ts"
import { encodeRecords } from "../src/archive/archive-record.ts"
import { encodeText } from "../src/bytes.ts"
import { deviceSigner } from "../src/credential/device-keys.ts"
import {
  type ArchiveWorld,
  addHome,
  archiveItems,
  archiveWorld,
  entriesOf,
  epochsIn,
  settle,
} from "./support/archive-world.ts"
import type { Home } from "./support/engine-world.ts"
import type { Kept } from "./support/model-server.ts"
import { now } from "./support/world.ts"

/** Alice has said so much, an entry each, and her device is away. */
async function said(...texts: readonly string[]): Promise<ArchiveWorld> {
  const all = await archiveWorld()
  for (const text of texts) {
    await all.alice.say(all.bob, text)
    await settle(all.world)
  }
  await all.alice.engine.close()
  return all
}

/** A new device with the words, to whom the server shows something else. */
async function restore(all: ArchiveWorld, lie?: (kept: readonly Kept[]) => readonly Kept[]): Promise<Home> {
  const { world, alice, words } = all
  if (lie !== undefined) {
    const shown = lie(archiveItems(all)).map((one, i) => ({ ...one, seq: i + 1 }))
    world.server.lies.archive = () => shown
  }
  const phone = await addHome(world, alice, words)
  await settle(world, 2)
  return phone
}

const isEntry = ({ data }: Kept): boolean => decodeArchiveItem(data)?.kind === "entry"
const isEpoch = ({ data }: Kept): boolean => decodeArchiveItem(data)?.kind === "epoch"
const kept = (data: Uint8Array): Kept => ({ seq: 0, id: digestOf(data), data })
const alarmsOf = async (home: Home) => new Set(await home.alarms())

test("an entry that the server drops is an alarm, and the others are shown", async () => {
  const all = await said("one", "two", "three")
  const phone = await restore(all, (items) => {
    const second = items.filter(isEntry).at(-2)
    return items.filter((item) => item !== second)
  })
  assert.deepEqual(await phone.texts(all.bob), ["one", "three"])
  const { alarm, isStop } = await phone.alarm("archive_missing")
  assert.ok("from" in alarm && alarm.from === alarm.to && !isStop)
  await all.world.close()
})

test("entries that came back out of order are shown, and the alarm closes by itself", async () => {
  const all = await said("one", "two", "three")
  const phone = await restore(all, (items) => {
    const [second] = items.filter(isEntry).slice(-2)
    return [...items.filter((item) => item !== second), ...(second === undefined ? [] : [second])]
  })
  assert.deepEqual((await phone.texts(all.bob)).toSorted(), ["one", "three", "two"])
  assert.deepEqual(await phone.alarms(), [])
  assert.ok(phone.events.some((event) => event.kind === "alarm" && event.alarm.alarm.kind === "archive_missing"))
  await all.world.close()
})

test("the end of an archive that the server cut off before the last epoch is an alarm", async () => {
  const all = await archiveWorld()
  const { world, alice, bob } = all
  for (const text of ["one", "two"]) {
    await alice.say(bob, text)
    await settle(world)
  }
  const tablet = await addHome(world, alice)
  await settle(world)
  world.publish(alice.person)
  await settle(world, 3)
  await alice.engine.close()
  await tablet.engine.close()
  const phone = await restore(all, (items) => {
    const last = items.filter(isEntry).findLast(({ data }) => {
      const item = decodeArchiveItem(data)
      return item?.kind === "entry" && item.device === alice.device.name
    })
    return items.filter((item) => item !== last)
  })
  assert.deepEqual(await phone.texts(bob), ["one"])
  assert.ok((await alarmsOf(phone)).has("archive_missing"))
  await world.close()
})

test("entries that the server repeats are shown once", async () => {
  const all = await said("one", "two")
  const phone = await restore(all, (items) => [...items, ...items.filter(isEntry), ...items])
  assert.deepEqual(await phone.texts(all.bob), ["one", "two"])
  assert.deepEqual(await phone.alarms(), [])
  assert.equal(phone.engine.archive().kind, "on")
  await all.world.close()
})

test("an altered entry, one under another device's name, junk: each refused, the rest is shown", async () => {
  const all = await said("one", "two", "three")
  const stranger = await all.bob.person.addDevice()
  const phone = await restore(all, (items) => {
    const [first, second] = items.filter(isEntry).slice(-3)
    return items.flatMap((item) => {
      if (item === first)
        return [{ ...item, data: item.data.map((byte, i) => (i === item.data.length - 1 ? byte ^ 1 : byte)) }]
      const read = decodeArchiveItem(item.data)
      if (item === second && read?.kind === "entry") {
        return [kept(encodeArchiveItem({ ...read, device: stranger.name })), kept(Uint8Array.of(1, 2, 3)), item]
      }
      return [item]
    })
  })
  assert.deepEqual(await phone.texts(all.bob), ["two", "three"])
  const alarms = await phone.alarms()
  assert.equal(alarms.filter((kind) => kind === "archive_refused").length, 2)
  assert.ok(alarms.includes("archive_missing"))
  await all.world.close()
})

test("swapped keys, an epoch by a stranger, an archive key of the server's own: refused, and nothing is sealed to it", async () => {
  const all = await archiveWorld()
  const { world, alice, bob } = all
  const server = createSigner("ed25519", crypto.getRandomValues(new Uint8Array(32)))
  const { chain } = alice.person
  const own = await signArchiveKey(crypto.getRandomValues(new Uint8Array(32)), { chain, epoch: 9, now }, server)
  const forged = await createArchiveEpoch(
    {
      ...{ replay: alice.person.replay, devices: [alice.device.credential], earlier: [], now },
      words: await signArchiveKey(
        crypto.getRandomValues(new Uint8Array(32)),
        { chain, epoch: 9, now },
        alice.person.primary,
      ),
    },
    deviceSigner(bob.device.keys),
  )
  const epoch = archiveItems(all).find(isEpoch)
  const item = epoch === undefined ? undefined : decodeArchiveItem(epoch.data)
  if (item === undefined) throw new Error("no epoch")
  const document = decodeArchiveDocument(item.data)
  const sealed = document.keys.sealed.map((one) => ({ ...one, key: "0".repeat(96) }))
  const swapped = encodeArchiveDocument({ ...document, keys: { ...document.keys, sealed } })
  for (const one of [
    encodeArchiveItem({ kind: "key", data: encodeText(formatEnvelope(own)) }),
    encodeArchiveItem({ kind: "epoch", data: encodeText(encodeArchiveDocument(forged.document)) }),
    encodeArchiveItem({ kind: "epoch", data: encodeText(swapped) }),
  ]) {
    archiveItems(all).push({ ...kept(one), seq: (archiveItems(all).at(-1)?.seq ?? 0) + 1 })
  }
  const before = archiveItems(all).filter(isEpoch).length
  await alice.say(bob, "after that")
  await settle(world)
  assert.equal((await alice.alarms()).filter((kind) => kind === "archive_refused").length, 3)
  assert.equal(archiveItems(all).filter(isEpoch).length, before)
  await alice.engine.close()
  world.server.lies = {}
  const phone = await restore(all)
  assert.deepEqual(await phone.texts(bob), ["after that"])
  await world.close()
})

test("a revoked device and the server together put nothing behind what it had written", async () => {
  const all = await archiveWorld()
  const { world, alice, bob } = all
  const tablet = await addHome(world, alice)
  await settle(world)
  world.publish(alice.person)
  await settle(world, 3)
  await tablet.say(bob, "from the tablet")
  await settle(world, 3)
  await alice.person.revoke(tablet.device)
  world.publish(alice.person)
  await settle(world)
  await alice.say(bob, "after")
  await settle(world)
  await alice.engine.close()
  const [epoch] = epochsIn(tablet.rows).toSorted((a, b) => b.epoch - a.epoch)
  const mine = entriesOf(all).filter(({ device }) => device === tablet.device.name)
  if (epoch === undefined || mine.length === 0) throw new Error("the tablet wrote nothing")
  const contact = {
    type: "contact",
    chain: digestOf(encodeText("mallory")),
    standing: "accepted",
    devices: [],
  } as const
  const place = {
    ...{ chain: alice.person.chain, device: tablet.device.name, number: mine.length },
    prev: digestOf(mine.at(-1)?.data ?? new Uint8Array()),
  }
  const { bytes: data } = sealArchiveEntry(epoch, place, encodeRecords([contact]).bytes)
  const forged = encodeArchiveItem({ kind: "entry", device: tablet.device.name, data })
  const phone = await restore(all, (items) => [...items, kept(forged)])
  assert.deepEqual(await phone.texts(bob), ["from the tablet", "after"])
  assert.ok((await alarmsOf(phone)).has("archive_refused"))
  assert.equal((await phone.engine.contacts.list()).length, 1)
  await world.close()
})

test("an old epoch that the server shows again as the newest is not written under", async () => {
  const all = await archiveWorld()
  const { world, alice, bob } = all
  const tablet = await addHome(world, alice)
  await settle(world)
  world.publish(alice.person)
  await settle(world, 3)
  await alice.person.revoke(tablet.device)
  world.publish(alice.person)
  await settle(world)
  const old = archiveItems(all).filter(isEpoch).at(-2)
  if (old === undefined) throw new Error("one epoch alone")
  archiveItems(all).push({ ...old, seq: (archiveItems(all).at(-1)?.seq ?? 0) + 1 })
  await alice.say(bob, "not for the tablet")
  await settle(world, 2)
  const last = entriesOf(all).at(-1)
  const known = new Set(epochsIn(tablet.rows).map(({ id }) => id))
  assert.ok(last !== undefined && !known.has(`sha256:${Buffer.from(last.data.subarray(1, 33)).toString("hex")}`))
  await alice.engine.close()
  assert.deepEqual(await (await restore(all)).texts(bob), ["not for the tablet"])
  await world.close()
})

for (const when of ["before", "after"] as const) {
  test(`a device killed ${when} any write of the archive: all is there once`, { timeout: 60_000 }, async () => {
    for (let k = 0; k < 40; k++) {
      const all = await archiveWorld()
      const { world, alice, bob } = all
      await alice.say(bob, "one")
      await world.rest()
      alice.store.failAt = { write: alice.store.writes + k, when }
      world.clock.advance(2)
      await world.rest()
      const wasKilled = alice.store.writes > alice.store.failAt.write
      await alice.restart()
      await settle(world)
      await alice.say(bob, "two")
      await settle(world)
      await alice.engine.close()
      const phone = await restore(all)
      assert.deepEqual(await phone.texts(bob), ["one", "two"], `write ${k}`)
      assert.deepEqual(await phone.alarms(), [], `write ${k}`)
      await world.close()
      if (!wasKilled) return
    }
    assert.fail("more writes than were expected")
  })
}

for (const lie of ["lose_request", "lose_answer"] as const) {
  test(`archive-put: ${lie}: put again, and read once`, async () => {
    const all = await archiveWorld()
    const { world, alice, bob } = all
    let lost = 0
    world.server.lies.answer = (asked, { dev }) => {
      if (asked !== "archive-put" || dev !== deviceIdOf(alice.device.name) || lost++ > 2) return undefined
      return lie
    }
    await alice.say(bob, "one", "two")
    await settle(world, 4)
    assert.ok(lost > 0)
    await alice.say(bob, "three")
    await settle(world, 2)
    await alice.engine.close()
    const phone = await restore(all)
    assert.deepEqual(await phone.texts(bob), ["one", "two", "three"])
    assert.deepEqual(await phone.alarms(), [])
    await world.close()
  })
}

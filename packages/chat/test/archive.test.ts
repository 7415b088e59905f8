/** The archive: a new device or the words alone read everything, a revoked device nothing new, a server makes nobody read its own. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createSigner } from "@kez/core"
import { decodeArchiveDocument, encodeArchiveDocument } from "../src/archive/archive-document.ts"
import { type ArchivePlace, openArchiveEntry, sealArchiveEntry } from "../src/archive/archive-entry.ts"
import {
  type ArchiveEpoch,
  archiveKeyPairOfWords,
  createArchiveEpoch,
  isRenewalDue,
  openArchiveEpoch,
  publicArchiveKey,
  signArchiveKey,
  wordsRecipient,
} from "../src/archive/archive-keys.ts"
import { deviceHpkeKeys, deviceSigner } from "../src/credential/device-keys.ts"
import { maxArchiveEntryBytes } from "../src/limits.ts"
import { bytes, createPerson, type Device, now, Person, text } from "./support/world.ts"

async function account() {
  const secret = crypto.getRandomValues(new Uint8Array(32))
  const primary = createSigner("ed25519", secret)
  const { replay } = await createPerson()
  const person = new Person(primary, replay)
  // A chain of its own, whose primary is that of the words.
  const { appendEvent } = await import("@kez/core")
  const first = await appendEvent(
    { chain: undefined, operation: { op: "add", subject: "dns:a.example" }, now },
    primary,
  )
  person.replay = first.replay
  const [laptop, phone] = [await person.addDevice(), await person.addDevice()]
  const words = await signArchiveKey(secret, { chain: person.chain, epoch: 0, now }, primary)
  return { secret, primary, person, laptop, phone, words }
}

type Account = Awaited<ReturnType<typeof account>>

function make(
  { person, words }: Account,
  by: Device,
  devices: readonly Device[],
  earlier: readonly ArchiveEpoch[] = [],
) {
  const request = { replay: person.replay, devices: devices.map(({ credential }) => credential), words, earlier, now }
  return createArchiveEpoch(request, deviceSigner(by.keys))
}

const openerOf = async (device: Device) => ({
  to: device.name,
  secretKey: (await deviceHpkeKeys(device.keys)).secretKey,
})
const wordsOpener = async (secret: Uint8Array) => ({
  to: wordsRecipient,
  secretKey: (await archiveKeyPairOfWords(secret)).secretKey,
})
const placeOf = (device: Device, number = 0): ArchivePlace => ({
  chain: device.person.chain,
  device: device.name,
  number,
  ...(number === 0 ? {} : { prev: `sha256:${"1".repeat(64)}` }),
})

test("every device of the account and the words open an epoch, and read what was written under it", async () => {
  const all = await account()
  const { document, opened } = await make(all, all.laptop, [all.laptop, all.phone])
  const sent = decodeArchiveDocument(encodeArchiveDocument(document))
  const entry = sealArchiveEntry(opened, placeOf(all.laptop), bytes("hello"))
  for (const opener of [await openerOf(all.phone), await wordsOpener(all.secret)]) {
    const epochs = await openArchiveEpoch(sent, opener, all.person.replay)
    assert.equal(text(openArchiveEntry(entry.bytes, epochs, placeOf(all.laptop)).content), "hello")
  }
})

test("a revoked device opens nothing new; a new device and the words read the whole history", async () => {
  const all = await account()
  const first = await make(all, all.laptop, [all.laptop, all.phone])
  const old = sealArchiveEntry(first.opened, placeOf(all.phone), bytes("old"))
  await all.person.revoke(all.phone)
  assert.ok(isRenewalDue(first.document, all.person.replay, all.words))
  const tablet = await all.person.addDevice()
  const second = await make(all, all.laptop, [all.laptop, all.phone, tablet], [first.opened])
  assert.equal(isRenewalDue(second.document, all.person.replay, all.words), false)
  const fresh = sealArchiveEntry(second.opened, placeOf(all.laptop), bytes("new"))
  await assert.rejects(openArchiveEpoch(second.document, await openerOf(all.phone), all.person.replay), {
    code: "chat.archive",
  })
  assert.throws(() => openArchiveEntry(fresh.bytes, [first.opened], placeOf(all.laptop)), { code: "chat.archive" })
  for (const opener of [await openerOf(tablet), await wordsOpener(all.secret)]) {
    const epochs = await openArchiveEpoch(second.document, opener, all.person.replay)
    assert.equal(text(openArchiveEntry(old.bytes, epochs, placeOf(all.phone)).content), "old")
    assert.equal(text(openArchiveEntry(fresh.bytes, epochs, placeOf(all.laptop)).content), "new")
  }
})

test("a new epoch is due when a device is added or revoked, or the primary changes, and not otherwise", async () => {
  const all = await account()
  const { document } = await make(all, all.laptop, [all.laptop, all.phone])
  assert.equal(isRenewalDue(document, all.person.replay, all.words), false)
  await all.person.append({ op: "add", subject: "dns:b.example" })
  assert.equal(isRenewalDue(document, all.person.replay, all.words), false)
  const before = all.person.replay
  await all.person.append({
    op: "rotate",
    newPrimary: createSigner("ed25519", crypto.getRandomValues(new Uint8Array(32))),
  })
  assert.ok(isRenewalDue(document, all.person.replay, all.words))
  assert.equal(isRenewalDue(document, before, all.words), false)
  assert.throws(() => publicArchiveKey(all.words, all.person.replay), { code: "chat.archive" })
})

test("an epoch that a server, a stranger or a revoked device made is refused, or not written under", async () => {
  const all = await account()
  const other = await account()
  const mine = await openerOf(all.laptop)
  // By a device of somebody else, in this account's name.
  const forged = await createArchiveEpoch(
    { replay: all.person.replay, devices: [all.laptop.credential], words: all.words, earlier: [], now },
    deviceSigner(other.laptop.keys),
  )
  await assert.rejects(openArchiveEpoch(forged.document, mine, all.person.replay), { code: "chat.archive" })
  await all.person.revoke(all.phone)
  const late = await make(all, all.phone, [all.laptop])
  await assert.rejects(openArchiveEpoch(late.document, mine, all.person.replay), { code: "chat.archive" })
})

test("an epoch that a device made before it was revoked is opened for reading, and due to be replaced", async () => {
  const all = await account()
  const { document } = await make(all, all.phone, [all.laptop, all.phone])
  await all.person.revoke(all.phone)
  assert.equal((await openArchiveEpoch(document, await openerOf(all.laptop), all.person.replay)).length, 1)
  assert.ok(isRenewalDue(document, all.person.replay, all.words))
})

test("an archive key that the primary did not sign is refused", async () => {
  const all = await account()
  const server = createSigner("ed25519", crypto.getRandomValues(new Uint8Array(32)))
  const swapped = await signArchiveKey(
    crypto.getRandomValues(new Uint8Array(32)),
    { chain: all.person.chain, epoch: 0, now },
    server,
  )
  await assert.rejects(make({ ...all, words: swapped }, all.laptop, [all.laptop]), { code: "chat.archive" })
})

test("a document whose keys were changed is refused", async () => {
  const all = await account()
  const { document } = await make(all, all.laptop, [all.laptop])
  const [first, ...rest] = document.keys.sealed
  if (first === undefined) throw new Error("nothing sealed")
  const changed = { ...document, keys: { ...document.keys, sealed: [{ ...first, key: "0".repeat(96) }, ...rest] } }
  assert.throws(() => decodeArchiveDocument(encodeArchiveDocument(changed)), { code: "chat.archive" })
  const value = JSON.parse(encodeArchiveDocument(document))
  const cases: readonly (readonly [string, object])[] = [
    ["schema.missing_member", { envelope: value.envelope }],
    ["schema.unknown_member", { ...value, more: 1 }],
    ["schema.value", { ...value, keys: { ...value.keys, sealed: [] } }],
    ["schema.value", { ...value, keys: { ...value.keys, sealed: [{ ...first, key: "zz" }] } }],
  ]
  for (const [code, one] of cases) assert.throws(() => decodeArchiveDocument(JSON.stringify(one)), { code })
})

test("an entry in another place, of another device, altered, cut or too long is refused", async () => {
  const all = await account()
  const { opened } = await make(all, all.laptop, [all.laptop])
  const { bytes: entry, digest } = sealArchiveEntry(opened, placeOf(all.laptop, 1), bytes("hello"))
  const read = (changed: Uint8Array, of = placeOf(all.laptop)) => openArchiveEntry(changed, [opened], of)
  assert.deepEqual([read(entry).number, read(entry).digest], [1, digest])
  assert.throws(() => read(entry, placeOf(all.phone)), { code: "chat.archive" })
  for (const at of [33, 40, 60, entry.length - 1]) {
    const changed = entry.map((byte, i) => (i === at ? byte ^ 1 : byte))
    assert.throws(
      () => read(changed),
      (error: { code: string }) => error.code === "chat.archive" || error.code === "chat.encoding",
    )
  }
  for (const length of [0, 1, 40, 74, entry.length - 1]) {
    assert.throws(
      () => read(entry.subarray(0, length)),
      (error: { name: string }) => error.name === "KezError",
    )
  }
  assert.throws(() => read(new Uint8Array(maxArchiveEntryBytes + 1)), { code: "limit.size" })
  assert.throws(() => sealArchiveEntry(opened, placeOf(all.laptop), new Uint8Array(maxArchiveEntryBytes)), {
    code: "limit.size",
  })
})

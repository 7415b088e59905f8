/** A machine that stops between any two steps: no key is used twice, no commit is lost or made twice. adversarial C.10 M21 */
import assert from "node:assert/strict"
import { test } from "node:test"
import { decodeMlsMessage } from "ts-mls"
import { decryptSenderData } from "ts-mls/privateMessage.js"
import { decodeHandshake } from "../src/cipher/attachments.ts"
import type { MlsGroup } from "../src/cipher/mls-group.ts"
import { loadConversation } from "../src/cipher/mls-join.ts"
import { decodeRecord } from "../src/cipher/saved-group.ts"
import { suite } from "../src/cipher/suite.ts"
import { maxJournalEntries, maxStateEntryBytes } from "../src/limits.ts"
import { pair, trio } from "./support/conversations.ts"
import { bytes, commitAll, keyPackageOf, offer, read, restart } from "./support/world.ts"

/** Epoch, leaf and generation by which a message or commit was encrypted: no two may ever be equal. */
async function keyOf(reader: MlsGroup, message: Uint8Array): Promise<string> {
  const decoded = decodeMlsMessage(message, 0)?.[0]
  if (decoded?.wireformat !== "mls_private_message") throw new Error("not a private message")
  const { keySchedule } = decodeRecord(reader.save()).state
  const data = await decryptSenderData(decoded.privateMessage, keySchedule.senderDataSecret, suite)
  return `${decoded.privateMessage.contentType} ${decoded.privateMessage.epoch} ${data?.leafIndex} ${data?.generation}`
}

test("after a restart the next message has the next key, also where the last one was never sent", async () => {
  const { a, b, desks } = await pair()
  const keys = [await keyOf(b, await a.encrypt(bytes("1"))), await keyOf(b, await a.encrypt(bytes("2")))]
  const again = await restart(desks[0], a)
  const third = await again.encrypt(bytes("3"))
  keys.push(await keyOf(b, third))
  assert.equal(new Set(keys).size, 3)
  assert.equal(await read(b, third), "3")
})

for (const when of ["before", "after"] as const) {
  test(`a power cut ${when} the journal is written: the message does not go out, and its key is not used again`, async () => {
    const { a, b, desks } = await pair()
    const first = await keyOf(b, await a.encrypt(bytes("1")))
    desks[0].store.failNext = when
    await assert.rejects(a.encrypt(bytes("lost")), /power cut/)
    const again = await restart(desks[0], a)
    const next = await again.encrypt(bytes("2"))
    const generation = (await keyOf(b, next)).split(" ").at(-1)
    assert.notEqual(await keyOf(b, next), first)
    assert.equal(generation, when === "before" ? "1" : "2")
    assert.equal(await read(b, next), "2")
  })

  test(`a power cut ${when} what was read is written: it is read after the restart, or refused as read before, never lost silently`, async () => {
    const { a, b, desks } = await pair()
    const message = await a.encrypt(bytes("1"))
    desks[1].store.failNext = when
    await assert.rejects(b.decrypt(message), /power cut/)
    const again = await restart(desks[1], b)
    assert.equal(await read(again, message), when === "before" ? "1" : "chat.repeat")
  })

  test(`a power cut ${when} a commit is saved: nothing was published, and there is one commit or none`, async () => {
    const { a, b, desks } = await pair()
    desks[0].store.failNext = when
    await assert.rejects(a.update(), /power cut/)
    const again = await restart(desks[0], a)
    assert.equal(again.pending === undefined, when === "before")
    const { message } = again.pending ?? (await again.update())
    await commitAll(again, message, [b])
    assert.equal(again.safetyCode(), b.safetyCode())
  })

  test(`a power cut ${when} an accepted commit is saved: the restart goes on where the server is`, async () => {
    const { a, b, desks } = await pair()
    const { message } = await a.update()
    assert.equal(await offer(b, message), "applied")
    desks[0].store.failNext = when
    await assert.rejects(a.accept(), /power cut/)
    const again = await restart(desks[0], a)
    assert.equal(again.pending !== undefined, when === "before")
    // The log says that our commit is in it.
    const outcome = await again.process(message)
    assert.deepEqual(outcome, { kind: "repeat", isPending: when === "before" })
    if (again.pending !== undefined) await again.accept()
    assert.equal(again.safetyCode(), b.safetyCode())
    assert.equal(await read(b, await again.encrypt(bytes("on"))), "on")
  })

  test(`a power cut ${when} another's commit is saved: it is applied once`, async () => {
    const { a, b, desks } = await pair()
    const { message } = await a.update()
    await a.accept()
    desks[1].store.failNext = when
    await assert.rejects(b.process(message), /power cut/)
    const again = await restart(desks[1], b)
    assert.equal(await offer(again, message), when === "before" ? "applied" : "repeat")
    assert.equal(again.safetyCode(), a.safetyCode())
  })
}

test("a commit that waits is published again after a restart, the same bytes, and its Welcome with it", async () => {
  const { a, desks, newcomer } = await trio()

  const own = await keyPackageOf(newcomer.desk.device)
  const made = await a.add([own.bytes], { set: [{ chain: newcomer.dave.chain, role: "member" }] })
  const again = await restart(desks[0], a)
  assert.deepEqual(again.pending, made)
})

test("two commits of one epoch, one refused, are not encrypted with one key", async () => {
  const { a, b, desks } = await pair()
  const mlsOf = (message: Uint8Array) => decodeHandshake(message, "commit", maxStateEntryBytes).mls
  const first = await keyOf(b, mlsOf((await a.update()).message))
  await a.discard()
  const second = await keyOf(b, mlsOf((await a.update()).message))
  await a.discard()
  const third = await keyOf(b, mlsOf((await (await restart(desks[0], a)).update()).message))
  assert.equal(new Set([first, second, third]).size, 3)
})

test("operations at the same time take their turns: no key twice", async () => {
  const { a, b } = await pair()
  const sent = await Promise.all(Array.from({ length: 20 }, (_, i) => a.encrypt(bytes(String(i)))))
  const keys = await Promise.all(sent.map((message) => keyOf(b, message)))
  assert.equal(new Set(keys).size, 20)
  for (const [i, message] of sent.entries()) assert.equal(await read(b, message), String(i))
})

test("the journal stays short: a whole record replaces it from time to time", async () => {
  const { a, b, desks } = await pair()
  const journal = () => desks[0].store.kept.get(a.group)?.journal.length ?? 0
  for (let i = 0; i <= maxJournalEntries; i++) await a.encrypt(bytes("x"))
  assert.equal(journal(), 0)
  const next = await (await restart(desks[0], a)).encrypt(bytes("after"))
  assert.equal((await keyOf(b, next)).split(" ").at(-1), String(maxJournalEntries + 1))
})

test("the journal stays short, also where no run sends more than one message", async () => {
  const { a, desks } = await pair()
  let again = a
  for (let i = 0; i <= maxJournalEntries; i++) {
    again = await restart(desks[0], again)
    await again.encrypt(bytes("x"))
  }
  assert.equal(desks[0].store.kept.get(a.group)?.journal.length, 0)
})

test("what was missing in the middle is still readable after a restart, what was read is not", async () => {
  const { a, b, desks } = await pair()
  const sent = [await a.encrypt(bytes("1")), await a.encrypt(bytes("2")), await a.encrypt(bytes("3"))] as const
  assert.equal(await read(b, sent[2]), "3")
  const again = await restart(desks[1], b)
  assert.equal(await read(again, sent[2]), "chat.repeat")
  assert.equal(await read(again, sent[0]), "1")
  assert.equal(await read(await restart(desks[1], b), sent[0]), "chat.repeat")
  assert.equal(await read(again, sent[1]), "2")
})

test("a damaged record or journal is named, not read", async () => {
  const { a, desks } = await pair()
  const stored = desks[0].store.kept.get(a.group)
  if (stored === undefined) throw new Error("nothing stored")
  for (const at of [0, 40, 500, stored.record.length - 1]) {
    const record = stored.record.slice()
    record[at] = (record[at] ?? 0) ^ 1
    assert.throws(() => decodeRecord(record), { code: "store.corrupt" })
  }
  assert.throws(() => decodeRecord(stored.record.subarray(0, 100)), { code: "store.corrupt" })

  await assert.rejects(loadConversation({ ...stored, journal: [bytes("garbage")] }, desks[0]), {
    code: "store.corrupt",
  })
})

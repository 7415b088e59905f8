/** Tables behind commands, whatever database is under them: run against SQLite and PostgreSQL. */
import assert from "node:assert/strict"
import { suite, test } from "node:test"
import { deviceIdOf, userIdOf } from "@kez/core"
import { keyNamed } from "../../../packages/core/test/support/keys.ts"
import { createDevices } from "../src/broker/devices.ts"
import { countKeyPackages, saveKeyPackages, takeKeyPackage } from "../src/commands/key-package-table.ts"
import { findConversation, placeOfCommit, saveCommit } from "../src/conversations/members.ts"
import { createSent } from "../src/conversations/sent.ts"
import { createStrangers } from "../src/conversations/strangers.ts"
import { createWriters } from "../src/conversations/writers.ts"
import type { Database } from "../src/storage/database.ts"

const now = 1_767_225_600
const chainOf = (digit: string) => `sha256:${digit.repeat(64)}`
const [alice, bob, carol] = [chainOf("a"), chainOf("b"), chainOf("c")]
const conversation = "7".repeat(64)
const fail = (error: unknown): never => {
  throw error
}

export function conversationSuite(name: string, { open }: { open(): Promise<Database> }): void {
  suite(`tables of conversations over ${name}`, () => {
    type T = { after(clean: () => Promise<void>): void }
    const opened = async (t: T): Promise<Database> => {
      const database = await open()
      t.after(() => database.close())
      return database
    }

    test("members are those of the newest commit, in whatever order commits are written down", async (t) => {
      const database = await opened(t)
      const save = (id: string, seq: number, members: readonly string[]) =>
        database.transact((sql) => saveCommit(sql, { conversation, id: chainOf(id), seq, members }))
      assert.equal(await findConversation(database, conversation), undefined)
      await save("1", 10, [alice, bob])
      await save("3", 30, [bob, carol])
      await save("2", 20, [alice, bob, carol])
      await save("3", 30, [bob, carol])
      const found = await findConversation(database, conversation)
      assert.equal(found?.newestCommit, 30)
      assert.deepEqual(found?.members.map(({ chain }) => chain).toSorted(), [bob, carol])
      assert.ok(found?.members.every(({ chain, uid }) => uid === userIdOf(chain)))
      assert.deepEqual(
        [
          await placeOfCommit(database, conversation, chainOf("2")),
          await placeOfCommit(database, conversation, chainOf("9")),
        ],
        [20, undefined],
      )
    })

    test("M9 a key package is handed out once, by copies that ask at the same time too, and never taken again", async (t) => {
      const database = await opened(t)
      const device = { uid: userIdOf(alice), dev: deviceIdOf(keyNamed("phone").key) }
      const offered = (ref: string, isLastResort = false, expiresAt = now + 1_000) => ({
        bytes: Uint8Array.of(ref.charCodeAt(0)),
        verified: { ref: chainOf(ref), isLastResort },
        expiresAt,
      })
      const save = (...all: readonly ReturnType<typeof offered>[]) =>
        database.transact((sql) => saveKeyPackages(sql, device, { offered: all, now }))
      const take = () => database.transact((sql) => takeKeyPackage(sql, device, now))
      assert.deepEqual(await save(offered("1"), offered("2"), offered("3", false, now), offered("9", true)), {
        key_packages: 2,
        last_resort: true,
      })
      const taken = await Promise.all(Array.from({ length: 5 }, take))
      assert.deepEqual(taken.map((bytes) => bytes?.[0]).toSorted(), [49, 50, 57, 57, 57])
      assert.deepEqual(await save(offered("1"), offered("2")), { key_packages: 0, last_resort: true })
      await save(offered("8", true))
      assert.equal((await take())?.[0], 56)
      assert.deepEqual(await countKeyPackages(database, device, now + 1_000), { key_packages: 0, last_resort: false })
    })

    test("of key packages beyond the most that are kept, those that end last stay; there is an end to their names", async (t) => {
      const database = await opened(t)
      const device = { uid: userIdOf(alice), dev: deviceIdOf(keyNamed("phone").key) }
      const many = (from: number, count: number) =>
        Array.from({ length: count }, (_, at) => ({
          bytes: Uint8Array.of(1),
          verified: { ref: `sha256:${String(from + at).padStart(64, "0")}`, isLastResort: false },
          expiresAt: now + 1_000 + from + at,
        }))
      const save = (from: number, count: number) =>
        database.transact((sql) => saveKeyPackages(sql, device, { offered: many(from, count), now }))
      await save(0, 100)
      assert.equal((await save(100, 60)).key_packages, 100)
      const [first] = await database.rows("SELECT min(expires_at) AS first FROM key_packages WHERE bytes IS NOT NULL")
      assert.equal(Number(first?.["first"]), now + 1_060)
      await assert.rejects(
        async () => {
          for (let at = 1_000; at < 20_000; at += 1_000) await save(at, 1_000)
        },
        { code: "net.rate_limit" },
      )
    })

    test("devices: what is noted is found at once and after a restart; who is revoked stays so until the chain says otherwise", async (t) => {
      const database = await opened(t)
      const [key] = [keyNamed("phone").key]
      const device = { uid: userIdOf(alice), dev: deviceIdOf(key) }
      const first = createDevices(database, fail)
      assert.equal(await first.find(device), undefined)
      await first.noteVerified(alice, key, now)
      first.noteCursor(device, 7)
      assert.deepEqual([(await first.find(device))?.cursor, (await first.ofPerson(device.uid))[0]?.cursor], [7, 7])
      await first.noteMissed(device.uid, { why: "full", behind: 7 })
      assert.equal(await first.takeMissed(device), false)
      await first.noteMissed(device.uid, { why: "strangers" })
      assert.equal((await first.find(device))?.missed, "strangers")
      await first.noteMissed(device.uid, { why: "full" })
      await first.noteMissed(device.uid, { why: "strangers" })
      assert.equal((await first.find(device))?.missed, "full")
      await first.noteRevoked(device, 3)
      await first.stop()
      const second = createDevices(database, fail)
      const row = await second.find(device)
      assert.deepEqual([row?.cursor, row?.revokedSeq, row?.device, row?.chain], [7, 3, key, alice])
      assert.deepEqual([await second.takeMissed(device), await second.takeMissed(device)], [true, false])
      await second.noteVerified(alice, key, now + 9)
      assert.equal((await second.find(device))?.revokedSeq, undefined)
      second.noteCursor(device, 99)
      await second.resetCursors(device.uid)
      await second.flush()
      assert.equal((await second.find(device))?.cursor, 0)
      await second.stop()
    })

    test("what was sent is found by its name, at once and after a restart, for a week", async (t) => {
      const database = await opened(t)
      let time = now
      const make = () => createSent({ database, nowSeconds: () => time, onFault: fail })
      const first = make()
      assert.equal(await first.find("a"), undefined)
      first.note("a", 5)
      assert.equal(await first.find("a"), 5)
      await first.stop()
      time += 8 * 86_400
      const second = make()
      assert.equal(await second.find("a"), 5)
      second.note("b", 6)
      await second.stop()
      const third = make()
      assert.deepEqual([await third.find("a"), await third.find("b")], [undefined, 6])
      await third.stop()
    })

    test("who wrote where is known at once, after a restart, and to another copy soon", async (t) => {
      const database = await opened(t)
      let nowMs = 0
      const make = () => createWriters({ database, nowMs: () => nowMs, onFault: fail })
      const [first, copy] = [make(), make()]
      assert.equal(await copy.has(conversation, "bob"), false)
      assert.equal(await first.has(conversation, "bob"), false)
      first.note(conversation, "bob")
      assert.deepEqual([await first.has(conversation, "bob"), await first.has(conversation, "eve")], [true, false])
      await first.stop()
      assert.equal(await copy.has(conversation, "bob"), false)
      nowMs += 10_001
      assert.equal(await copy.has(conversation, "bob"), true)
      await copy.stop()
      const later = make()
      assert.equal(await later.has(conversation, "bob"), true)
      await later.stop()
    })

    test("strangers take their part of a mailbox and no more, until its person is here", async (t) => {
      const database = await opened(t)
      const writers = createWriters({ database, nowMs: () => 0, onFault: fail })
      const strangers = createStrangers(writers, 2)
      const admit = async (from: string) => {
        const { isRoom, isFirst } = await strangers.admit("bob", from)
        return `${isRoom} ${isFirst}`
      }
      writers.note("friends", "bob")
      const asked = [await admit("a"), await admit("b"), await admit("c"), await admit("a"), await admit("friends")]
      assert.deepEqual(asked, ["true false", "true false", "false true", "false false", "true false"])
      strangers.reset("bob")
      assert.equal(await admit("a"), "true false")
      await writers.stop()
    })
  })
}

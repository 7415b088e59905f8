/** What the directory does, whatever database is under it: run against SQLite and PostgreSQL. SPEC §7.8 */
import assert from "node:assert/strict"
import { suite, test } from "node:test"
import { encodeChain, KezError } from "@kez/core"
import { type DirectoryMemory, judgeLookUp, rememberDirectory } from "@kez/core/directory"
import { createNoteSigner, isConsistent, openCheckpoint, parseNoteKey } from "@kez/core/tlog"
import { addDevice } from "../../../packages/core/test/support/chains.ts"
import { keyNamed } from "../../../packages/core/test/support/keys.ts"
import { createChainSource } from "../src/directory/chains.ts"
import { makeInvitation } from "../src/directory/invitations.ts"
import { hashesBetween, logSize } from "../src/directory/log.ts"
import { createDirectory, type Directory, type HandleView, type Registration } from "../src/directory/service.ts"
import type { Database } from "../src/storage/database.ts"
import { bodyOf, now, personWith, registrationOf, stated } from "./support/people.ts"

interface World {
  readonly database: Database
  readonly directory: Directory
  /** Another copy of the server. */
  copy(registration?: Registration): Directory
}

export interface SuiteOptions {
  /** A new, empty database. */
  open(): Promise<Database>
}

export function directorySuite(name: string, { open }: SuiteOptions): void {
  suite(`the directory over ${name}`, () => {
    const world = async (
      t: { after(clean: () => Promise<void>): void },
      registration: Registration = "open",
    ): Promise<World> => {
      const database = await open()
      t.after(() => database.close())
      const signer = createNoteSigner("localhost/handles", new Uint8Array(32).fill(9))
      const chains = createChainSource({ stores: [], nowMs: () => now * 1_000 })
      const copy = (other: Registration = registration): Directory =>
        createDirectory({
          database,
          signer,
          chains,
          domain: "localhost",
          registration: other,
          reserved: ["house"],
          now: () => now,
        })
      return { database, directory: copy(), copy }
    }

    test("a registration is in the log, and its proof holds for a reader", async (t) => {
      const { directory } = await world(t)
      const memory = rememberDirectory("localhost", directory.key, await directory.checkpoint())
      const alice = personWith("alice", "alice")
      const made = await directory.register(registrationOf(alice, "alice"))
      assert.equal(made.status, "made")
      const seen = judge(made.view, memory)
      assert.deepEqual([seen.state, seen.chain], ["registered", alice.chain])
      assert.equal((await directory.register(registrationOf(alice, "alice", { at: now + 1 }))).status, "known")
      assert.deepEqual(
        (await directory.findByPrimary(alice.key.key, 5)).map(({ handle }) => handle),
        ["alice"],
      )
      assert.deepEqual(
        (await directory.findByPrimary(alice.chain, 5)).map(({ handle }) => handle),
        ["alice"],
      )
    })

    test("H3 H4 reserved and look-alike handles are refused", async (t) => {
      const { directory } = await world(t)
      await directory.register(registrationOf(personWith("m", "mike"), "mike"))
      await directory.register(registrationOf(personWith("b", "bob-1"), "bob-1"))
      const cases = [
        ["admin", "handle.reserved"],
        ["adm1n", "handle.reserved"],
        ["house", "handle.reserved"],
        ["rnike", "handle.confusable"],
        ["m-i-k-e", "handle.confusable"],
        ["bobl", "handle.confusable"],
      ] as const
      for (const [handle, code] of cases)
        await refuses(directory.register(registrationOf(personWith(handle, handle), handle)), code)
    })

    test("H5 of 100 parallel registrations of one handle exactly one is made", async (t) => {
      const { directory, copy, database } = await world(t)
      const copies = [directory, copy()]
      const results = await Promise.all(
        Array.from({ length: 100 }, (_, at) => {
          const person = personWith(`racer ${at}`, "alice")
          return copies[at % 2]?.register(registrationOf(person, "alice")).catch(codeOf)
        }),
      )
      assert.equal(results.filter((result) => typeof result === "object").length, 1)
      assert.equal(results.filter((result) => result === "handle.taken").length, 99)
      assert.equal(await logSize(database), 1)
    })

    test("H6 a chain has one handle, and may move it", async (t) => {
      const { directory } = await world(t)
      const ann = personWith("ann", "ann", "anna", "annie")
      await directory.register(registrationOf(ann, "ann"))
      await refuses(directory.register(registrationOf(ann, "anna")), "handle.limit")
      const body = bodyOf({
        move: stated("handle_move", ann, "ann", { newHandle: "anna" }),
        registration: stated("handle_registration", ann, "anna"),
        chain: encodeChain(ann.events),
      })
      const moved = await directory.move(body)
      assert.deepEqual(
        [moved.status, moved.view.row.state, moved.view.row.movedTo],
        ["made", "moved", "anna@localhost"],
      )
      assert.equal((await directory.move(body)).status, "known")
      const memory = rememberDirectory("localhost", directory.key, await directory.checkpoint())
      assert.equal(judge(moved.view, memory).movedTo, "anna@localhost")
      assert.equal((await directory.find("anna"))?.row.chain, ann.chain)
      await refuses(directory.register(registrationOf(personWith("other", "ann"), "ann")), "handle.released")
    })

    test("H7 a released handle is nobody's but its chain's, and no old statement brings it back", async (t) => {
      const { directory } = await world(t)
      const eve = personWith("eve", "eve")
      const first = registrationOf(eve, "eve")
      await directory.register(first)
      const release = bodyOf({ release: stated("handle_release", eve, "eve"), chain: encodeChain(eve.events) })
      assert.equal((await directory.release(release)).view.row.state, "released")
      await refuses(directory.register(first), "handle.released")
      await refuses(directory.register(registrationOf(personWith("thief", "eve"), "eve")), "handle.released")
      await refuses(directory.register(registrationOf(personWith("like", "e-ve"), "e-ve")), "handle.confusable")
      assert.equal((await directory.register(registrationOf(eve, "eve", { at: now + 2 }))).view.row.state, "registered")
      // Caught on the way the first time.
      await refuses(directory.release(release), "handle.released")
      assert.equal((await directory.history("eve", 10)).length, 3)
    })

    test("a device registers, and cannot give the handle up", async (t) => {
      const { directory } = await world(t)
      const [owner, device] = [personWith("owner", "owned"), keyNamed("her device")]
      const events = [...owner.events, addDevice(owner.events.at(-1), device, owner.key)]
      const chain = encodeChain(events)
      await directory.register(
        bodyOf({ registration: stated("handle_registration", owner, "owned", { by: device }), chain }),
      )
      await refuses(
        directory.release(bodyOf({ release: stated("handle_release", owner, "owned", { by: device }), chain })),
        "chain.authority",
      )
      const move = stated("handle_move", owner, "owned", {
        by: device,
        newHandle: "owned",
        newHost: "other.example.org",
      })
      await refuses(directory.move(bodyOf({ move, chain })), "chain.authority")
    })

    test("H10 a chain that does not list the handle, a stranger's key, another time or host are refused", async (t) => {
      const { directory, database } = await world(t)
      const sam = personWith("sam", "sam")
      const stranger = keyNamed("stranger")
      await refuses(directory.register(registrationOf(personWith("x", "another"), "sammy")), "claim.not_in_chain")
      await refuses(directory.register(registrationOf(sam, "sam", { by: stranger })), "chain.not_authorised")
      await refuses(directory.register(registrationOf(sam, "sam", { at: now - 301 })), "auth.time")
      await refuses(directory.register(registrationOf(sam, "sam", { at: now + 301 })), "auth.time")
      await refuses(directory.register(registrationOf(sam, "sam", { host: "other.example.org" })), "auth.binding")
      const other = personWith("other sam", "sam")
      const foreign = bodyOf({
        registration: stated("handle_registration", sam, "sam"),
        chain: encodeChain(other.events),
      })
      await refuses(directory.register(foreign), "chain.genesis")
      assert.equal(await logSize(database), 0)
    })

    test("an invitation is good for its uses, until it expires, and is stored as a hash only", async (t) => {
      const { directory, copy, database } = await world(t, "invite")
      const make = (uses: number, expiresAt: number) =>
        database.transact((sql) => makeInvitation(sql, { uses, expiresAt, now, by: "operator" }))
      const [code, late] = [await make(2, now + 60), await make(1, now)]
      const join = (name: string, invitation?: string) =>
        directory.register(registrationOf(personWith(name, name), name, invitation === undefined ? {} : { invitation }))
      await refuses(join("guest1"), "handle.invitation")
      await refuses(join("guest1", late), "handle.invitation")
      await refuses(join("guest1", "aaaa-bbbb"), "handle.invitation")
      const results = await Promise.all(
        ["zoe", "yan", "xia", "wim"].map((name) => join(name, code.toUpperCase()).catch(codeOf)),
      )
      assert.equal(results.filter((result) => result === "handle.invitation").length, 2)
      const rows = await database.rows("SELECT hash FROM invitations")
      assert.ok(!JSON.stringify(rows).includes(code.replaceAll("-", "")))
      await refuses(copy("closed").register(registrationOf(personWith("late", "late"), "late")), "handle.closed")
    })

    test("the log grows consistently from any size to any other, and its tiles hash to its roots", async (t) => {
      const { directory, database } = await world(t)
      const checkpoints: string[] = [await directory.checkpoint()]
      for (let at = 0; at < 20; at++) {
        const handle = `user${"abcdefghjkmpqtuxyz"[at % 18]}${at >= 18 ? "two" : ""}`
        await directory.register(registrationOf(personWith(handle, handle), handle))
        checkpoints.push(await directory.checkpoint())
      }
      const key = parseNoteKey(directory.key)
      const opened = checkpoints.map((note) => openCheckpoint(note, key))
      for (const first of opened) {
        for (const second of opened.slice(first.size)) {
          const path = await directory.consistency(first.size, second.size)
          assert.ok(isConsistent({ first, second, path }))
        }
      }
      assert.equal((await hashesBetween(database, 0, { start: 0, end: 20 })).length, 20)
      await refuses(directory.consistency(3, 21), "schema.value")
    })
  })
}

function judge({ row, statement, proof }: HandleView, memory: DirectoryMemory) {
  const signed = JSON.parse(statement)
  const member = row.state === "registered" ? { registration: signed } : { statement: signed }
  const body = JSON.stringify({
    handle: row.handle,
    host: "localhost",
    ...member,
    proof: proof.split("\n").slice(0, -1),
  })
  return judgeLookUp({ body, handle: row.handle, memory, consistency: [], now })
}

function codeOf(error: unknown): string {
  if (error instanceof KezError) return error.code
  throw error
}

async function refuses(work: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.equal(codeOf(error), code)
    return true
  })
}

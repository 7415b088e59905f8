/** What is shared with a contact is given to nobody else, whatever hash he knows: real engines, real kez-iroh. F2, F11 of adversarial.md. */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { setTimeout } from "node:timers/promises"
import { type FileMover, Files, type MoverAddress, type MoverEvent } from "@kez/chat"
import { createNodeDisk, startIroh } from "@kez/chat/iroh"
import { skipWithoutNats } from "../support/broker.ts"
import { clock, openTestEngine, type TestEngine, until } from "../support/chat-engines.ts"
import { type ChatWorld, startChatWorld, type WorldPerson } from "../support/chat-world.ts"
import { buildIroh } from "../support/files-people.ts"
import { skipWithoutIroh } from "../support/iroh.ts"

/** As long as that somebody who is not on the list tries. */
const triedMs = 4_000

describe("who may not have what is shared", { skip: skipWithoutNats || skipWithoutIroh() }, () => {
  const cleaners: (() => Promise<void> | void)[] = []
  const t = { after: (clean: () => Promise<void> | void) => void cleaners.push(clean) }
  const size = 100_000
  let folder: string
  let program: string
  let world: ChatWorld
  let bobby: WorldPerson
  let alice: TestEngine
  let bob: TestEngine
  let bobs: FileMover
  let files: Files
  let conversation: string
  let at: MoverAddress
  /** The file, the page that lists it, and the root document. */
  let wanted: readonly { readonly hash: string; readonly size: number }[]

  const moverOf = (name: string): Promise<FileMover> =>
    startIroh({ program, data: join(folder, name), bind: ["127.0.0.1:0"] })

  /** How many of the three a fetch from Alice brings. */
  const fetchBy = async (mover: FileMover, job: string): Promise<number> => {
    let brought = 0
    for (const [n, blob] of wanted.entries()) {
      const into = join(folder, `into-${job}-${n}`)
      mkdirSync(into)
      let end: string | undefined
      mover.on((event: MoverEvent) => {
        if (event.event === "end" && event.job === `${job}-${n}`) end = event.state
      })
      await mover.fetch({ job: `${job}-${n}`, into, files: [{ ...blob, path: "x" }], providers: [at] })
      for (let waited = 0; end === undefined && waited < triedMs; waited += 50) await setTimeout(50)
      if (end === undefined) await mover.cancel(`${job}-${n}`)
      assert.equal(existsSync(join(into, "x")), end === "done")
      if (end === "done") brought += 1
    }
    return brought
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "kez-shares-"))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    program = buildIroh().KEZ_IROH
    world = await startChatWorld(t)
    const alicia = await world.person("alice")
    bobby = await world.person("bobby")
    const [first, second] = [alicia.devices[0], bobby.devices[0]]
    assert.ok(first && second)
    alice = await openTestEngine(t, world, { person: alicia, device: first })
    bob = await openTestEngine(t, world, { person: bobby, device: second })
    await alice.engine.contacts.add("bobby@localhost")
    await bob.engine.contacts.add("alice@localhost")
    await until("key packages", async () => (await alice.engine.settled(500)) && (await bob.engine.settled(500)))
    await alice.say(bobby.chain.chain, "hello")
    await until("hello", async () => (await bob.texts(alicia.chain.chain)).includes("hello"))
    const mover = await moverOf("alice")
    const disk = createNodeDisk(join(folder, "alice-disk"))
    const newId = (): string => randomBytes(32).toString("hex")
    files = new Files(
      { engine: alice.engine, mover, disk, clock, newId },
      () => undefined,
      () => undefined,
    )
    files.start()
    bobs = await moverOf("bob")
    t.after(async () => {
      await files.close()
      await bobs.close()
    })
    conversation = (await alice.engine.openDirect(bobby.chain.chain)).id
    const path = join(folder, "secret.bin")
    writeFileSync(path, randomBytes(size))
    await files.run(() => files.shares.share([path], [bobby.chain.chain]))
    await files.run(() => files.shares.open())
    const own = await files.shares.current()
    const [file] = (await mover.import([path])).files
    assert.ok(own && file)
    wanted = [file, own.root, ...(own.sections[0]?.pages ?? [])].map(({ hash, size }) => ({ hash, size }))
    at = mover.address()
  })
  after(async () => {
    for (const clean of cleaners.toReversed()) await clean()
  })

  test("a contact's device gets nothing before it said where it is", async () => {
    assert.equal(await fetchBy(bobs, "early"), 0)
  })

  test("then it gets the file and the list, and is told where", async () => {
    assert.equal(await bob.engine.tellPresence(conversation, bobs.address(), { wish: "shares" }), true)
    await until("Alice's list", async () => bob.events.some((event) => event.kind === "shares"))
    assert.equal(await fetchBy(bobs, "member"), 3)
  })

  test("a stranger with the right hashes and address gets nothing, not even the list", async () => {
    const stranger = await moverOf("stranger")
    assert.equal(await fetchBy(stranger, "stranger"), 0)
    await stranger.close()
  })

  test("a contact who is blocked gets nothing, and gets it again when he is accepted", async () => {
    await alice.engine.contacts.block(bobby.chain.chain)
    await files.run(async () => undefined)
    await setTimeout(300)
    assert.equal(await fetchBy(bobs, "blocked"), 0)
    await alice.engine.contacts.accept(bobby.chain.chain)
    await setTimeout(300)
    await files.run(() => files.shares.allowAnew())
    assert.equal(await fetchBy(bobs, "again"), 3)
  })

  test("what is shared no more is given no more", async () => {
    const [file] = wanted
    assert.ok(file)
    await files.run(() => files.shares.unshare(["secret.bin"]))
    assert.equal(await fetchBy(bobs, "unshared"), 0)
    await files.run(() => files.shares.share([join(folder, "secret.bin")], [bobby.chain.chain]))
    const own = await files.shares.current()
    assert.ok(own)
    wanted = [file, own.root, ...(own.sections[0]?.pages ?? [])].map(({ hash, size }) => ({ hash, size }))
    assert.equal(await fetchBy(bobs, "shared"), 3)
  })

  test("a device that was revoked gets nothing any more", async () => {
    const [device] = bobby.devices
    assert.ok(device)
    await bobby.append({ op: "revoke_device", keys: [device.device] })
    await until("the revocation", async () =>
      (await alice.engine.devices(conversation)).every((one) => one.isSelf || one.standing !== "current"),
    )
    await files.run(async () => undefined)
    assert.equal(await fetchBy(bobs, "revoked"), 0)
  })
})

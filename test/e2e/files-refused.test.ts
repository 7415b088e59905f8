/** A stranger with the right hash, and a device that was revoked, get nothing of what is offered to a member: real engines, real kez-iroh. F2 of adversarial.md. */
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
const nothing = { isDone: false, bytes: 0 }

describe("who is not on the list", { skip: skipWithoutNats || skipWithoutIroh() }, () => {
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
  let hash: string
  let at: MoverAddress

  const moverOf = (name: string): Promise<FileMover> =>
    startIroh({ program, data: join(folder, name), bind: ["127.0.0.1:0"] })

  /** Whether a fetch from Alice brings the file. One that brings nothing is called off. */
  const fetchBy = async (
    mover: FileMover,
    job: string,
  ): Promise<{ readonly isDone: boolean; readonly bytes: number }> => {
    const into = join(folder, `into-${job}`)
    mkdirSync(into)
    let bytes = 0
    let end: string | undefined
    mover.on((event: MoverEvent) => {
      if (!("job" in event) || event.job !== job) return
      if (event.event === "progress" || event.event === "end") bytes = event.bytes
      if (event.event === "end") end = event.state
    })
    await mover.fetch({ job, into, files: [{ hash, size, path: "x" }], providers: [at] })
    for (let waited = 0; end === undefined && waited < triedMs; waited += 50) await setTimeout(50)
    if (end === undefined) await mover.cancel(job)
    assert.equal(existsSync(join(into, "x")), end === "done")
    return { isDone: end === "done", bytes }
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "kez-refused-"))
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
    await files.offer(conversation, [path], "secret.bin")
    await until("the offer", async () => (await bob.engine.messages(conversation)).some(({ fileOffer }) => fileOffer))
    const offer = (await bob.engine.messages(conversation)).find(({ fileOffer }) => fileOffer)?.fileOffer
    hash = offer?.hash ?? ""
    at = mover.address()
  })
  after(async () => {
    for (const clean of cleaners.toReversed()) await clean()
  })

  test("F2: a member's device gets nothing before it said where it is", async () => {
    assert.deepEqual(await fetchBy(bobs, "early"), nothing)
  })

  test("then it gets the file, and is told where", async () => {
    assert.equal(await bob.engine.tellPresence(conversation, bobs.address()), true)
    const isHeard = (): boolean =>
      bob.events.some((event) => event.kind === "presence" && event.presence.address.endpoint === at.endpoint)
    await until("Alice's presence", async () => isHeard())
    assert.deepEqual(await fetchBy(bobs, "member"), { isDone: true, bytes: size })
  })

  test("F2: a stranger with the right hash and address gets nothing", async () => {
    const stranger = await moverOf("stranger")
    assert.deepEqual(await fetchBy(stranger, "stranger"), nothing)
    await stranger.close()
  })

  test("F2: a device that was revoked gets nothing any more", async () => {
    const [device] = bobby.devices
    assert.ok(device)
    await bobby.append({ op: "revoke_device", keys: [device.device] })
    await until("the revocation", async () =>
      (await alice.engine.devices(conversation)).every((one) => one.isSelf || one.standing !== "current"),
    )
    await files.run(async () => undefined)
    assert.deepEqual(await fetchBy(bobs, "revoked"), nothing)
  })
})

/**
 * A file in a group of three, over real servers and the real kez-iroh: two members get it, from two who have it; who is removed from the group and a stranger
 * get nothing with the right hash and address. F2 of adversarial.md.
 */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { setTimeout } from "node:timers/promises"
import { type FileMover, Files, type MoverAddress, type MoverEvent, type TransferView } from "@kez/chat"
import { createNodeDisk, startIroh } from "@kez/chat/iroh"
import { skipWithoutNats } from "../support/broker.ts"
import { clock, openTestEngine, type TestEngine, until } from "../support/chat-engines.ts"
import { type ChatWorld, startChatWorld, type WorldPerson } from "../support/chat-world.ts"
import { buildIroh } from "../support/files-people.ts"
import { skipWithoutIroh } from "../support/iroh.ts"

/** As long as that somebody who is not on the list tries. */
const triedMs = 4_000
const size = 3_000_000

interface Side {
  readonly home: TestEngine
  readonly chain: string
  readonly mover: FileMover
  readonly files: Files
  readonly views: Map<string, TransferView>
  /** Endpoints that bytes were asked of. */
  readonly connected: Set<string>
  readonly folder: string
}

describe("files in a group", { skip: skipWithoutNats || skipWithoutIroh() }, () => {
  const cleaners: (() => Promise<void> | void)[] = []
  const t = { after: (clean: () => Promise<void> | void) => void cleaners.push(clean) }
  let folder: string
  let program: string
  let world: ChatWorld
  let alice: Side
  let bob: Side
  let carol: Side
  let group: string
  let hash: string
  let at: MoverAddress

  const moverOf = (name: string): Promise<FileMover> =>
    startIroh({ program, data: join(folder, name), bind: ["127.0.0.1:0"] })

  const sideOf = async (name: string): Promise<Side> => {
    const person: WorldPerson = await world.person(name)
    const [device] = person.devices
    assert.ok(device)
    const home = await openTestEngine(t, world, { person, device })
    const mover = await moverOf(name)
    const views = new Map<string, TransferView>()
    const connected = new Set<string>()
    mover.on((event) => void (event.event === "source" && event.state === "connected" && connected.add(event.peer)))
    const newId = (): string => randomBytes(32).toString("hex")
    const disk = createNodeDisk(join(folder, `${name}-disk`))
    mkdirSync(disk.lists, { recursive: true })
    const files = new Files(
      { engine: home.engine, mover, disk, clock, newId, passesOn: true },
      (view) => void views.set(view.id, view),
      () => undefined,
    )
    files.start()
    t.after(() => files.close())
    return { home, chain: person.chain.chain, mover, files, views, connected, folder: join(folder, `${name}-in`) }
  }

  const offerAt = async ({ home }: Side) =>
    (await home.engine.messages(group)).find(({ fileOffer }) => fileOffer !== undefined)

  const fetchAll = async (side: Side): Promise<void> => {
    await until("the offer", async () => (await offerAt(side)) !== undefined)
    const message = await offerAt(side)
    assert.ok(message)
    await side.files.run(() => side.files.receiving.accept(message, side.folder))
    await until("the file", async () => [...side.views.values()].some(({ state }) => state === "done"))
  }

  /** What a fetch from Alice brings to somebody who knows hash and address. */
  const fetchBy = async (mover: FileMover, job: string): Promise<number> => {
    const into = join(folder, `into-${job}`)
    mkdirSync(into)
    let bytes = 0
    let isOver = false
    mover.on((event: MoverEvent) => {
      if (!("job" in event) || event.job !== job) return
      if (event.event === "progress" || event.event === "end") bytes = event.bytes
      if (event.event === "end") isOver = true
    })
    await mover.fetch({ job, into, files: [{ hash, size, path: "x" }], providers: [at] })
    for (let waited = 0; !isOver && waited < triedMs; waited += 50) await setTimeout(50)
    if (!isOver) await mover.cancel(job)
    assert.equal(existsSync(join(into, "x")), bytes === size)
    return bytes
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "kez-group-"))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    program = buildIroh().KEZ_IROH
    world = await startChatWorld(t)
    alice = await sideOf("alice")
    bob = await sideOf("bobby")
    carol = await sideOf("carol")
    await alice.home.engine.contacts.add("bobby@localhost")
    await alice.home.engine.contacts.add("carol@localhost")
    for (const { home } of [bob, carol]) await home.engine.contacts.add("alice@localhost")
    const homes = [alice, bob, carol].map(({ home }) => home)
    await until("key packages", async () => {
      for (const { engine } of homes) if (!(await engine.settled(500))) return false
      return true
    })
    group = (await alice.home.engine.groups.create("garden", [bob.chain, carol.chain])).id
    await until("the group", async () => {
      for (const { engine } of homes) if ((await engine.conversation(group))?.state !== "open") return false
      return true
    })
    const path = join(folder, "plan.bin")
    writeFileSync(path, randomBytes(size))
    await alice.files.run(() => alice.files.sharing.offer(group, [path], "plan.bin"))
    at = alice.mover.address()
  })
  after(async () => {
    for (const clean of cleaners.toReversed()) await clean()
  })

  test("two members get it, the second of both who have it by then", async () => {
    await fetchAll(bob)
    hash = (await offerAt(bob))?.fileOffer?.hash ?? ""
    const isSaid = (): boolean =>
      carol.home.events.some((event) => event.kind === "file_state" && event.state === "serving")
    await until("Bob says that he gives it", async () => isSaid())
    await fetchAll(carol)
    const whole = readFileSync(join(folder, "plan.bin"))
    for (const side of [bob, carol]) assert.ok(readFileSync(join(side.folder, "plan.bin")).equals(whole))
    assert.ok(carol.connected.has(bob.mover.address().endpoint), "Bob was asked too")
  })

  test("a member whose device said where it is gets what is offered", async () => {
    const path = join(folder, "second.bin")
    writeFileSync(path, randomBytes(size))
    const { view } = await alice.files.run(() => alice.files.sharing.offer(group, [path], "second.bin"))
    assert.equal(view.state, "waiting")
    await until("the second offer", async () =>
      (await carol.home.engine.messages(group)).some(({ fileOffer }) => fileOffer?.name === "second.bin"),
    )
    const offers = await carol.home.engine.messages(group)
    hash = offers.find(({ fileOffer }) => fileOffer?.name === "second.bin")?.fileOffer?.hash ?? ""
    assert.equal(await fetchBy(carol.mover, "member"), size)
  })

  test("a stranger with the right hash and address gets nothing", async () => {
    const stranger = await moverOf("stranger")
    assert.equal(await fetchBy(stranger, "stranger"), 0)
    await stranger.close()
  })

  test("who was removed from the group gets nothing, with the right hash and the endpoint that was allowed", async () => {
    await alice.home.engine.groups.remove(group, carol.chain)
    await until("the removal", async () => (await carol.home.engine.conversation(group))?.state === "removed")
    await alice.files.run(async () => undefined)
    assert.equal(await fetchBy(carol.mover, "removed"), 0)
    assert.deepEqual(
      (await alice.home.engine.devices(group)).filter(({ chain }) => chain === carol.chain),
      [],
    )
    assert.equal((await bob.home.engine.conversation(group))?.members.length, 2)
    for (const { home } of [alice, bob, carol]) assert.deepEqual(await home.engine.alarms.list(), [])
  })
})

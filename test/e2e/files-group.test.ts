/**
 * Files in a group, over real servers and the real kez-iroh: two members get one, from two who have it; who sends wrong bytes is named and dropped; who is removed
 * from the group and a stranger get nothing with the right hash and address. F1 and F2 of adversarial.md.
 */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { after, before, describe, test } from "node:test"
import { type FileMover, Files, type TransferNote, type TransferView } from "@kez/chat"
import { createNodeDisk, startIroh } from "@kez/chat/iroh"
import { skipWithoutNats } from "../support/broker.ts"
import { clock, openTestEngine, type TestEngine, until } from "../support/chat-engines.ts"
import { type ChatWorld, startChatWorld, type WorldPerson } from "../support/chat-world.ts"
import { tryFetch } from "../support/files-engines.ts"
import { buildIroh } from "../support/files-people.ts"
import { skipWithoutIroh, testProgram } from "../support/iroh.ts"
import { laterCleaner } from "../support/person.ts"

const size = 3_000_000

interface Side {
  readonly home: TestEngine
  readonly chain: string
  readonly mover: FileMover
  readonly files: Files
  readonly views: Map<string, TransferView>
  readonly notes: TransferNote[]
  /** Endpoints that bytes were asked of. */
  readonly connected: Set<string>
  readonly folder: string
}

describe("files in a group", { skip: skipWithoutNats || skipWithoutIroh() }, () => {
  const t = laterCleaner(after)
  let folder: string
  let program: string
  let world: ChatWorld
  let alice: Side
  let bob: Side
  let carol: Side
  /** Moves no files: what he says is the test's to choose. */
  let dave: TestEngine
  let daves: string
  let group: string
  let hash: string

  const moverOf = (name: string): Promise<FileMover> =>
    startIroh({ program, data: join(folder, name), bind: ["127.0.0.1:0"] })

  const homeOf = async (name: string): Promise<{ readonly home: TestEngine; readonly person: WorldPerson }> => {
    const person = await world.person(name)
    const [device] = person.devices
    assert.ok(device)
    return { home: await openTestEngine(t, world, { person, device }), person }
  }

  const sideOf = async (name: string): Promise<Side> => {
    const { home, person } = await homeOf(name)
    const mover = await moverOf(name)
    const views = new Map<string, TransferView>()
    const notes: TransferNote[] = []
    const connected = new Set<string>()
    mover.on((event) => void (event.event === "source" && event.state === "connected" && connected.add(event.peer)))
    const newId = (): string => randomBytes(32).toString("hex")
    const disk = createNodeDisk(join(folder, `${name}-disk`))
    mkdirSync(disk.lists, { recursive: true })
    const files = new Files(
      { engine: home.engine, mover, disk, clock, newId, passesOn: true },
      (view, note) => {
        views.set(view.id, view)
        if (note !== undefined) notes.push(note)
      },
      () => undefined,
    )
    files.start()
    t.after(() => files.close())
    return {
      home,
      chain: person.chain.chain,
      mover,
      files,
      views,
      notes,
      connected,
      folder: join(folder, `${name}-in`),
    }
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
    const { bytes } = await tryFetch({ folder, mover: alice.mover }, mover, { job, hash, size })
    return bytes
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "kez-group-"))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    program = (await buildIroh()).KEZ_IROH
    world = await startChatWorld(t)
    alice = await sideOf("alice")
    bob = await sideOf("bobby")
    carol = await sideOf("carol")
    await alice.home.engine.contacts.add("bobby@localhost")
    await alice.home.engine.contacts.add("carol@localhost")
    const fourth = await homeOf("dave")
    dave = fourth.home
    daves = fourth.person.chain.chain
    await alice.home.engine.contacts.add("dave@localhost")
    const homes = [alice.home, bob.home, carol.home, dave]
    for (const { engine } of homes.slice(1)) await engine.contacts.add("alice@localhost")
    await until("key packages", async () => {
      for (const { engine } of homes) if (!(await engine.settled(500))) return false
      return true
    })
    group = (await alice.home.engine.groups.create("garden", [bob.chain, carol.chain, daves])).id
    await until("the group", async () => {
      for (const { engine } of homes) if ((await engine.conversation(group))?.state !== "open") return false
      return true
    })
    const path = join(folder, "plan.bin")
    writeFileSync(path, randomBytes(size))
    await alice.files.offer(group, [path], "plan.bin")
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
    const { view } = await alice.files.offer(group, [path], "second.bin")
    assert.equal(view.state, "waiting")
    await until("the second offer", async () =>
      (await carol.home.engine.messages(group)).some(({ fileOffer }) => fileOffer?.name === "second.bin"),
    )
    const offers = await carol.home.engine.messages(group)
    hash = offers.find(({ fileOffer }) => fileOffer?.name === "second.bin")?.fileOffer?.hash ?? ""
    assert.equal(await fetchBy(carol.mover, "member"), size)
  })

  test("F1 a member who sends wrong bytes is named and dropped, and the file comes from another", async (context) => {
    const liar = testProgram(context, program, "kez-test-liar")
    if (liar === undefined) return
    const child = spawn(liar, [String(size)], { stdio: ["pipe", "pipe", "inherit"] })
    t.after(() => void child.kill())
    const [line] = await once(createInterface({ input: child.stdout }), "line")
    const [endpoint = "", address = ""] = String(line).split(" ")
    const path = join(folder, "third.bin")
    writeFileSync(path, randomBytes(size))
    await alice.files.offer(group, [path], "third.bin")
    const named = async (name: string) =>
      (await carol.home.engine.messages(group)).find(({ fileOffer }) => fileOffer?.name === name)
    await until("Alice's offer", async () => (await named("third.bin")) !== undefined)
    const real = (await named("third.bin"))?.fileOffer
    assert.ok(real)
    // Dave offers the same file, says that it is at the liar's place, and Alice says later that she has it too.
    const transfer = randomBytes(32).toString("hex")
    await dave.engine.send(group, { ...real, type: "file_offer", name: "fourth.bin", transfer })
    await until("Dave's offer", async () => (await named("fourth.bin")) !== undefined)
    const message = await named("fourth.bin")
    assert.ok(message)
    const { id } = await carol.files.run(() => carol.files.receiving.accept(message, carol.folder))
    assert.equal(await dave.engine.tellPresence(group, { endpoint, addresses: [address] }), true)
    const isOfDave = (note: TransferNote): boolean => "by" in note && note.by?.chain === daves
    await until("Dave is dropped", async () => carol.notes.some((note) => note.kind === "dropped" && isOfDave(note)))
    assert.ok(carol.notes.some((note) => note.kind === "checksum" && isOfDave(note)))
    assert.notEqual(carol.views.get(id)?.state, "done")
    await alice.home.engine.tellFileState(group, transfer, "serving")
    await until("the file", async () => carol.views.get(id)?.state === "done")
    assert.ok(readFileSync(join(carol.folder, "fourth.bin")).equals(readFileSync(path)))
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
    assert.equal((await bob.home.engine.conversation(group))?.members.length, 3)
    for (const { home } of [alice, bob, carol]) assert.deepEqual(await home.engine.alarms.list(), [])
  })
})

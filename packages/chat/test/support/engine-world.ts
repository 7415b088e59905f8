/** Engines of several people on one model server. Time stands; what waits a moment runs at once, what waits long when the test says so. */
import { type ChainReplay, type Digest, replayChain } from "@kez/core"
import type { AlarmKind, AlarmState } from "../../src/engine/alarm.ts"
import type { Engine, ShownMessage } from "../../src/engine/engine.ts"
import type { EngineEvent } from "../../src/engine/event.ts"
import { openEngine } from "../../src/engine/open-engine.ts"
import type { Account, ChainPort, ClockPort } from "../../src/engine/ports.ts"
import { createMemoryStore } from "../../src/store/memory.ts"
import type { Change, EngineStore } from "../../src/store/store.ts"
import { host, ModelDirectory } from "./model-directory.ts"
import { ModelServer, type ModelTransport } from "./model-server.ts"
import { createPerson, type Device, now, type Person } from "./world.ts"

/** Waits up to this run at once. */
const shortMs = 100

export class TestClock implements ClockPort {
  at = now
  readonly #waiting = new Set<{ readonly dueMs: number; readonly run: () => void }>()
  #nowMs = now * 1_000

  now(): number {
    return this.at
  }

  after(ms: number, run: () => void): () => void {
    if (ms <= shortMs) {
      const handle = setImmediate(run)
      return () => clearImmediate(handle)
    }
    const entry = { dueMs: this.#nowMs + ms, run }
    this.#waiting.add(entry)
    return () => void this.#waiting.delete(entry)
  }

  advance(seconds: number): void {
    this.#nowMs += seconds * 1_000
    this.at += seconds
    for (const entry of [...this.#waiting]) {
      if (entry.dueMs > this.#nowMs) continue
      this.#waiting.delete(entry)
      entry.run()
    }
  }
}

/** A store whose next write can fail, before or after it is durable; then the machine is off. */
export interface TestStore extends EngineStore {
  failAt: { readonly write: number; readonly when: "before" | "after" } | undefined
  /** Runs before each write: it may wait, or throw as a full disk does. */
  before: () => Promise<void>
  writes: number
}

export function testStore(rows: Map<string, Uint8Array>): TestStore {
  const inner = createMemoryStore(rows)
  let isOff = false
  const store: TestStore = {
    ...inner,
    failAt: undefined,
    before: async () => undefined,
    writes: 0,
    async write(changes: readonly Change[]) {
      await store.before()
      if (isOff) throw new Error("power cut")
      const isNow = store.failAt?.write === store.writes++
      if (isNow) isOff = true
      if (isNow && store.failAt?.when === "before") throw new Error("power cut")
      await inner.write(changes)
      if (isNow) throw new Error("power cut")
    },
  }
  return store
}

export class Home {
  readonly world: EngineWorld
  readonly person: Person
  readonly device: Device
  readonly rows = new Map<string, Uint8Array>()
  readonly events: EngineEvent[] = []
  readonly known = new Map<Digest, ChainReplay>()
  readonly clock: TestClock
  transport: ModelTransport
  store: TestStore
  engine!: Engine
  followed: ReadonlySet<Digest> = new Set()
  onChange: (chain: Digest) => void = () => undefined
  readonly handle: string | undefined
  /** What else the app gives: the public archive key of the words, the words, what it signed about its handle. */
  archive: Pick<Account, "archiveKey" | "archiveSecret" | "handleStatements"> = {}

  constructor(world: EngineWorld, person: Person, device: Device, handle: string | undefined) {
    this.world = world
    this.person = person
    this.device = device
    this.handle = handle
    this.clock = world.clock
    this.transport = world.server.transport()
    this.store = testStore(this.rows)
    this.known.set(person.chain, person.replay)
  }

  readonly chains: ChainPort = {
    known: (chain) => this.known.get(chain),
    fetch: async (chain) => {
      const replay = this.world.chainFor(this, chain)
      if (replay !== undefined) this.known.set(chain, replay)
      return this.known.get(chain)
    },
    follow: (chains, onChange) => {
      this.followed = new Set(chains)
      this.onChange = onChange
    },
  }

  async open(): Promise<this> {
    this.world.server.register(this.person.chain, this.device.name)
    this.engine = await openEngine({
      account: {
        ...{ chain: this.person.chain, keys: this.device.keys, host },
        ...(this.handle === undefined ? {} : { handle: this.handle }),
        ...this.archive,
      },
      ...{ transport: this.transport, store: this.store, chains: this.chains, http: this.world.directory },
      ...{ clock: this.clock, random: () => 0.5, keyPackages: 4 },
    })
    void this.#listen(this.engine)
    return this
  }

  /** The process is killed, and started again with what the disk has. */
  async restart(): Promise<this> {
    await this.transport.close()
    this.store.failAt = { write: this.store.writes, when: "before" }
    await this.engine.close().catch(() => undefined)
    this.transport = this.world.server.transport()
    this.store = testStore(this.rows)
    return this.open()
  }

  async #listen(engine: Engine): Promise<void> {
    for await (const event of engine.events()) this.events.push(event)
  }

  /** Texts of the one conversation with somebody, oldest first. */
  async texts(other: Home): Promise<readonly string[]> {
    return (await this.messages(other)).map(({ text = "", type }) => (type === "deleted" ? "(deleted)" : text))
  }

  async messages(other: Home): Promise<readonly ShownMessage[]> {
    const found = (await this.engine.conversations()).find(({ contact }) => contact?.chain === other.person.chain)
    return found === undefined ? [] : this.engine.messages(found.id, { limit: 500 })
  }

  async say(other: Home, ...texts: readonly string[]): Promise<readonly ShownMessage[]> {
    const { id } = await this.engine.openDirect(other.person.chain)
    const sent: ShownMessage[] = []
    for (const text of texts) sent.push(await this.engine.send(id, { type: "text", text }))
    return sent
  }

  async alarms(): Promise<readonly AlarmKind[]> {
    return (await this.engine.alarms.list()).map(({ alarm }) => alarm.kind)
  }

  async alarm(kind: AlarmKind): Promise<AlarmState> {
    const found = (await this.engine.alarms.list()).find(({ alarm }) => alarm.kind === kind)
    if (found === undefined) throw new Error(`no alarm ${kind}; there are: ${await this.alarms()}`)
    return found
  }

  async state(message: ShownMessage): Promise<string | undefined> {
    const all = await this.engine.messages(message.conversation, { limit: 500 })
    return all.find(({ id }) => id === message.id)?.delivered?.state
  }
}

export class EngineWorld {
  readonly server: ModelServer
  readonly directory = new ModelDirectory()
  readonly clock = new TestClock()
  readonly homes: Home[] = []
  readonly people = new Map<Digest, Person>()
  /** What the stores show somebody in place of a chain. */
  shows: ((who: Home, chain: Digest) => ChainReplay | undefined) | undefined

  constructor(server: ModelServer = new ModelServer()) {
    this.server = server
  }

  /** Everything as it is now, once more: engines opened from copies of the disks. Nobody appends to a chain in it. */
  async copy(): Promise<EngineWorld> {
    const copy = new EngineWorld(this.server.copy())
    for (const [chain, person] of this.people) copy.people.set(chain, person)
    for (const { person, device, handle, rows, known } of this.homes) {
      const home = new Home(copy, person, device, handle)
      for (const [key, value] of rows) home.rows.set(key, value)
      for (const [chain, replay] of known) home.known.set(chain, replay)
      copy.homes.push(await home.open())
    }
    await copy.rest()
    return copy
  }

  chainFor(who: Home, chain: Digest): ChainReplay | undefined {
    return this.shows?.(who, chain) ?? this.people.get(chain)?.replay
  }

  async person(handle: string): Promise<Person> {
    const person = await createPerson()
    await person.append({ op: "add", subject: `kez:${handle}@${host}` })
    await this.directory.register(person, handle)
    this.people.set(person.chain, person)
    return person
  }

  async home(handle: string): Promise<Home> {
    const person = await this.person(handle)
    return this.homeOf(person, await person.addDevice(), handle)
  }

  async homeOf(person: Person, device: Device, handle?: string, archive: Home["archive"] = {}): Promise<Home> {
    const home = new Home(this, person, device, handle)
    home.archive = archive
    this.homes.push(home)
    return home.open()
  }

  /** Everybody who follows the chain hears of what was appended. */
  publish(person: Person): void {
    for (const home of this.homes) {
      if (!home.followed.has(person.chain)) continue
      const replay = this.chainFor(home, person.chain)
      if (replay === undefined || replay.head.digest === home.known.get(person.chain)?.head.digest) continue
      home.known.set(person.chain, replay)
      home.onChange(person.chain)
    }
  }

  /** Until nothing moves any more. */
  async rest(): Promise<void> {
    let before = -1
    let movedAt = performance.now()
    // Cryptography of the platform may take a moment beside the event loop.
    for (let still = 0; still < 12 || performance.now() - movedAt < 8; ) {
      await new Promise((resolve) => setImmediate(resolve))
      const moved = this.homes.reduce((sum, { store }) => sum + store.writes, this.server.requests)
      const isFlying = this.homes.some(({ transport }) => transport.inFlight > 0)
      const isStill = moved === before && !isFlying
      still = isStill ? still + 1 : 0
      if (!isStill) movedAt = performance.now()
      before = moved
    }
  }

  async close(): Promise<void> {
    for (const home of this.homes) await home.engine.close().catch(() => undefined)
  }
}

export function copyOf(replay: ChainReplay): ChainReplay {
  return replayChain(replay.path, { chain: replay.chain })
}

/** Alice and Bob, who have each other as contacts. */
export async function couple(): Promise<{ world: EngineWorld; alice: Home; bob: Home }> {
  const world = new EngineWorld()
  const [alice, bob] = [await world.home("alice"), await world.home("bobby")]
  await world.rest()
  await alice.engine.contacts.add("bobby@localhost")
  await bob.engine.contacts.add("alice@localhost")
  await world.rest()
  return { world, alice, bob }
}

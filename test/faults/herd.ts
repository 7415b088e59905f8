/**
 * D-6, D-7, A11: many clients that write to each other, and a few real engines among them, while the callout is away, the chat server is restarted
 * and nats-server is killed. Nobody may be logged out, all must be back soon, and nothing lost or shown twice.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { cutDevice } from "@kez/broker"
import { openTestEngine, type TestEngine, until } from "../support/chat-engines.ts"
import { type ChatWorld, startChatWorld, type WorldPerson } from "../support/chat-world.ts"
import { type Crowd, type CrowdCount, makeCrowd } from "../support/crowd.ts"
import { type Cleaner, laterCleaner } from "../support/person.ts"

export const backWithinMs = 30_000
/** Without a callout: longer than a client waits for an answer before it knocks again. */
const calloutAwayMs = 7_000
const engineEveryMs = 400

export interface HerdOptions {
  readonly clients: number
  readonly processes?: number
  /** Messages of the crowd in a second. */
  readonly perSecond?: number
  readonly onStep?: (step: HerdStep) => void
}

export interface HerdStep {
  readonly name: string
  /** From the moment when the servers are there again until each client was answered. */
  readonly backMs: number
}

export interface HerdReport {
  readonly clients: number
  readonly connectMs: number
  readonly steps: readonly HerdStep[]
  readonly count: CrowdCount
  readonly engines: EngineCount
}

export interface EngineCount {
  readonly said: number
  readonly lost: number
  readonly twice: number
  readonly disordered: number
  readonly alarms: number
  /** Engines that are not connected at the end. */
  readonly away: number
}

export async function herd({ clients, processes = 4, perSecond = 20, onStep }: HerdOptions): Promise<HerdReport> {
  const cleaners: (() => Promise<void>)[] = []
  const t = laterCleaner((clean) => void cleaners.push(clean))
  try {
    const world = await startChatWorld(t)
    const talkers = await startTalkers(t, world)
    const crowd = await makeCrowd(t, world, { people: clients, processes })
    const connectMs = await crowd.tell({ do: "connect" })
    await crowd.tell({ do: "pair" })
    await crowd.tell({ do: "write", everyMs: (1_000 * processes) / perSecond })
    const steps: HerdStep[] = []
    for (const { name, run } of faults(world, crowd)) {
      await sleep(1_000)
      await run()
      const step = { name, backMs: await back(crowd, talkers) }
      steps.push(step)
      onStep?.(step)
    }
    await sleep(1_000)
    const engines = await talkers.settle()
    return { clients: crowd.size, connectMs, steps, count: await crowd.settle(), engines }
  } finally {
    for (const clean of cleaners) await clean()
  }
}

interface Fault {
  readonly name: string
  /** Resolves when the servers are there again. */
  readonly run: () => Promise<void>
}

function faults(world: ChatWorld, crowd: Crowd): readonly Fault[] {
  return [
    {
      name: "callout away for 7 s, a tenth of the clients cut meanwhile",
      async run() {
        await world.server.end("SIGKILL")
        const sys = await world.broker.service("sys")
        for (const device of crowd.devices.filter((_, i) => i % 10 === 0)) await cutDevice(sys, device)
        await sleep(calloutAwayMs)
        await world.restartServer()
      },
    },
    { name: "chat server stopped and started", run: () => world.restartServer("SIGTERM") },
    { name: "nats-server killed and started", run: () => world.restartBroker("SIGKILL") },
  ]
}

async function back(crowd: Crowd, talkers: Talkers): Promise<number> {
  const began = performance.now()
  await Promise.all([
    crowd.tell({ do: "probe" }),
    until("the engines are back", async () => talkers.isOnline(), (2 * backWithinMs) / 1_000),
  ])
  return performance.now() - began
}

interface Talkers {
  isOnline(): boolean
  settle(): Promise<EngineCount>
}

interface Talker {
  readonly home: TestEngine
  readonly person: WorldPerson
  readonly other: WorldPerson
  readonly said: string[]
}

/** Two pairs of real engines that write to each other all the time. */
async function startTalkers(t: Cleaner, world: ChatWorld): Promise<Talkers> {
  const talkers: Talker[] = []
  for (const handles of [
    ["alice", "bobby"],
    ["carol", "davey"],
  ] as const) {
    const [one, two] = [await world.person(handles[0]), await world.person(handles[1])]
    for (const [person, other] of [
      [one, two],
      [two, one],
    ] as const) {
      const [device] = person.devices
      if (device === undefined) throw new Error("a person without a device")
      const home = await openTestEngine(t, world, { person, device })
      await until("it is connected", async () => home.engine.connection().kind === "online")
      await home.engine.contacts.add(`${other.handle}@localhost`)
      talkers.push({ home, person, other, said: [] })
    }
    const [a] = talkers.slice(-2)
    await a?.home.say(two.chain.chain, "first")
    a?.said.push("first")
    await until("they talk", async () => (await talkers.at(-1)?.home.texts(one.chain.chain))?.length === 1)
  }
  let isWriting = true
  const lines = talkers.map(async ({ home, other, said, person }) => {
    for (let n = 0; isWriting; n++) {
      const text = `${person.handle} ${n}`
      said.push(text)
      await home.say(other.chain.chain, text)
      await sleep(engineEveryMs)
    }
  })
  t.after(() => {
    isWriting = false
  })
  return {
    isOnline: () => talkers.every(({ home }) => home.engine.connection().kind === "online"),
    async settle() {
      isWriting = false
      await Promise.all(lines)
      await Promise.all(talkers.map(({ home }) => home.engine.settled(backWithinMs)))
      return countTalk(talkers)
    },
  }
}

async function countTalk(talkers: readonly Talker[]): Promise<EngineCount> {
  const sum = { said: 0, lost: 0, twice: 0, disordered: 0, alarms: 0, away: 0 }
  for (const { home, said, person, other } of talkers) {
    const reader = talkers.find((one) => one.person === other)
    if (reader === undefined) continue
    const here = async (): Promise<readonly string[]> => {
      const all = await reader.home.texts(person.chain.chain)
      return all.filter((text) => said.includes(text))
    }
    await until("all of it is there", async () => (await here()).length >= said.length, 20).catch(() => undefined)
    const shown = await here()
    sum.said += said.length
    sum.lost += said.filter((text) => !shown.includes(text)).length
    sum.twice += shown.length - new Set(shown).size
    sum.disordered += [...new Set(shown)].every((text, i) => text === said[i]) ? 0 : 1
    sum.alarms += (await home.engine.alarms.list()).length
    sum.away += home.engine.connection().kind === "online" ? 0 : 1
  }
  return sum
}

/** What is not as it should be; empty: nothing. */
export function complaintsOf({ clients, steps, count, engines }: HerdReport): readonly string[] {
  const late = steps.filter(({ backMs }) => backMs >= backWithinMs).map(({ name }) => `not back within 30 s: ${name}`)
  const bad = Object.entries({ ...count, online: clients - count.online, acknowledged: 0, shown: 0 })
  const badOfEngines = Object.entries({ ...engines, said: 0 })
  const silent = count.acknowledged === 0 || engines.said === 0 ? ["nobody wrote anything"] : []
  return [
    ...silent,
    ...late,
    ...bad.flatMap(([name, number]) =>
      number === 0 ? [] : [`clients: ${name === "online" ? "away" : name} ${number}`],
    ),
    ...badOfEngines.flatMap(([name, number]) => (number === 0 ? [] : [`engines: ${name} ${number}`])),
  ]
}

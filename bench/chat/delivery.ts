/**
 * From the call of `send` in one engine to the message's event in another, everything in between as it is in the product, against a publish and a pull
 * on the same broker. Both by turns, one message at a time; then as many as it takes at once.
 */
import { archiveOf } from "../../test/support/chat-engines.ts"
import type { ChatWorld, WorldPerson } from "../../test/support/chat-world.ts"
import { median, perSecond, type Row } from "../measure.ts"
import type { BareOrder } from "./bare-process.ts"
import type { EngineOrder } from "./engine-process.ts"
import { startWorker, type Told, type Worker } from "./processes.ts"

const text = "m".repeat(200)
/** What a text of that length is in a mailbox. */
const deliveredBytes = 1_000
const target = 5

export interface DeliverySize {
  readonly rounds: number
  /** Messages of one round: by turns, and at once. */
  readonly single: number
  readonly many: number
}

/** Two sides, product or bare, that count what they did. */
interface Line {
  /** Milliseconds until it was there. */
  single(): Promise<number>
  many(count: number): Promise<number>
}

export async function deliveryRows(world: ChatWorld, size: DeliverySize): Promise<readonly Row[]> {
  const workers: { end(): void }[] = []
  try {
    const product = await openEngines(world, workers)
    const bare = await openBare(world, workers)
    for (const line of [bare, product]) for (let i = 0; i < 10; i++) await line.single() // compiles
    const rounds: { readonly bare: readonly number[]; readonly product: readonly number[] }[] = []
    for (let i = 0; i < size.rounds; i++) {
      rounds.push({ bare: await times(size.single, bare), product: await times(size.single, product) })
    }
    const bulk: { readonly bareMs: number; readonly productMs: number }[] = []
    for (let i = 0; i < Math.ceil(size.rounds / 2); i++) {
      bulk.push({ bareMs: await bare.many(size.many), productMs: await product.many(size.many) })
    }
    return [...latencyRows(rounds), bulkRow(bulk, size.many)]
  } finally {
    for (const worker of workers) worker.end()
  }
}

async function times(count: number, line: Line): Promise<readonly number[]> {
  const found: number[] = []
  for (let i = 0; i < count; i++) found.push(await line.single())
  return found
}

function latencyRows(
  rounds: readonly { readonly bare: readonly number[]; readonly product: readonly number[] }[],
): readonly Row[] {
  const [bare, product] = [rounds.flatMap((round) => round.bare), rounds.flatMap((round) => round.product)]
  const ratio = median(rounds.map((round) => median(round.product) / median(round.bare)))
  const [bareP99, productP99] = [quantile(bare, 0.99), quantile(product, 0.99)]
  const what = `one DM from engine to engine, ${product.length} times: two processes with SQLite, MLS, the chat server and its broker with sync_interval: always`
  return [
    {
      what: `${what}; p50 against a publish and a pull on that broker`,
      ...{ product: `${median(product).toFixed(1)} ms`, limit: `${median(bare).toFixed(1)} ms`, ratio },
      ...{ target: `<= ${target}`, holds: ratio <= target },
    },
    {
      what: "the same; p99",
      ...{ product: `${productP99.toFixed(1)} ms`, limit: `${bareP99.toFixed(1)} ms`, ratio: productP99 / bareP99 },
      ...{ target: "for information", holds: true },
    },
  ]
}

function bulkRow(bulk: readonly { readonly bareMs: number; readonly productMs: number }[], count: number): Row {
  return {
    what: `${count} DMs of one person to another, written as fast as the engine takes them, until the last is shown; limit: as many publishes, each acknowledged before the next`,
    product: perSecond(count, median(bulk.map(({ productMs }) => productMs))),
    limit: perSecond(count, median(bulk.map(({ bareMs }) => bareMs))),
    ratio: median(bulk.map(({ bareMs, productMs }) => bareMs / productMs)),
    ...{ target: "for information", holds: true },
  }
}

function quantile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? Number.NaN
}

async function openEngines(world: ChatWorld, workers: { end(): void }[]): Promise<Line> {
  const [alice, bob] = [await world.person("alice"), await world.person("bobby")]
  const open = async (person: WorldPerson): Promise<Worker<EngineOrder>> => {
    const [device] = person.devices
    if (device === undefined) throw new Error("a person without a device")
    const worker = startWorker<EngineOrder>("engine-process.ts")
    workers.push(worker)
    const { handle } = person
    const urls = { store: world.store.url, server: world.server.url, broker: world.broker.url }
    const { archiveKey } = await archiveOf(person)
    await worker.ask({ do: "open", chain: person.chain.chain, handle, keys: device.keys, archiveKey, ...urls })
    return worker
  }
  const [from, to] = [await open(alice), await open(bob)]
  await from.ask({ do: "contact", address: "bobby@localhost", chain: bob.chain.chain })
  await to.ask({ do: "contact", address: "alice@localhost", chain: alice.chain.chain })
  return line({
    send: (count) => from.ask({ do: "send", text, count }),
    shown: (total, last) => to.ask({ do: "until-shown", total, last }),
    // The next one begins when the receipt of this one is there.
    rest: (total) => from.ask({ do: "until-delivered", total, last: 1 }),
  })
}

async function openBare(world: ChatWorld, workers: { end(): void }[]): Promise<Line> {
  const keyFolder = `${world.broker.settings.folder}/keys`
  const [from, to] = [startWorker<BareOrder>("bare-process.ts"), startWorker<BareOrder>("bare-process.ts")]
  workers.push(from, to)
  for (const [worker, isReader] of [
    [from, false],
    [to, true],
  ] as const) {
    await worker.ask({ do: "open", url: world.broker.url, keyFolder, isReader })
  }
  return line({
    send: (count) => from.ask({ do: "send", bytes: deliveredBytes, count }),
    shown: (total, last) => to.ask({ do: "until-shown", total, last }),
    rest: async () => undefined,
  })
}

interface Sides {
  readonly send: (count: number) => Promise<Told>
  readonly shown: (total: number, last: number) => Promise<Told>
  readonly rest: (total: number) => Promise<unknown>
}

function line({ send, shown, rest }: Sides): Line {
  let total = 0
  const many = async (count: number): Promise<number> => {
    total += count
    const arrival = shown(total, count)
    const { atNs = 0n } = await send(count)
    const { timesNs = [] } = await arrival
    await rest(total)
    return Number((timesNs.at(-1) ?? 0n) - atNs) / 1e6
  }
  return { single: () => many(1), many }
}

/** Many clients at once: what those who only stay connected cost the servers, and how fast those who were away have what they missed. */
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { createBrokerStore } from "@kez/broker"
import { encodeDelivery } from "@kez/chat"
import { jetstream } from "@nats-io/jetstream"
import type { ChatWorld } from "../../test/support/chat-world.ts"
import { type Crowd, makeCrowd } from "../../test/support/crowd.ts"
import type { Cleaner } from "../../test/support/person.ts"
import { perSecond, type Row } from "../measure.ts"

interface Memory {
  readonly broker: number
  readonly chat: number
  readonly store: number
}

export async function idleRow(t: Cleaner, world: ChatWorld, clients: number): Promise<Row> {
  const before = memoryOf(world)
  const crowd = await makeCrowd(t, world, { people: clients / 2, devices: 2 })
  await crowd.tell({ do: "connect" })
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  const after = memoryOf(world)
  crowd.end()
  const sum = ({ broker, chat, store }: Memory): number => broker + chat + store
  const eachKb = ((sum(after) - sum(before)) * 1_024) / crowd.size
  const brokerKb = ((after.broker - before.broker) * 1_024) / crowd.size
  return {
    what: `memory of the servers with ${crowd.size} idle clients (two devices a person, each with an open session): nats-server + chat server + sigchain store; limit: without any`,
    product: shown(after),
    limit: `${shown(before)}: ${eachKb.toFixed(0)} KB a client, ${brokerKb.toFixed(0)} of them nats-server`,
    ratio: eachKb,
    target: "for information: KB a client",
    holds: Number.isNaN(eachKb) ? undefined : true,
  }
}

function shown({ broker, chat, store }: Memory): string {
  return `${[broker, chat, store].map((mb) => mb.toFixed(0)).join(" + ")} MB`
}

function memoryOf({ broker, server, store }: ChatWorld): Memory {
  return { broker: rssMb(broker.child.pid), chat: rssMb(server.child.pid), store: rssMb(store.child.pid) }
}

/** NaN where the system does not tell. */
function rssMb(pid: number | undefined): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024
  } catch {
    return Number.NaN
  }
}

const atOnce = 50
const deliveredBytes = 700

/** Everybody connects at once, opens a session and reads; the limit reads the same mailboxes over one connection of the server's own. */
export async function catchUpRow(
  t: Cleaner,
  world: ChatWorld,
  { clients, each }: { clients: number; each: number },
): Promise<Row> {
  const crowd = await makeCrowd(t, world, { people: clients })
  await fill(world, crowd, each)
  const limitMs = await pullAll(world, crowd, each)
  const productMs = await crowd.tell({ do: "catch-up", each })
  const { twice } = await crowd.settle()
  crowd.end()
  if (twice > 0) throw new Error(`${twice} messages came twice`)
  return {
    what: `catch-up of ${crowd.size} clients that come at once, ${each} messages of ${deliveredBytes} bytes each: connected, let in, session, read; limit: the same mailboxes by readers of one service connection, ${atOnce} at a time`,
    product: `${(productMs / 1_000).toFixed(1)} s, ${perSecond(crowd.size, productMs)}`,
    limit: `${(limitMs / 1_000).toFixed(1)} s, ${perSecond(crowd.size, limitMs)}`,
    ratio: limitMs / productMs,
    ...{ target: "for information", holds: true },
  }
}

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values()
  const line = async (): Promise<void> => {
    for (const item of waiting) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, line))
}

/** As the chat server puts it there. */
async function fill(world: ChatWorld, crowd: Crowd, each: number): Promise<void> {
  const store = await world.broker.store()
  const conversation = randomBytes(32).toString("hex")
  const all = crowd.devices.flatMap(({ uid }) => Array.from({ length: each }, (_, n) => ({ uid, n })))
  // As mail comes: to one and to another.
  const mixed = all.toSorted((a, b) => a.n - b.n)
  await inTurns(mixed, async ({ uid, n }) => {
    const text = `${n} ${uid}`.padEnd(deliveredBytes, ".")
    const id = `sha256:${randomBytes(32).toString("hex")}`
    const data = encodeDelivery({ kind: "message", conversation, seq: n + 1, id, data: Buffer.from(text) })
    await store.deliver({ uid, id: `${n}:${uid}`, data })
  })
}

async function pullAll(world: ChatWorld, { devices }: Crowd, each: number): Promise<number> {
  const connection = await world.broker.service("store")
  const store = await createBrokerStore({ connection, mailboxSecret: world.broker.keys.mailboxSecret })
  const client = jetstream(connection, { timeout: 5_000 })
  const began = performance.now()
  await inTurns(devices, async (device) => {
    const { consumer } = await store.openSession(device, 0)
    const batch = await client.consumers.getConsumerFromInfo(consumer).fetch({ max_messages: each, expires: 5_000 })
    for await (const _ of batch) {
      // Read, and that is all.
    }
  })
  return performance.now() - began
}

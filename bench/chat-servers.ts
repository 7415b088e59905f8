/** The whole chat over its real servers: engine to engine, many who connect, many who are there, many who come back. */
import { natsServer } from "../test/support/broker.ts"
import { type ChatWorld, startChatWorld } from "../test/support/chat-world.ts"
import type { Cleaner } from "../test/support/person.ts"
import { type ConnectsSize, connectRows } from "./chat/connects.ts"
import { catchUpRow, idleRow } from "./chat/crowds.ts"
import { type DeliverySize, deliveryRows } from "./chat/delivery.ts"
import type { Row } from "./measure.ts"

export interface ChatServersSize {
  readonly delivery: DeliverySize
  readonly connects: ConnectsSize
  readonly idle: number
  readonly catchUp: { readonly clients: number; readonly each: number }
}

export const usualSize: ChatServersSize = {
  delivery: { rounds: 7, single: 50, many: 300 },
  connects: { devices: 300, rounds: 7 },
  idle: 2_000,
  catchUp: { clients: 1_000, each: 30 },
}

export const shortSize: ChatServersSize = {
  delivery: { rounds: 3, single: 15, many: 60 },
  connects: { devices: 60, rounds: 2 },
  idle: 200,
  catchUp: { clients: 100, each: 10 },
}

export async function chatServerRows(size: ChatServersSize): Promise<readonly Row[]> {
  if (natsServer === "") throw new Error("nats-server is missing (sh scripts/setup-test-servers.sh installs it)")
  return [
    ...(await inWorld((_, world) => deliveryRows(world, size.delivery))),
    ...(await inWorld((_, world) => connectRows(world, size.connects))),
    await inWorld((t, world) => idleRow(t, world, size.idle)),
    await inWorld((t, world) => catchUpRow(t, world, size.catchUp)),
  ]
}

/** In servers of its own: what others left there would count. */
async function inWorld<T>(run: (t: Cleaner, world: ChatWorld) => Promise<T>): Promise<T> {
  const cleaners: (() => void | Promise<void>)[] = []
  const t: Cleaner = { after: (clean) => void cleaners.push(clean) }
  try {
    return await run(t, await startChatWorld(t))
  } finally {
    for (const clean of cleaners.toReversed()) await clean()
  }
}

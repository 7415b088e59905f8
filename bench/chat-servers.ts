/** The whole chat over its real servers: engine to engine, many who connect, many who are there, many who come back. */
import { type ChatWorld, startChatWorld } from "../test/support/chat-world.ts"
import { type DeliverySize, deliveryRows } from "./chat/delivery.ts"
import type { Row } from "./measure.ts"

export interface ChatServersSize {
  readonly delivery: DeliverySize
}

export async function chatServerRows(size: ChatServersSize): Promise<readonly Row[]> {
  return [...(await inWorld((world) => deliveryRows(world, size.delivery)))]
}

/** In servers of its own: what others left there would count. */
async function inWorld<T>(run: (world: ChatWorld) => Promise<T>): Promise<T> {
  const cleaners: (() => void | Promise<void>)[] = []
  try {
    return await run(await startChatWorld({ after: (clean) => void cleaners.push(clean) }))
  } finally {
    for (const clean of cleaners) await clean()
  }
}

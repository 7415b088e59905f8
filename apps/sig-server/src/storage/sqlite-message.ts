/**
 * What goes between the threads: one flat list of texts and numbers each way. Copying objects with their names from one thread to the
 * other costs more than three times as much, on both sides.
 */
import type { KezError } from "@kez/core"
import type { WriteOrder, Written } from "./sqlite-writes.ts"

/** An append as its fields, the texts of its primaries last and their number before them; any other order as it is. */
export type OrderMessage = readonly OrderPart[]
type OrderPart = string | number | Exclude<WriteOrder, { readonly kind: "append" }>

/** Errors lose their class and their members at the border of threads: what counts of them is sent by hand. */
export interface Failure {
  readonly code: KezError["code"] | undefined
  readonly message: string
  readonly hint: string | undefined
}

/** For each order what was written, or why it was not. */
export type AnswerMessage = readonly (Written | Failure)[]

export function packOrders(orders: readonly WriteOrder[]): OrderMessage {
  const message: OrderPart[] = []
  for (const order of orders) {
    if (order.kind !== "append") {
      message.push(order)
      continue
    }
    const { digest, chain, seq, text, storedAt, primaries } = order.event
    message.push(digest, chain, seq, text, storedAt, order.expectedSize, primaries.length, ...primaries)
  }
  return message
}

export function unpackOrders(message: OrderMessage): readonly WriteOrder[] {
  const orders: WriteOrder[] = []
  let place = 0
  const next = (): string => String(message[place++])
  while (place < message.length) {
    const part = message[place]
    if (typeof part === "object") {
      orders.push(part)
      place++
      continue
    }
    const [digest, chain, seq, text, storedAt] = [next(), next(), Number(next()), next(), Number(next())]
    const expectedSize = Number(next())
    const primaries = Array.from({ length: Number(next()) }, next)
    orders.push({ kind: "append", event: { digest, chain, seq, text, primaries, storedAt }, expectedSize })
  }
  return orders
}

/** A chat server that lies: between an engine and the real one, its answers and what stands in the mailbox are changed as a test says. */
import {
  type Delivery,
  decodeAnswer,
  decodeDelivery,
  decodeRequest,
  encodeAnswer,
  encodeDelivery,
  type Transport,
} from "@kez/chat"

export interface Lies {
  /** What stands in a place of the mailbox instead of a message of somebody else; undefined: nothing. */
  deliver?: (delivery: Delivery) => Delivery | undefined
  /** Instead of the key packages that were asked for. */
  keyPackages?: (parts: readonly Uint8Array[]) => readonly Uint8Array[]
  /** The history of messages is empty. */
  hidesHistory?: boolean
}

/** The lies can be changed at any time. */
export function lyingTransport(transport: Transport, lies: Lies): Transport {
  const own = new Set<string>()
  const nameOf = (data: Uint8Array): string => Buffer.from(data).toString("base64")
  return {
    start: (options) => transport.start(options),
    close: () => transport.close(),
    async request(operation, bytes) {
      if (operation === "send") for (const part of decodeRequest(operation, bytes).parts) own.add(nameOf(part))
      const truth = await transport.request(operation, bytes)
      if (operation === "key-packages-take" && lies.keyPackages !== undefined) {
        const { header, parts } = decodeAnswer("key-packages-take", truth)
        return encodeAnswer("key-packages-take", header, lies.keyPackages(parts))
      }
      return operation === "history" && lies.hidesHistory === true
        ? encodeAnswer("history", { places: [], is_end: true })
        : truth
    },
    async *mailbox(session) {
      for await (const { seq, bytes } of transport.mailbox(session)) {
        const delivery = decodeDelivery(bytes)
        const isOthers = delivery.kind === "message" && !own.has(nameOf(delivery.data))
        const told = isOthers && lies.deliver !== undefined ? lies.deliver(delivery) : delivery
        if (told !== undefined) yield { seq, bytes: encodeDelivery(told) }
      }
    },
  }
}

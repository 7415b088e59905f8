/** The chat server over NATS from a page: all that `nats.ts` does, dialled by WebSocket. The broker looks at the page's origin (`allowed_origins`). */
import { wsconnect } from "@nats-io/nats-core"
import { createNatsTransport, type NatsOptions } from "./nats.ts"
import type { Transport } from "./transport.ts"

export function createPageTransport(options: Omit<NatsOptions, "dial">): Transport {
  return createNatsTransport({ ...options, dial: wsconnect })
}

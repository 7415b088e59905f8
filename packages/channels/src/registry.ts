/** Every channel there is, and how proofs get there. A new one is one file, its guide, its vectors and a line here. SPEC §7. */
import type { Channel } from "./channel.ts"
import { dns } from "./dns.ts"
import { kez } from "./kez.ts"
import type { Publisher } from "./publisher.ts"

/** By the system of the identities that it serves. */
export const channels: ReadonlyMap<string, Channel> = new Map([dns, kez].map((channel) => [channel.system, channel]))

/** By the system of the identities that they write for. A zone is nobody's API: `dns` has none. */
export const publishers: ReadonlyMap<string, Publisher> = new Map(
  ([] as readonly Publisher[]).map((publisher) => [publisher.system, publisher]),
)

/** Undefined: we have no channel for this system, so nothing can be said about its identities. */
export function findChannel(system: string): Channel | undefined {
  return channels.get(system)
}

/** Undefined: proofs get there by hand. */
export function findPublisher(system: string): Publisher | undefined {
  return publishers.get(system)
}

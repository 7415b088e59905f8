/** Every channel there is. A new one is one file, its guide, its tests and a line here. SPEC §7. */
import type { Channel } from "./channel.ts"
import { dns } from "./dns.ts"

/** By the system of the identities that it serves. */
export const channels: ReadonlyMap<string, Channel> = new Map([dns].map((channel) => [channel.system, channel]))

/** Undefined: we have no channel for this system, so nothing can be said about its identities. */
export function findChannel(system: string): Channel | undefined {
  return channels.get(system)
}

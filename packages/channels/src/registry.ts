/** Every channel there is, and how proofs get there. A new one is one file, its guide, its vectors and a line here. SPEC §7. */
import { ap } from "./ap.ts"
import { apPublisher } from "./ap-publish.ts"
import { bluesky } from "./bluesky.ts"
import { blueskyPublisher } from "./bluesky-publish.ts"
import type { Channel } from "./channel.ts"
import { dns } from "./dns.ts"
import { github } from "./github.ts"
import { githubPublisher } from "./github-publish.ts"
import { kez } from "./kez.ts"
import { nostr } from "./nostr.ts"
import { nostrPublisher } from "./nostr-publish.ts"
import type { Publisher } from "./publisher.ts"

const everyChannel: readonly Channel[] = [dns, github, nostr, bluesky, ap, kez]

/** A zone is nobody's API, and a handle is registered with its chat server: `dns` and `kez` have none. */
const everyPublisher: readonly Publisher[] = [githubPublisher, nostrPublisher, blueskyPublisher, apPublisher]

/** By the system of the identities that it serves. */
export const channels: ReadonlyMap<string, Channel> = new Map(everyChannel.map((channel) => [channel.system, channel]))

/** By the system of the identities that they write for. */
export const publishers: ReadonlyMap<string, Publisher> = new Map(
  everyPublisher.map((publisher) => [publisher.system, publisher]),
)

/** Undefined: we have no channel for this system, so nothing can be said about its identities. */
export function findChannel(system: string): Channel | undefined {
  return channels.get(system)
}

/** Undefined: proofs get there by hand. */
export function findPublisher(system: string): Publisher | undefined {
  return publishers.get(system)
}

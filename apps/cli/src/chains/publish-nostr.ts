/** The chain as application data of a nostr key, at the relays of the settings. SPEC NOSTR-10 */
import { type Net, publishChain, withDeadline } from "@kez/channels"
import { type ChainReplay, encodeChain, KezError, type SigchainEvent, type Signer } from "@kez/core"
import type { Context } from "../context.ts"
import { credentialsFor } from "../publish/credentials.ts"
import { type ChainPlaceReport, relayReport } from "./place-report.ts"

export interface NostrAuthor {
  /** `nostr:npub1…`, which the chain names. */
  readonly key: string
  readonly sign: Signer["sign"]
}

/** The nostr key of the chain: its primary, else one that it lists. Throws `usage`, `key.not_held`, `publish.credentials`. */
export async function authorFor(
  context: Context,
  { state }: ChainReplay,
  { credentialFile }: { readonly credentialFile?: string },
): Promise<NostrAuthor> {
  const listed = [...state.subjects.values()].filter(({ status }) => status === "active")
  const keys = [state.primary, ...listed.map(({ subject }) => subject)].filter((key) => key.startsWith("nostr:"))
  const [key] = keys
  if (key === undefined) {
    throw new KezError("usage", "Cannot publish on nostr: your chain names no nostr key", {
      hint: "Readers ask the relays of the identity's own nostr key, or of one that it lists: kez claim publish nostr:npub1…",
    })
  }
  const { findPublisher } = await import("@kez/channels")
  const publisher = findPublisher("nostr")
  if (publisher === undefined) throw new Error("no publisher for nostr")
  const { sign } = await credentialsFor(context, { publisher, subject: key, credentialFile })
  if (sign === undefined) throw new KezError("publish.credentials", "Cannot publish on nostr: expected the key")
  return { key, sign }
}

/** One report a relay; where none could be given anything, one for all. */
export async function giveToNostr(
  { key, sign }: NostrAuthor,
  path: readonly SigchainEvent[],
  { net, timeoutMs }: { readonly net: Net; readonly timeoutMs: number },
): Promise<readonly ChainPlaceReport[]> {
  const publication = { npub: key.slice("nostr:".length), text: encodeChain(path), sign }
  const deadline = { timeoutMs: 2 * timeoutMs, task: "publish the chain on nostr" }
  try {
    const { outcomes } = await withDeadline(deadline, (signal) => publishChain(publication, net, signal))
    return outcomes.map((outcome) => relayReport(outcome, path.length))
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    const report = relayReport({ url: key, accepted: false, note: error.message }, path.length)
    return [{ ...report, code: error.code }]
  }
}

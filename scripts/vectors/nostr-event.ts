/** Events of nostr, written out here once more, so that the vectors do not rest on the code that they test. NIP-01. */
import { formatHex, publicKeyBytes, sha256 } from "@kez/core"
import { aliceNostr } from "./keys.ts"

/** As the reader of these vectors has it. */
export const now = 1_800_000_000

export interface Members {
  readonly pubkey: string
  readonly created_at: number
  readonly kind: number
  readonly tags: readonly (readonly string[])[]
  readonly content: string
}

export type Event = Members & { readonly id: string; readonly sig: string }

/** By Alice, 100 s ago, a note without a text, unless given. */
export async function sign(members: Partial<Members>, signer = aliceNostr): Promise<Event> {
  const event = { created_at: now - 100, kind: 1, tags: [], content: "", pubkey: keyOf(signer.key), ...members }
  const { pubkey, created_at, kind, tags, content } = event
  const bytes = new TextEncoder().encode(JSON.stringify([0, pubkey, created_at, kind, tags, content]))
  const id = formatHex(sha256(bytes))
  return { id, pubkey, created_at, kind, tags, content, sig: formatHex(await signer.sign(bytes)) }
}

export function keyOf(identity: string): string {
  return formatHex(publicKeyBytes({ system: "nostr", value: identity.slice("nostr:".length) }))
}

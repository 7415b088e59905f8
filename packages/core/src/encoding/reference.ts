/** The reference form `kez:r1:`: "my chain is X", short enough for any profile. SPEC §4.6. */
import type { Digest } from "../digest.ts"
import { isDigest } from "../digest.ts"
import { KezError } from "../error.ts"
import { isHost } from "../identity.ts"

export const referencePrefix = "kez:r1:"

export interface Reference {
  /** Chain id. */
  readonly chain: Digest
  /** A host whose store has the chain. */
  readonly host?: string
}

export function encodeReference({ chain, host }: Reference): string {
  if (!isDigest(chain) || (host !== undefined && !isHost(host))) throw refused()
  return `${referencePrefix}${chain.slice("sha256:".length)}${host === undefined ? "" : `@${host}`}`
}

export function decodeReference(text: string): Reference {
  const [hex = "", host, ...rest] = text.slice(referencePrefix.length).split("@")
  const chain = `sha256:${hex}`
  const fits = text.startsWith(referencePrefix) && isDigest(chain) && rest.length === 0
  if (!fits || (host !== undefined && !isHost(host))) throw refused()
  return host === undefined ? { chain } : { chain, host }
}

function refused(): KezError {
  return new KezError(
    "encoding.unsupported",
    "Cannot read the reference: expected kez:r1:<64 hex digits>, then perhaps @host",
  )
}

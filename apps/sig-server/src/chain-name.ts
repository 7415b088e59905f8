/** What stands for a chain in a URL: its id, or the key identity of any primary that it ever had. SPEC STORE-2 */

import { isDigest, KezError, parseKeyIdentity } from "@kez/core"
import { asProblem } from "@kez/server"

/** The grammar as a schema: what is not of this shape never reaches a look-up. */
export const chainNamePattern = "^(?:(?:sha256|ed25519):[0-9a-f]{64}|nostr:npub1[02-9ac-hj-np-z]{58})$"

/** The text, if it names a chain or a key; otherwise a problem with status 400 and the code that the library gives. */
export function parseChainName(text: string): string {
  if (isDigest(text)) return text
  try {
    if (text.startsWith("sha256:")) {
      throw new KezError("schema.value", "Cannot look up the chain: expected sha256: and 64 hex digits")
    }
    parseKeyIdentity(text)
    return text
  } catch (error) {
    throw asProblem(error, 400)
  }
}

/** The commitment to the next primary, published before that key is ever shown. SPEC [CHAIN-13]. */
import { type Digest, digestOf } from "../digest.ts"
import { parseKeyIdentity, publicKeyBytes } from "../identity.ts"
import { encodeUtf8 } from "../text.ts"

const domain = encodeUtf8("kez/next/v1\0")

/** `sha256:` of `kez/next/v1` ‖ 0x00 ‖ the public key bytes of a key identity. */
export function commitmentTo(key: string): Digest {
  const bytes = new Uint8Array(domain.length + 32)
  bytes.set(domain)
  bytes.set(publicKeyBytes(parseKeyIdentity(key)), domain.length)
  return digestOf(bytes)
}

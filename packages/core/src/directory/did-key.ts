/** The `did:key` of a key identity. https://w3c-ccg.github.io/did-key-spec/ */
import { base58 } from "@scure/base"
import { parseKeyIdentity, publicKeyBytes } from "../identity.ts"

/** Of an ed25519 key `did:key:z6Mk…`; of a nostr key the point with even y (BIP-340), `did:key:zQ3s…`. */
export function didKeyOf(key: string): string {
  const identity = parseKeyIdentity(key)
  // Multicodec, as unsigned varints: ed25519-pub is 0xed, secp256k1-pub 0xe7, whose key is compressed.
  const prefix = identity.system === "ed25519" ? [0xed, 0x01] : [0xe7, 0x01, 0x02]
  return `did:key:z${base58.encode(new Uint8Array([...prefix, ...publicKeyBytes(identity)]))}`
}

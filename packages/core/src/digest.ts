/** Digests as KEZ writes them: `sha256:` and 64 hex digits. SPEC, Notation. */
import { backend } from "#backend"
import { formatHex, isHex } from "./hex.ts"

/** A text `sha256:<64 hex>`. */
export type Digest = string

export function sha256(bytes: Uint8Array): Uint8Array {
  return backend.sha256(bytes)
}

/** Digest of the UTF-8 bytes of `text`, or of `bytes`. */
export function digestOf(data: string | Uint8Array): Digest {
  return `sha256:${typeof data === "string" ? backend.sha256TextHex(data) : formatHex(backend.sha256(data))}`
}

export function isDigest(text: string): boolean {
  return text.startsWith("sha256:") && isHex(text.slice(7), 32)
}

/** Standard base64 with padding, in its only spelling: what the C2SP formats are written in. RFC 4648 §4. */
import { base64 } from "@scure/base"

export function encodeBase64(bytes: Uint8Array): string {
  return base64.encode(bytes)
}

/** Undefined for what `encodeBase64` would not write. */
export function tryDecodeBase64(text: string): Uint8Array | undefined {
  try {
    const bytes = base64.decode(text)
    return base64.encode(bytes) === text ? bytes : undefined
  } catch {
    return undefined
  }
}

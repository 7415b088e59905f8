/** base64url without padding, strict in both directions. RFC 4648 §5, SPEC [B64-1]. */
import { KezError } from "../error.ts"

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
const invalid = 255
const valueOfUnit = new Uint8Array(128).fill(invalid)
for (let i = 0; i < alphabet.length; i++) valueOfUnit[alphabet.charCodeAt(i)] = i

export function encodeBase64Url(bytes: Uint8Array): string {
  let text = ""
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 6) {
      bits -= 6
      text += alphabet.charAt((held >> bits) & 63)
    }
    held &= (1 << bits) - 1
  }
  return bits === 0 ? text : text + alphabet.charAt((held << (6 - bits)) & 63)
}

/** Bytes of a text that is exactly what `encodeBase64Url` would write; any other throws `encoding.base64url`. */
export function decodeBase64Url(text: string): Uint8Array {
  const rest = text.length % 4
  if (rest === 1) throw refused()
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let at = 0
  let bits = 0
  let held = 0
  for (let i = 0; i < text.length; i++) {
    const value = valueOfUnit[text.charCodeAt(i)] ?? invalid
    if (value === invalid) throw refused()
    held = (held << 6) | value
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = held >> bits
    held &= (1 << bits) - 1
  }
  // Bits that no byte uses must be zero, or one value would have several texts.
  if (held !== 0) throw refused()
  return bytes
}

function refused(): KezError {
  return new KezError(
    "encoding.base64url",
    "Cannot decode base64url: expected A-Z a-z 0-9 - _ without padding or spare bits",
  )
}

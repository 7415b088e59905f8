/** base64url without padding, strict in both directions. RFC 4648 §5, SPEC [B64-1]. */
import { backend } from "#backend"
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
  const native = backend.decodeBase64Url?.(text)
  if (native !== undefined) return native
  const rest = text.length % 4
  const whole = text.length - rest
  if (rest === 1) throw refused()
  const bytes = new Uint8Array((whole / 4) * 3 + (rest === 0 ? 0 : rest - 1))
  let at = 0
  for (let i = 0; i < whole; i += 4) {
    const group =
      (valueAt(text, i) << 18) | (valueAt(text, i + 1) << 12) | (valueAt(text, i + 2) << 6) | valueAt(text, i + 3)
    bytes[at++] = group >> 16
    bytes[at++] = group >> 8
    bytes[at++] = group
  }
  if (rest > 0) decodeRest(text.slice(whole), bytes.subarray(at))
  return bytes
}

/** Two characters and one byte, or three and two. Bits that no byte uses must be zero, or one value would have several texts. */
function decodeRest(text: string, bytes: Uint8Array): void {
  const third = text.length === 3 ? valueAt(text, 2) << 6 : 0
  const group = (valueAt(text, 0) << 18) | (valueAt(text, 1) << 12) | third
  if ((group & (text.length === 3 ? 0xff : 0xffff)) !== 0) throw refused()
  for (let i = 0; i < bytes.length; i++) bytes[i] = group >> (16 - 8 * i)
}

function valueAt(text: string, at: number): number {
  const unit = text.charCodeAt(at)
  const value = unit < 128 ? (valueOfUnit[unit] ?? invalid) : invalid
  if (value === invalid) throw refused()
  return value
}

function refused(): KezError {
  return new KezError(
    "encoding.base64url",
    "Cannot decode base64url: expected A-Z a-z 0-9 - _ without padding or spare bits",
  )
}

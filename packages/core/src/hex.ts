/** Lower-case hex. SPEC [HEX-1]. */

const pairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))

export function formatHex(bytes: Uint8Array): string {
  let text = ""
  for (const byte of bytes) text += pairs[byte]
  return text
}

/** Whether `text` is exactly `byteLength` bytes in lower-case hex. */
export function isHex(text: string, byteLength: number): boolean {
  if (text.length !== byteLength * 2) return false
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (!((unit >= 0x30 && unit <= 0x39) || (unit >= 0x61 && unit <= 0x66))) return false
  }
  return true
}

/** Bytes of a text for which `isHex` holds; undefined for any other. */
export function tryParseHex(text: string, byteLength: number): Uint8Array | undefined {
  if (!isHex(text, byteLength)) return undefined
  const bytes = new Uint8Array(byteLength)
  for (let i = 0; i < byteLength; i++) bytes[i] = (digit(text, 2 * i) << 4) | digit(text, 2 * i + 1)
  return bytes
}

function digit(text: string, at: number): number {
  const unit = text.charCodeAt(at)
  return unit < 0x60 ? unit - 0x30 : unit - 0x57
}

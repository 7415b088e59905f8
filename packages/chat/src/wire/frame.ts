/**
 * What goes between a device and its chat server over the broker: a header in JSON and parts of bytes behind it, which are
 * ciphertext most of the time.
 *
 * 1 byte version ‖ 3 bytes length of the header ‖ header ‖ 2 bytes number of parts ‖ each: 4 bytes length ‖ bytes
 */
import { canonicalize, decodeText, type Json, KezError, parseJson } from "@kez/core"
import { ByteReader, encodeText, joinBytes, sized, uintBytes } from "../bytes.ts"
import { maxFrameBytes, maxFrameHeaderBytes, maxFrameParts } from "../limits.ts"

export interface Frame {
  readonly header: Json
  readonly parts: readonly Uint8Array[]
}

const version = 1

/** Throws `limit.size` for what the broker would not carry. */
export function encodeFrame({ header, parts }: Frame): Uint8Array {
  const text = encodeText(canonicalize(header))
  const bytes = joinBytes(
    Uint8Array.of(version),
    uintBytes(text.length, 3),
    text,
    uintBytes(parts.length, 2),
    ...parts.map(sized),
  )
  if (text.length <= maxFrameHeaderBytes && parts.length <= maxFrameParts && bytes.length <= maxFrameBytes) return bytes
  throw new KezError("limit.size", `Cannot send this: expected at most ${maxFrameBytes} bytes, got ${bytes.length}`)
}

/** Sizes, then structure. Throws `limit.size`, `chat.encoding` or the codes of JSON. */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.length > maxFrameBytes)
    throw new KezError("limit.size", `Cannot read what came: expected at most ${maxFrameBytes} bytes`)
  const reader = new ByteReader(bytes, "what came over the broker")
  if (reader.uint(1) !== version) {
    throw new KezError("chat.encoding", "Cannot read what came over the broker: it has another version", {
      hint: "Update KEZ, or ask the server's admin to.",
    })
  }
  const length = reader.uint(3)
  const header = parseJson(decodeText(reader.bytes(length), maxFrameHeaderBytes))
  const count = reader.uint(2)
  if (count > maxFrameParts) throw new KezError("limit.size", `Cannot read what came: ${count} parts are too many`)
  const parts = Array.from({ length: count }, () => reader.sized(maxFrameBytes))
  reader.end()
  return { header, parts }
}

/** The bytes of a chain document that grows: most events are put at its end, and 8 MiB are not copied for each. */

export interface GrowingDocument {
  readonly bytes: Uint8Array
  /** The memory behind it. `used` is shared by all documents in it: only who ends there may write on. */
  readonly room: { readonly buffer: Buffer; used: number }
}

const smallestRoomBytes = 1_024

export function documentOf(lines: readonly string[]): GrowingDocument {
  const text = lines.map((line) => `${line}\n`).join("")
  const buffer = ownBuffer(Buffer.byteLength(text))
  buffer.write(text)
  return { bytes: buffer, room: { buffer, used: buffer.length } }
}

/** The document with one more line. The bytes of the one before stay as they are. */
export function withLine(document: GrowingDocument, line: string): GrowingDocument {
  const start = document.bytes.length
  const end = start + Buffer.byteLength(line) + 1
  const room =
    document.room.used === start && end <= document.room.buffer.length ? document.room : widened(document, end)
  room.buffer.write(`${line}\n`, start)
  room.used = end
  return { bytes: room.buffer.subarray(0, end), room }
}

function widened({ bytes }: GrowingDocument, end: number): GrowingDocument["room"] {
  const buffer = ownBuffer(Math.max(smallestRoomBytes, end + (end >> 2)))
  buffer.set(bytes)
  return { buffer, used: bytes.length }
}

/** Not from the pool of small buffers: those keep one another alive. */
function ownBuffer(bytes: number): Buffer {
  return Buffer.allocUnsafeSlow(bytes)
}

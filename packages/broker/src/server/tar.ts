/** One file out of a tar archive. The archive's checksum was right already; this reads, and never writes. */

const blockBytes = 512

/** The bytes of the regular file at `path`, or undefined. Links, devices and whatever else is there are passed over. */
export function fileInTar(archive: Uint8Array, path: string): Uint8Array | undefined {
  let at = 0
  while (at + blockBytes <= archive.length) {
    const header = archive.subarray(at, at + blockBytes)
    const size = Number.parseInt(textAt(header, 124, 12) || "0", 8)
    if (!Number.isSafeInteger(size) || size < 0) return undefined
    const begin = at + blockBytes
    const isFile = header[156] === 0x30 || header[156] === 0
    if (isFile && textAt(header, 0, 100) === path) {
      return begin + size <= archive.length ? archive.subarray(begin, begin + size) : undefined
    }
    at = begin + Math.ceil(size / blockBytes) * blockBytes
  }
  return undefined
}

function textAt(header: Uint8Array, offset: number, length: number): string {
  const text = Buffer.from(header.subarray(offset, offset + length)).toString("latin1")
  return (text.split("\0", 1)[0] ?? "").trim()
}

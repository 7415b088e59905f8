/** Lines of a stream from elsewhere, none longer than it may be: a line without an end must not fill the memory. */
import { KezError } from "@kez/core"

const lineFeed = 0x0a

export interface LineBounds {
  /** Without the LF. */
  readonly maxLineBytes: number
  /** Of all lines together; without a bound unless given. */
  readonly maxBytes?: number
}

/**
 * Each line without its LF. Throws `limit.size` for a line that is too long, `limit.body` for too much in all, and
 * `chain.jsonl` when the last line has no LF.
 */
export async function* boundedLines(source: AsyncIterable<Uint8Array>, bounds: LineBounds): AsyncGenerator<Buffer> {
  const { maxLineBytes, maxBytes = Number.POSITIVE_INFINITY } = bounds
  let rest: Buffer = Buffer.alloc(0)
  let total = 0
  for await (const chunk of source) {
    total += chunk.length
    if (total > maxBytes) throw new KezError("limit.body", `Cannot read the lines: expected at most ${maxBytes} bytes`)
    const bytes: Buffer = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(lineFeed); end !== -1; end = bytes.indexOf(lineFeed, start)) {
      if (end - start > maxLineBytes) throw tooLong(maxLineBytes)
      yield bytes.subarray(start, end)
      start = end + 1
    }
    rest = bytes.subarray(start)
    if (rest.length > maxLineBytes) throw tooLong(maxLineBytes)
  }
  if (rest.length > 0) throw new KezError("chain.jsonl", "Cannot read the lines: expected LF after the last one")
}

function tooLong(maxBytes: number): KezError {
  return new KezError("limit.size", `Cannot read the lines: expected none of more than ${maxBytes} bytes`)
}

/** From the bytes of a stream to its lines, under bounds of length and rate. SPEC NET-7. */
import { KezError } from "@kez/core"
import type { StreamLimits } from "./limits.ts"

const minuteMs = 60_000
const lineFeed = 10

/** Lines without LF or CR LF; a last one without an end is dropped, for nobody knows what was missing. */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  { maxLineBytes, maxBytesPerMinute }: StreamLimits,
  clock: () => number = () => performance.now(),
): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  let rest = Buffer.alloc(0)
  let [windowStart, received] = [clock(), 0]
  for await (const chunk of chunks) {
    if (clock() - windowStart >= minuteMs) [windowStart, received] = [clock(), 0]
    received += chunk.length
    if (received > maxBytesPerMinute) throw tooMuch(`${maxBytesPerMinute} bytes a minute`)
    let bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk])
    for (let end = bytes.indexOf(lineFeed); end !== -1; end = bytes.indexOf(lineFeed)) {
      if (end > maxLineBytes) throw tooMuch(`${maxLineBytes} bytes a line`)
      yield decode(decoder, bytes.subarray(0, end)).replace(/\r$/, "")
      bytes = bytes.subarray(end + 1)
    }
    if (bytes.length > maxLineBytes) throw tooMuch(`${maxLineBytes} bytes a line`)
    rest = Buffer.from(bytes)
  }
}

function decode(decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new KezError("text.utf8", "Cannot read the stream: expected UTF-8, got other bytes", { cause })
  }
}

function tooMuch(bound: string): KezError {
  return new KezError("limit.body", `Cannot read the stream: expected at most ${bound}, got more`)
}

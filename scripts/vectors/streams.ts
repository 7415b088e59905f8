/** vectors/streams.json: streams of lines, as a store sends its changes. SPEC NET-7. */
import { hex, type VectorCase, type VectorFile } from "./vector-file.ts"

const maxLineBytes = 524_288
const maxMinuteBytes = 4_194_304

/** A text, its bytes in hex, or a text so many times. */
type Bytes = string | { readonly hex: string } | { readonly repeat: readonly [text: string, times: number] }

interface Chunk {
  readonly at_ms: number
  readonly bytes: Bytes
}

const chunks = (...all: readonly Bytes[]): readonly Chunk[] => all.map((bytes) => ({ at_ms: 0, bytes }))
const x = (times: number) => ({ repeat: ["x", times] as const })

/** The lines that a reader gets, and the code with which the stream then ends; null where the other side just ends it. */
function stream(
  id: string,
  why: string,
  input: readonly Chunk[],
  lines: readonly Bytes[],
  code: string | null = null,
): VectorCase {
  return { id, why, input: { chunks: input }, expect: { lines, code } }
}

/** The head of the answer to a reader that accepts text/event-stream. */
function head(
  id: string,
  why: string,
  answer: { readonly status?: number; readonly headers: Readonly<Record<string, string>> },
  code: string | null,
): VectorCase {
  return { id, why, input: { answer: { status: 200, ...answer } }, expect: { code } }
}

export function streams(): VectorFile {
  const whole = [x(maxLineBytes - 1), "\n"] as const
  const minute = Array.from({ length: maxMinuteBytes / maxLineBytes }, () => whole).flat()
  const full = minute.map((bytes) => ({ at_ms: 0, bytes }))
  const lines = minute.filter((bytes) => bytes !== "\n")
  const type = "text/event-stream"
  return {
    spec: "§7.2",
    about:
      "Streams of lines: `chunks` as they come, with the milliseconds since the first, or the head of an `answer`. No other limit of time is reached.",
    cases: [
      stream("lines", "LF and CR LF end a line, wherever a chunk ends", chunks("a\r\nb", "b\n", "\n", "c\r", "\n"), [
        "a",
        "bb",
        "",
        "c",
      ]),
      stream("lone-cr", "a CR alone ends none", chunks("a\rb\n"), ["a\rb"]),
      stream("no-end", "a last line without an end is dropped", chunks("a\n", "rest"), ["a"]),
      stream("split-character", "a character in two chunks", chunks({ hex: hex([0xc3]) }, { hex: hex([0xbc, 0x0a]) }), [
        "ü",
      ]),
      stream("bom", "a byte order mark is a character of its line", chunks("\ufeffa\n", "\ufeff\n"), [
        "\ufeffa",
        "\ufeff",
      ]),
      stream(
        "not-utf8",
        "bytes that are no UTF-8 end it",
        chunks("a\n", { hex: hex([0xff, 0x0a]) }, "b\n"),
        ["a"],
        "text.utf8",
      ),
      stream("longest-line", "524,288 bytes are a line", chunks(x(maxLineBytes), "\n"), [x(maxLineBytes)]),
      stream(
        "too-long-line",
        "N21 one more is too much",
        chunks("a\n", x(maxLineBytes + 1), "\n"),
        ["a"],
        "limit.body",
      ),
      stream("endless-line", "N21 and is not waited for", chunks(x(maxLineBytes), "x"), [], "limit.body"),
      stream("full-minute", "4,194,304 bytes in a minute", full, lines),
      stream(
        "flood",
        "N20 one more in this minute is too much",
        [...full, { at_ms: 59_999, bytes: "\n" }],
        lines,
        "limit.body",
      ),
      stream(
        "next-minute",
        "a minute later it is counted anew",
        [...full, { at_ms: 60_000, bytes: "a\n" }],
        [...lines, "a"],
      ),
      head("stream", "what was asked for", { headers: { "content-type": `${type}; charset=utf-8` } }, null),
      head(
        "redirect",
        "N2 a stream follows no redirect",
        { status: 302, headers: { location: "https://b.example/" } },
        "net.redirect",
      ),
      head(
        "compressed",
        "N14 a coding that nobody asked for",
        { headers: { "content-type": type, "content-encoding": "gzip" } },
        "net.http",
      ),
      head("other-type", "a page is no stream", { headers: { "content-type": "text/html" } }, "net.content_type"),
    ],
  }
}

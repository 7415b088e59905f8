/** Cases of vectors/streams.json, and bytes as they stand there. */
import { readFileSync } from "node:fs"
import { join } from "node:path"

export type Bytes = string | { readonly hex: string } | { readonly repeat: readonly [text: string, times: number] }

export interface ChunkCase {
  readonly id: string
  readonly why: string
  readonly input: { readonly chunks: ReadonlyArray<{ readonly at_ms: number; readonly bytes: Bytes }> }
  readonly expect: { readonly lines: readonly Bytes[]; readonly code: string | null }
}

export interface HeadCase {
  readonly id: string
  readonly why: string
  readonly input: {
    readonly answer: { readonly status: number; readonly headers: Readonly<Record<string, string>> }
  }
  readonly expect: { readonly code: string | null }
}

export function bytesOf(bytes: Bytes): Buffer {
  if (typeof bytes === "string") return Buffer.from(bytes)
  return "hex" in bytes ? Buffer.from(bytes.hex, "hex") : Buffer.from(bytes.repeat[0].repeat(bytes.repeat[1]))
}

const path = join(import.meta.dirname, "..", "..", "..", "..", "vectors", "streams.json")

export function streamCases(): { readonly chunks: readonly ChunkCase[]; readonly heads: readonly HeadCase[] } {
  const { cases } = JSON.parse(readFileSync(path, "utf8")) as { cases: readonly (ChunkCase | HeadCase)[] }
  const isChunks = (one: ChunkCase | HeadCase): one is ChunkCase => "chunks" in one.input
  const isHead = (one: ChunkCase | HeadCase): one is HeadCase => "answer" in one.input
  return { chunks: cases.filter(isChunks), heads: cases.filter(isHead) }
}

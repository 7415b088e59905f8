/** Cases of vectors/streams.json about lines and their bounds. SPEC NET-7. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { streamLimits } from "../src/limits.ts"
import { readLines } from "../src/stream-lines.ts"
import { bytesOf, streamCases } from "./support/stream-cases.ts"

for (const { id, why, input, expect } of streamCases().chunks) {
  test(`streams.json ${id}: ${why}`, async () => {
    let nowMs = 5_000
    async function* chunks() {
      for (const { at_ms, bytes } of input.chunks) {
        nowMs = 5_000 + at_ms
        yield bytesOf(bytes)
      }
    }
    const lines: string[] = []
    const read = async (): Promise<null> => {
      for await (const line of readLines(chunks(), streamLimits, () => nowMs)) lines.push(line)
      return null
    }
    const code = await read().catch((error: { readonly code: string }) => error.code)
    assert.equal(code, expect.code)
    assert.ok(lines.length === expect.lines.length, `${lines.length} lines`)
    for (const [i, line] of expect.lines.entries()) assert.ok(lines[i] === bytesOf(line).toString(), `line ${i}`)
  })
}

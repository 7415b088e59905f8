/** A page of the feed of another store says the same whatever was read before it. SPEC STORE-12, JSON-2. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { readPage } from "../src/mirror-page.ts"

const chain = `sha256:${"ab".repeat(32)}`

const page = (...lines: readonly string[]) =>
  readPage({
    member: "event",
    base: new URL("http://127.0.0.1/"),
    after: 0,
    limit: 10,
    timeoutMs: 1_000,
    signal: new AbortController().signal,
    fetch: async () => new Response(lines.map((line) => `${line}\n`).join("")),
  })

test("readPage() reads a name with an escape, whatever a line before it had: V8 takes it for one that is spelled so", async () => {
  // One that stands in the same place as the escaped name of the next line, and is how that begins (nodejs/node#63785).
  const before = JSON.stringify({ page: 1, "curs\\u": 1, chain, cursor: 6, event: {} })
  const line = `{"page":1,"curs\\u006fr":7,"chain":"${chain}","event":{"\\u006bez":"x"}}`
  const entries = await page(before, line)
  assert.deepEqual(
    entries.map(({ cursor, text }) => [cursor, text]),
    [
      [6, "{}"],
      [7, '{"kez":"x"}'],
    ],
  )
})

test("readPage() takes no line that is nested beyond all bounds for one of a feed", async () => {
  const deep = `{"cursor":1,"chain":"${chain}","event":{"\\n":${"[".repeat(2_000)}${"]".repeat(2_000)}}}`
  await assert.rejects(page(deep), { code: "chain.jsonl" })
})

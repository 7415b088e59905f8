/** Every case of vectors/nostr-chains.json: chains on relays, read and written. SPEC NOSTR-10, NOSTR-11. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { assertChannelOutcome, type ChannelCase, channelJudges } from "./support/judge.ts"

const path = join(import.meta.dirname, "..", "..", "..", "vectors", "nostr-chains.json")
const { cases } = JSON.parse(readFileSync(path, "utf8")) as { cases: readonly ChannelCase[] }

for (const { id, why, input, expect } of cases) {
  test(`nostr-chains.json ${id}: ${why}`, async () => {
    assertChannelOutcome("nostr-chains", expect, (await channelJudges["nostr-chains"]?.({ input })) ?? {})
  })
}

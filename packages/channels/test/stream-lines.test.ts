/** Cases of vectors/streams.json about lines and their bounds. SPEC NET-7. */
import { test } from "node:test"
import { assertChannelOutcome, channelJudges } from "./support/judge.ts"
import { streamCases } from "./support/stream-cases.ts"

for (const { id, why, input, expect } of streamCases().chunks) {
  test(`streams.json ${id}: ${why}`, async () => {
    assertChannelOutcome("streams", expect, (await channelJudges["streams"]?.({ input })) ?? {})
  })
}

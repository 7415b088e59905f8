/** Every case of vectors/channel-*.json: what an account's place answers, and what the channel makes of it. SPEC §7. */
import assert from "node:assert/strict"
import { globSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { test } from "node:test"
import { assertChannelOutcome, type ChannelCase, collect, publicationOutcome } from "./support/judge.ts"

const folder = join(import.meta.dirname, "..", "..", "..", "vectors")

for (const file of globSync("channel-*.json", { cwd: folder }).sort()) {
  const suite = basename(file, ".json")
  const { cases } = JSON.parse(readFileSync(join(folder, file), "utf8")) as { cases: readonly ChannelCase[] }
  for (const { id, why, input, expect } of cases) {
    test(`${file} ${id}: ${why}`, async () => {
      const publication = await collect(suite.slice("channel-".length), input)
      assertChannelOutcome(suite, expect, publicationOutcome(publication))
      const said = publication.evidence.map(({ note = "" }) => note).join("\n")
      for (const note of expect.notes ?? []) assert.ok(said.includes(note), `expected a note "${note}", got "${said}"`)
    })
  }
}

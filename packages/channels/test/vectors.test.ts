/** Every case of vectors/channel-*.json: what an account's place answers, and what the channel makes of it. SPEC §7. */
import assert from "node:assert/strict"
import { globSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { test } from "node:test"
import { findChannel, type Publication } from "../src/index.ts"
import { createTableNet, type Tables } from "./support/table-net.ts"

interface Case {
  readonly id: string
  readonly why: string
  readonly input: Tables & { readonly value: string; readonly known_account_id?: string; readonly claimed_at?: number }
  readonly expect: {
    readonly status: Publication["status"]
    readonly code: string | null
    readonly account_id?: string
    readonly retry_after_seconds?: number
    readonly candidates?: ReadonlyArray<{ readonly text: string; readonly found_at: string }>
    readonly chain_hints?: readonly string[]
    /** Parts of the sentences for the owner; each stands in one of them. */
    readonly notes?: readonly string[]
  }
}

const folder = join(import.meta.dirname, "..", "..", "..", "vectors")

for (const file of globSync("channel-*.json", { cwd: folder }).sort()) {
  const system = basename(file, ".json").slice("channel-".length)
  const { cases } = JSON.parse(readFileSync(join(folder, file), "utf8")) as { cases: readonly Case[] }
  for (const { id, why, input, expect } of cases) {
    test(`${file} ${id}: ${why}`, async () => {
      const { value, known_account_id: knownAccountId, claimed_at: claimedAt, ...tables } = input
      const channel = findChannel(system)
      assert.ok(channel, `no channel for ${system}`)
      const signal = AbortSignal.timeout(5_000)
      const publication = await channel.collect(value, createTableNet(tables), { signal, knownAccountId, claimedAt })
      const { notes = [], ...rest } = expect
      assert.deepEqual(plain(publication), rest)
      const said = publication.evidence.map(({ note = "" }) => note).join("\n")
      for (const note of notes) assert.ok(said.includes(note), `expected a note "${note}", got "${said}"`)
    })
  }
}

/** A publication as vectors write it: without evidence, whose sentences are each implementation's own. */
function plain(publication: Publication): Case["expect"] {
  const { status } = publication
  const code = "code" in publication ? publication.code : null
  if (publication.status === "unreachable" && publication.retryAfterSeconds !== undefined) {
    return { status, code, retry_after_seconds: publication.retryAfterSeconds }
  }
  if (publication.status !== "found") return { status, code }
  const { candidates, chainHints, accountId } = publication
  return {
    status,
    code,
    ...(accountId === undefined ? {} : { account_id: accountId }),
    candidates: candidates.map(({ text, foundAt }) => ({ text, found_at: foundAt })),
    chain_hints: chainHints,
  }
}

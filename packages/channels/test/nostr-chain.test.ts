/** Every case of vectors/nostr-chains.json: chains on relays, read and written. SPEC NOSTR-10, NOSTR-11. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { createSigner } from "@kez/core"
import { collectChains, publishChain } from "../src/index.ts"
import { createTableNet, type RelayAnswer } from "./support/table-net.ts"

interface Case {
  readonly id: string
  readonly why: string
  readonly input: { readonly value: string; readonly relays: readonly RelayAnswer[]; readonly text?: string }
  readonly expect:
    | { readonly status: string; readonly documents: readonly string[] }
    | { readonly event: object }
    | { readonly code: string }
}

const path = join(import.meta.dirname, "..", "..", "..", "vectors", "nostr-chains.json")
const { cases } = JSON.parse(readFileSync(path, "utf8")) as { cases: readonly Case[] }
const signer = createSigner("nostr", new Uint8Array(32).fill(0x42))
const signal = new AbortController().signal

for (const { id, why, input, expect } of cases) {
  test(`nostr-chains.json ${id}: ${why}`, async () => {
    const { value, relays, text } = input
    const net = createTableNet({ relays })
    if (text === undefined) {
      const { status, documents } = await collectChains(value, net, signal)
      return assert.deepEqual({ status, documents }, expect)
    }
    const publishing = publishChain({ npub: value, text, sign: signer.sign }, net, signal)
    if ("code" in expect) return assert.rejects(publishing, { code: expect.code })
    await publishing
    assert.deepEqual(net.given.map(({ url }) => url).sort(), relays.map(({ url }) => url).sort())
    for (const { event } of net.given) {
      const { sig: _, ...signed } = event as Record<string, unknown>
      assert.deepEqual({ event: signed }, expect)
    }
  })
}

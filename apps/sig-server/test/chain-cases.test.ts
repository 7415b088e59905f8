/**
 * G4: what the library refuses the store refuses, with the same code; what it accepts the store keeps. The cases are the shared ones:
 * vectors/, the hostile chains of core, and random forked chains.
 */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import {
  assertSignature,
  type Code,
  decodeEnvelope,
  envelopeDigest,
  formatEnvelope,
  KezError,
  limits,
  parseChain,
  replayChain,
  type SigchainEvent,
} from "@kez/core"
import { add } from "../../../packages/core/test/support/chains.ts"
import { keyNamed, sealedText } from "../../../packages/core/test/support/keys.ts"
import { view as plain } from "../../../packages/core/test/support/view.ts"
import { codeOf, replayOf, start } from "./support/asking.ts"

interface Case {
  readonly id: string
  readonly why: string
  readonly code?: Code
  readonly text?: string
  readonly hex?: string
  readonly kind?: string
  readonly events?: readonly string[]
  readonly expect?: unknown
}

function casesOf(file: string): readonly Case[] {
  const path = join(import.meta.dirname, "..", "..", "..", "vectors", file)
  const { cases }: { readonly cases: readonly Case[] } = JSON.parse(readFileSync(path, "utf8"))
  return cases
}

function codeThrown(run: () => unknown): Code | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof KezError) return error.code
    throw error
  }
}

const decoded = (events: readonly string[]) => events.map((text) => decodeEnvelope(text, "sigchain_event"))

for (const { id, why, code, events = [], expect } of casesOf("sigchain-replay.json")) {
  test(`G4 sigchain-replay ${id}: ${why}`, async () => {
    const service = start()
    const chain = envelopeDigest(decoded(events.slice(0, 1))[0] ?? assert.fail())
    const codes: (Code | undefined)[] = []
    for (const text of events) codes.push(codeOf(await service.append(chain, text)))
    const expected = events.map((_, i) => (i === events.length - 1 ? code : undefined))
    assert.deepEqual(codes, expected)
    if (expect === null) assert.equal((await service.find(chain)).status, "none")
    else assert.deepEqual(plain(await replayOf(service, chain)), withoutRefused(decoded(events)))
  })
}

for (const { id, why, events = [] } of casesOf("sigchain-forks.json")) {
  test(`G4 sigchain-forks ${id}: ${why}`, async () => {
    const [first, ...rest] = decoded(events)
    const chain = envelopeDigest(first ?? assert.fail())
    for (const order of [rest, rest.toReversed()]) {
      const service = start()
      // Who posts out of order is told so, and posts again.
      let waiting: readonly SigchainEvent[] = [first ?? assert.fail(), ...order]
      for (let round = 0; round < events.length && waiting.length > 0; round++) {
        const behind: SigchainEvent[] = []
        for (const event of waiting) {
          const { status } = await service.append(chain, formatEnvelope(event))
          if (status === "behind" || (status === "refused" && event.payload.seq > 0)) behind.push(event)
        }
        waiting = behind
      }
      assert.deepEqual(plain(await replayOf(service, chain)), withoutRefused(decoded(events)))
    }
  })
}

function withoutRefused(events: readonly SigchainEvent[]) {
  return { ...plain(replayChain(events)), refused: [] }
}

// What is about a document as a whole has no line that could be posted.
const aboutWhole = ["jsonl-empty", "jsonl-no-lf", "jsonl-blank", "jsonl-blank-first", "jsonl-compact"]
for (const { id, why, text, hex, code } of casesOf("chain-documents.json").filter((c) => !aboutWhole.includes(c.id))) {
  test(`G4 C23 chain-documents ${id}: ${why}`, async () => {
    const service = start()
    const bytes = hex === undefined ? Buffer.from(text ?? "") : Buffer.from(hex, "hex")
    const lines = splitLines(bytes)
    const chain = chainOf(lines)
    let got: Code | undefined
    for (const line of lines) got ??= codeOf(await service.append(chain, line))
    // Signatures are not looked at in these vectors, and the store looks at them; it knows an event that comes twice.
    const sameHere: Partial<Record<Code, Code>> = { "chain.genesis": "chain.unknown", "chain.gap": "chain.unknown" }
    const expected = id === "jsonl-repeat" ? undefined : code
    if (expected === undefined) assert.ok(got === undefined || got === "signature.invalid", got)
    else if (got !== "signature.invalid") assert.ok(got === expected || got === sameHere[expected], `${got}`)
  })
}

function splitLines(bytes: Buffer): readonly Buffer[] {
  const lines: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0x0a, at)
    lines.push(bytes.subarray(at, end === -1 ? bytes.length : end))
    at = end === -1 ? bytes.length : end + 1
  }
  return lines
}

function chainOf(lines: readonly Buffer[]): string {
  try {
    return envelopeDigest(decodeEnvelope(lines[0] ?? "", "sigchain_event"))
  } catch {
    return `sha256:${"0".repeat(64)}`
  }
}

const events = casesOf("envelopes.json").filter(({ kind }) => kind === "sigchain_event")
for (const { id, why, text = "", code } of events) {
  test(`G4 S envelopes ${id}: ${why}`, async () => {
    const service = start()
    const outcome = await service.append(`sha256:${"0".repeat(64)}`, text)
    const expected = codeThrown(() => assertSignature(parseChain(`${text}\n`)[0] ?? assert.fail()))
    const got = codeOf(outcome)
    // An event of a chain that the store does not have is not looked at any further.
    if (got !== "chain.genesis" && got !== "chain.unknown") assert.equal(got, expected ?? code)
  })
}

for (const { id, why, text, hex } of casesOf("json.json").filter(({ code }) => code !== undefined)) {
  test(`G4 J json ${id}: ${why}`, async () => {
    const line = hex === undefined ? Buffer.from(text ?? "") : Buffer.from(hex, "hex")
    const expected = codeThrown(() => parseChain(Buffer.concat([line, Buffer.from("\n")])))
    const got = codeOf(await start().append(`sha256:${"0".repeat(64)}`, line))
    // Of a text that is too long, a document tells the length of the line; both are refused before they are parsed.
    assert.equal(got, line.length > limits.maxEnvelopeBytes ? "limit.size" : expected)
  })
}

const alice = keyNamed("alice")
const e0 = add(undefined, "dns:alice.example", alice)
const chain = envelopeDigest(e0)

test("G4 J11 C23 a line is one canonical envelope and nothing else", async () => {
  const service = start()
  const line = formatEnvelope(e0)
  const cases: readonly (readonly [string | Buffer, Code])[] = [
    [`${line} `, "chain.not_canonical"],
    [line.replace(":", ": "), "chain.not_canonical"],
    [line.replace("dns:", "dns\\u003a"), "chain.not_canonical"],
    [`${line}\n`, "chain.jsonl"],
    [`${line}\r`, "chain.jsonl"],
    [`${line}\n${line}`, "chain.jsonl"],
    [`${line}${line}`, "chain.jsonl"],
    [`${line}\0`, "chain.jsonl"],
    ["", "chain.jsonl"],
    [`\ufeff${line}`, "text.bom"],
    [Buffer.from([0x22, 0xff, 0x22]), "text.utf8"],
    ["\ud800", "text.utf8"],
    [line.padEnd(4_001), "limit.size"],
    ["é".repeat(2_001), "limit.size"],
    ["[".repeat(2_000), "limit.depth"],
  ]
  for (const [text, code] of cases) assert.equal(codeOf(await service.append(chain, text)), code)
  assert.equal((await service.find(chain)).status, "none")
})

test("G4 C24 an event 0 with prev, without one later, or with a signature of another key", async () => {
  const service = start()
  await service.append(chain, formatEnvelope(e0))
  const payload = { ...e0.payload }
  const { prev: _, ...bare } = add(e0, "dns:b.example", alice).payload
  const texts = [
    [sealedText("sigchain_event", { ...payload, prev: chain }, alice), "chain.genesis"],
    [sealedText("sigchain_event", bare, alice), "chain.genesis"],
    [sealedText("sigchain_event", payload, keyNamed("thief")), "chain.not_authorised"],
  ] as const
  for (const [text, code] of texts) assert.equal(codeOf(await service.append(chain, text)), code)
})

test("G4 C25 C26 unknown operations and impossible times", async () => {
  const service = start()
  await service.append(chain, formatEnvelope(e0))
  const { payload } = add(e0, "dns:b.example", alice)
  const cases = [
    [{ ...payload, op: "forget" }, "event.op"],
    [{ ...payload, version: 2 }, "envelope.version"],
    [{ ...payload, more: 1 }, "schema.unknown_member"],
    [{ ...payload, created_at: "2026-02-30T00:00:00Z" }, "time.syntax"],
    [{ ...payload, created_at: "2026-01-01T00:00:00+00:00" }, "time.syntax"],
  ] as const
  for (const [changed, code] of cases) {
    assert.equal(codeOf(await service.append(chain, sealedText("sigchain_event", changed, alice))), code)
  }
})

/** Chain documents. SPEC §5.9; adversarial C2 to C5, C22 to C25, C29, J11. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Code } from "../src/codes.ts"
import { encodeBase64Url } from "../src/encoding/base64url.ts"
import { envelopeDigest, formatEnvelope, type SigchainEvent } from "../src/envelope/envelope.ts"
import { encodeChain, formatChain, parseChain, readChain } from "../src/sigchain/document.ts"
import { replayChain } from "../src/sigchain/replay.ts"
import { add, addDevice, revoke, rotate } from "./support/chains.ts"
import { compressed } from "./support/frames.ts"
import { keyNamed, sealedText } from "./support/keys.ts"
import { codeOf, refuses } from "./support/throws.ts"

const alice = keyNamed("alice")
const subject = "dns:alice.example"
const e0 = add(undefined, subject, alice)
const e1 = addDevice(e0, keyNamed("phone"), alice)
const e2 = revoke(e1, subject, keyNamed("phone"))
const e3 = add(e2, "github:alice", alice)
const e4 = rotate(e3, keyNamed("second", "nostr"), alice)
const e5 = revoke(e4, "github:alice", keyNamed("second", "nostr"))
const chain = [e0, e1, e2, e3, e4, e5]
const jsonl = formatChain(chain)
const lines = chain.map(formatEnvelope)
const document = (...rows: readonly string[]) => rows.map((row) => `${row}\n`).join("")
const [l0 = "", l1 = "", l2 = ""] = lines
const unknownOp = (previous: SigchainEvent) =>
  sealedText(
    "sigchain_event",
    { ...e1.payload, prev: envelopeDigest(previous), seq: previous.payload.seq + 1, op: "revoke_all", payload: {} },
    alice,
  )

test("C1 formatChain() and encodeChain() of both key kinds come back as they were, as text and as bytes", () => {
  for (const form of [jsonl, encodeChain(chain), `${encodeChain(chain)}\n`]) {
    for (const input of [form, Buffer.from(form)]) {
      const events = parseChain(input)
      assert.deepEqual(events.map(formatEnvelope), lines)
      assert.equal(replayChain(events).head.digest, envelopeDigest(e5))
    }
  }
})

const table: readonly (readonly [title: string, code: Code, text: string | Uint8Array])[] = [
  ["C2 gap in seq", "chain.gap", document(l0, l2)],
  ["C3 seq repeated", "chain.repeat", document(l0, l1, l1)],
  [
    "C4 wrong prev",
    "chain.prev",
    document(l0, l1, formatEnvelope(revoke(addDevice(e0, keyNamed("laptop"), alice), subject, alice))),
  ],
  ["C5 lines shuffled", "chain.gap", document(l0, l2, l1)],
  ["C5 lines reversed", "chain.genesis", document(l1, l0)],
  [
    "C6 an event of another chain",
    "chain.prev",
    document(l0, formatEnvelope(revoke(add(undefined, "dns:b.example", alice), subject, alice))),
  ],
  ["C24 begins with seq 1", "chain.genesis", document(l1)],
  [
    "C24 event 0 with prev",
    "chain.genesis",
    document(sealedText("sigchain_event", { ...e0.payload, prev: envelopeDigest(e0) }, alice)),
  ],
  ["C23 empty", "chain.jsonl", ""],
  ["C23 one LF", "chain.jsonl", "\n"],
  ["C23 blank line", "chain.jsonl", `${l0}\n\n${l1}\n`],
  ["C23 blank line at the start", "chain.jsonl", `\n${l0}\n`],
  ["C23 blank line at the end", "chain.jsonl", `${l0}\n\n`],
  ["C23 a space in the last line", "chain.jsonl", `${l0}\n \n`],
  ["C23 CRLF", "chain.jsonl", `${l0}\r\n${l1}\r\n`],
  ["C23 missing last newline", "chain.jsonl", `${l0}\n${l1}`],
  ["C23 trailing bytes", "chain.jsonl", `${l0}\n${l1}\nx`],
  ["C23 two objects in a line", "chain.jsonl", `${l0}${l1}\n`],
  ["C23 a NUL", "chain.jsonl", `${l0}\n${l1}\0\n`],
  ["C23 a CR before every other fault", "chain.jsonl", `{"kez":\r}\nx\n`],
  ["C23 garbage", "chain.jsonl", "<!doctype html>\n"],
  ["not UTF-8", "text.utf8", Uint8Array.of(0xff, 0x0a)],
  ["J8 byte order mark", "text.bom", `\ufeff${jsonl}`],
  ["J1 duplicate member in a line", "json.duplicate", `${l0.replace('"seq":0', '"seq":0,"seq":0')}\n`],
  ["J9 depth 9 in a line", "limit.depth", `${"[".repeat(9)}\n`],
  ["J11 a space", "chain.not_canonical", `${l0.replace('"seq":0', '"seq": 0')}\n`],
  ["J11 a space at the end of a line", "chain.not_canonical", `${l0} \n`],
  ["J11 keys swapped", "chain.not_canonical", document(swapped(l0))],
  ["J11 an escape that need not be one", "chain.not_canonical", `${l0.replace("dns:alice", "dns:\\u0061lice")}\n`],
  [
    "J11 an escaped slash",
    "chain.not_canonical",
    document(formatEnvelope(add(undefined, subject, alice, { subject_id: "https://a" })).replace("//a", "\\/\\/a")),
  ],
  ["C25 unknown op", "event.op", document(l0, unknownOp(e0))],
  ["C25 unknown op before the link is looked at", "event.op", document(l0, unknownOp(e1))],
  [
    "a claim in a chain",
    "envelope.kind",
    document(
      sealedText(
        "claim",
        { type: "kez.claim", version: 1, subject, primary: alice.key, created_at: "2026-01-01T00:00:00Z" },
        alice,
      ),
    ),
  ],
  ["a line of 4,001 bytes", "limit.size", `${"x".repeat(4_001)}\n`],
  ["a line of 4,000 bytes", "chain.jsonl", `${"x".repeat(4_000)}\n`],
  ["C22 8 MiB and one byte", "limit.chain", `${"x".repeat(8_388_608)}\n`],
  ["C22 8 MiB and one byte of garbage", "limit.chain", new Uint8Array(8_388_609).fill(0xff)],
  ["C22 10,001 lines, before what they hold", "limit.chain", "x\n".repeat(10_001)],
  ["C22 4,000,000 lines", "limit.chain", "x\n".repeat(4_000_000)],
  ["10,000 lines of garbage", "chain.jsonl", "x\n".repeat(10_000)],
  ["Z9 the compact form of a claim", "encoding.unsupported", "kez:z1:AAAA"],
  ["Z9 a compact form in capitals", "encoding.unsupported", "KEZ:ZC1:AAAA"],
  ["Z9 a compact form in bytes that nobody knows", "encoding.unsupported", Buffer.from("kez:zc2:AAAA\n")],
  ["Z8 a compact form with two line feeds", "encoding.base64url", `${encodeChain(chain)}\n\n`],
  ["a compact form of no chain", "chain.jsonl", `kez:zc1:${encodeBase64Url(compressed("x"))}`],
  ["a compact form beyond its cap", "limit.decompressed", `kez:zc1:${"!".repeat(11_184_812)}`],
  ["the same in bytes", "limit.decompressed", Buffer.from(`kez:zc1:${"!".repeat(11_184_812)}`)],
  ["garbage within the cap", "encoding.base64url", `kez:zc1:${"!".repeat(11_184_811)}`],
]

for (const [title, code, text] of table) {
  test(`${title} -> ${code}`, () => refuses(() => parseChain(text), code))
}

test("C25 readChain() keeps the events before a fault, and nothing after it", () => {
  const { events, fault } = readChain(document(l0, l1, unknownOp(e1), l2))
  assert.deepEqual(events.map(formatEnvelope), [l0, l1])
  assert.equal(fault?.code, "event.op")
  assert.deepEqual(readChain(jsonl).fault, undefined)
})

test("C29 every subset and order of the lines of a chain of six is a prefix of it, or refused", () => {
  const states = chain.map((_, i) => lines.slice(0, i + 1).join("\n"))
  let accepted = 0
  let tried = 0
  for (let mask = 1; mask < 64; mask++) {
    for (const rows of permutations(lines.filter((_, i) => mask & (1 << i)))) {
      tried++
      const code = codeOf(() => {
        const events = parseChain(document(...rows))
        assert.ok(states.includes(events.map(formatEnvelope).join("\n")))
      })
      if (code === undefined) accepted++
    }
  }
  assert.equal(accepted, 6)
  assert.equal(tried, 1_956)
})

test("C29 replayChain() of every subset in any order is the longest prefix that has all before it", () => {
  for (let mask = 1; mask < 64; mask++) {
    const events = chain.filter((_, i) => mask & (1 << i))
    const gap = chain.findIndex((_, i) => !(mask & (1 << i)))
    const reach = gap === -1 ? 6 : gap
    const code = codeOf(() => assert.equal(replayChain(events.toReversed()).path.length, reach))
    assert.equal(code, reach === 0 ? "chain.genesis" : undefined)
  }
})

function* permutations<T>(items: readonly T[]): Generator<readonly T[]> {
  if (items.length < 2) yield items
  else {
    for (const [i, item] of items.entries()) {
      for (const rest of permutations(items.toSpliced(i, 1))) yield [item, ...rest]
    }
  }
}

function swapped(line: string): string {
  const { kez, payload, signature } = JSON.parse(line) as Record<string, unknown>
  return JSON.stringify({ payload, kez, signature })
}

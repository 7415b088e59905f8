/** Faults of single events, found without a replay, and lines of chain documents. SPEC §5.4, §5.9. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { envelopeDigest, formatEnvelope, type SigchainEvent } from "../src/envelope/envelope.ts"
import { parseChainLine } from "../src/sigchain/document.ts"
import { faultOfEvent, replayChain } from "../src/sigchain/replay.ts"
import { add, addDevice, eventAfter, rotate, setNext } from "./support/chains.ts"
import { keyNamed } from "./support/keys.ts"
import { holds } from "./support/property.ts"
import { forkedChain } from "./support/random-chains.ts"
import { codeOf } from "./support/throws.ts"
import { refusalOf, view } from "./support/view.ts"

const alice = keyNamed("alice")
const phone = keyNamed("phone")
const thief = keyNamed("thief")
const e0 = add(undefined, "dns:alice.example", alice)
const e1 = addDevice(e0, phone, alice)
const e2 = setNext(e1, keyNamed("second"), alice)

test("faultOfEvent() says of every event of random chains what a replay says, and leaves no trace", () => {
  const seen = new Map<string, number>()
  holds(
    fc.property(forkedChain, (events) => {
      const chain = envelopeDigest(events[0] ?? e0)
      const kept: SigchainEvent[] = events.slice(0, 1)
      let replay = replayChain(kept, { chain })
      for (const event of events.slice(1)) {
        const before = view(replay)
        const oracle = replayChain([...kept, event], { chain })
        const fault = faultOfEvent(event, replay)?.code
        assert.deepEqual(view(replay), before)
        // An event that follows none that is valid has no place: a replay does not name it.
        const isPlaced = replay.knows(event.payload.prev ?? "")
        if (isPlaced) assert.equal(fault, refusalOf(oracle, event))
        else if (event.payload.seq > 0) assert.match(fault ?? "", /^chain\.(?:gap|repeat|prev)$/)
        seen.set(fault ?? "none", (seen.get(fault ?? "none") ?? 0) + 1)
        if (fault !== undefined) continue
        kept.push(event)
        replay = replayChain([event], { previous: replay })
        assert.deepEqual(view(replay), view(replayChain(kept, { chain })))
      }
    }),
    200,
  )
  for (const code of ["none", "signature.invalid", "chain.not_authorised", "chain.authority"])
    assert.ok(seen.has(code), code)
})

test("faultOfEvent() judges at the end, in the middle, and of a new chain", () => {
  const replay = replayChain([e0, e1, e2])
  const cases = [
    [add(e2, "github:a", alice), undefined],
    [add(e1, "github:a", phone), undefined],
    [add(e0, "github:a", phone), "chain.not_authorised"],
    [add(e2, "github:a", thief), "chain.not_authorised"],
    [rotate(e2, thief, alice), "chain.prerotation"],
    [rotate(e1, thief, alice), undefined],
    [eventAfter(e2, { op: "revoke", payload: { subject: "github:a" }, by: alice, changes: { seq: 7 } }), "chain.gap"],
    [
      eventAfter(e2, { op: "revoke", payload: { subject: "github:a" }, by: alice, changes: { seq: 2 } }),
      "chain.repeat",
    ],
    [
      eventAfter(e2, {
        op: "revoke",
        payload: { subject: "github:a" },
        by: alice,
        changes: { prev: `sha256:${"0".repeat(64)}` },
      }),
      "chain.prev",
    ],
  ] as const
  for (const [event, code] of cases) assert.equal(faultOfEvent(event, replay)?.code, code)
  assert.equal(faultOfEvent(e0), undefined)
  assert.equal(faultOfEvent(addDevice(undefined, alice, alice))?.code, "chain.key_in_use")
})

test("parseChainLine() reads one line, and refuses it by the codes of a document", () => {
  const line = formatEnvelope(e0)
  assert.equal(envelopeDigest(parseChainLine(Buffer.from(line))), envelopeDigest(e0))
  for (const [text, code] of [
    ["", "chain.jsonl"],
    [`${line}\n`, "chain.jsonl"],
    [`${line}\r`, "chain.jsonl"],
    [`${line}\0`, "chain.jsonl"],
    [` ${line}`, "chain.not_canonical"],
    [line.slice(1), "chain.jsonl"],
    [line.padEnd(4_001), "limit.size"],
    [`\ufeff${line}`, "text.bom"],
    ["\udc00", "text.utf8"],
  ] as const)
    assert.equal(
      codeOf(() => parseChainLine(text)),
      code,
    )
})

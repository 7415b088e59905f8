/** Reading DNS messages, however they arrived. RFC 1035, RFC 2308, adversarial case P9. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { KezError } from "@kez/core"
import { type Answer, encode, type Packet } from "dns-packet"
import fc from "fast-check"
import { readMessage } from "../src/dns-message.ts"

const name = "_kez.example.com"
const question = { type: "TXT", name } as const

function message(answers: Answer[], packet: Packet = {}): Buffer {
  return encode({ type: "response", id: 0, questions: [{ ...question }], answers, ...packet })
}

const record = (owner: string, ...data: string[]): Answer => ({ type: "TXT", name: owner, data })
const alias = (owner: string, data: string): Answer => ({ type: "CNAME", name: owner, data })
const read = (bytes: Uint8Array) => readMessage(bytes, question, "https://doh.example/")

test("Z12 readMessage() joins the segments of one record and keeps records apart", () => {
  const { status, values } = read(message([record(name, "kez:z1:", "ab", "c"), record(name, "other")]))
  assert.deepEqual({ status, values }, { status: "found", values: ["kez:z1:abc", "other"] })
})

test("readMessage() compares names without case", () => {
  assert.deepEqual(read(message([record("_KEZ.Example.com", "a")])).values, ["a"])
})

test("readMessage() leaves out records of other names", () => {
  const { status, values } = read(message([record("evil.example", "kez:z1:x")]))
  assert.deepEqual({ status, values }, { status: "no_data", values: [] })
})

test("readMessage() follows CNAME records to the end", () => {
  const answers = [alias(name, "b.example"), alias("b.example", "c.example"), record("c.example", "a")]
  assert.deepEqual(read(message(answers)).values, ["a"])
  assert.equal(read(message([alias(name, "b.example")])).status, "no_data")
})

test("readMessage() tells for how long an answer may be repeated, and a nothing by its SOA record", () => {
  const timed = (ttl: number): Answer => ({ type: "TXT", name, ttl, data: "a" })
  const soa = (ttl: number, minimum: number): Answer => {
    return { type: "SOA", name: "example.com", ttl, data: { mname: "ns.example.com", rname: "a.example.com", minimum } }
  }
  assert.equal(read(message([timed(90), timed(60)])).ttlSeconds, 60)
  assert.equal(read(message([alias(name, "b.example")], { authorities: [soa(300, 900)] })).ttlSeconds, 300)
  assert.equal(read(message([], { flags: 3, authorities: [soa(900, 300)] })).ttlSeconds, 300)
  assert.equal(read(message([])).ttlSeconds, undefined)
  assert.equal(read(message([timed(4_294_967_295)])).ttlSeconds, 604_800)
})

test("readMessage() tells whether the server speaks for the zone", () => {
  assert.equal(read(message([record(name, "a")], { flags: 0x400 })).isAuthoritative, true)
  assert.equal(read(message([record(name, "a")])).isAuthoritative, false)
})

test("readMessage() reads the names of aliases and of name servers", () => {
  const reply = (type: "CNAME" | "NS", answers: Answer[]) =>
    readMessage(message(answers, { questions: [{ type, name }] }), { type, name }, "x").values
  assert.deepEqual(reply("CNAME", [alias(name, "b.example")]), ["b.example"])
  assert.deepEqual(reply("NS", [{ type: "NS", name, data: "ns1.example" }]), ["ns1.example"])
})

test("P9 NXDOMAIN and an empty answer are answers", () => {
  assert.equal(read(message([], { flags: 3 })).status, "no_name")
  assert.equal(read(message([])).status, "no_data")
})

test("P9 SERVFAIL, REFUSED, truncation and CNAME loops are net.dns", () => {
  const loop = [alias(name, "b.example"), alias("b.example", name)]
  const long = Array.from({ length: 20 }, (_, hop) =>
    alias(hop === 0 ? name : `n${hop}.example`, `n${hop + 1}.example`),
  )
  for (const bytes of [
    message([], { flags: 2 }),
    message([], { flags: 5 }),
    message([record(name, "a")], { flags: 0x200 }),
    message(loop),
    message(long),
  ]) {
    assert.throws(() => read(bytes), { code: "net.dns" })
  }
})

test("readMessage() refuses answers to another question and queries with net.dns", () => {
  for (const packet of [
    { questions: [] },
    { questions: [{ type: "TXT", name: "other.example" }] },
    { questions: [{ type: "A", name }] },
    { type: "query" },
  ] satisfies Packet[]) {
    assert.throws(() => read(message([record(name, "a")], packet)), { code: "net.dns" }, JSON.stringify(packet))
  }
})

test("readMessage() gives an answer or net.dns for any bytes", () => {
  const whole = message([alias(name, "b.example"), record("b.example", "kez:z1:abc")])
  const damaged = fc
    .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 })
    .map((changes) => changes.reduce((bytes, [at, value]) => bytes.with(at, value), new Uint8Array(whole)))
  const cut = fc.nat(whole.length).map((length) => new Uint8Array(whole.subarray(0, length)))
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), damaged, cut), (bytes) => {
      try {
        read(bytes)
      } catch (error) {
        assert.ok(error instanceof KezError && error.code === "net.dns", String(error))
      }
    }),
    { numRuns: 3_000 },
  )
})

/** The order of checks for one envelope: the first fault gives the code. SPEC §2, §3.1; adversarial J10 to J12, J15, S8, S9, C24. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { canonicalize } from "../src/canonical.ts"
import type { Code } from "../src/codes.ts"
import { decodeEnvelope, envelopeDigest, formatEnvelope } from "../src/envelope/envelope.ts"
import type { Kind } from "../src/envelope/kinds.ts"
import { assertSignature } from "../src/envelope/verify.ts"
import { suites } from "../src/suite/suites.ts"
import { add, claimOf } from "./support/chains.ts"
import { keyNamed } from "./support/keys.ts"
import { samplePayloads } from "./support/kinds.ts"
import { refuses } from "./support/throws.ts"

const alice = keyNamed("alice")
const claim = claimOf("dns:a.example", alice)
const event = add(undefined, "dns:a.example", alice)
const digest = `sha256:${"d".repeat(64)}`
const { alg } = suites.ed25519
const sig = "0".repeat(128)

type Change = readonly [title: string, code: Code, value: unknown]
const claimWith = (members: object) => ({ ...claim, payload: { ...claim.payload, ...members } })
const signedBy = (signature: unknown) => ({ ...claim, signature })
const without = (value: object, member: string) =>
  Object.fromEntries(Object.entries(value).filter(([name]) => name !== member))

const claims: readonly Change[] = [
  ["an array", "schema.type", [claim]],
  ["null", "schema.type", null],
  ["an unknown member before missing ones", "schema.unknown_member", { kez: 1, extra: 1 }],
  ["a member missing, before the type of another", "schema.missing_member", { kez: 1, payload: 1 }],
  ["kez a number", "schema.type", { ...claim, kez: 1 }],
  ["kez unknown", "envelope.kind", { ...claim, kez: "Claim" }],
  ["kez a name of Object.prototype", "envelope.kind", { ...claim, kez: "constructor" }],
  ["kez of another kind, before the payload", "envelope.kind", { ...claim, kez: "chain_head", payload: 1 }],
  ["payload an array", "schema.type", { ...claim, payload: [] }],
  ["payload without type, before unknown members", "schema.missing_member", { ...claim, payload: { extra: 1 } }],
  ["type a number", "schema.type", claimWith({ type: 1 })],
  ["J12 type of another context", "envelope.kind", claimWith({ type: "kez.sigchain.head" })],
  ["payload without version", "schema.missing_member", { ...claim, payload: without(claim.payload, "version") }],
  ["J12 version 2, before unknown members", "envelope.version", claimWith({ version: 2, extra: 1 })],
  ["J12 version as text", "envelope.version", claimWith({ version: "1" })],
  ["J12 unknown member of the payload", "schema.unknown_member", claimWith({ hint: "https://a.example" })],
  [
    "an unknown member before missing ones",
    "schema.unknown_member",
    { ...claim, payload: { ...without(claim.payload, "primary"), extra: 1 } },
  ],
  ["subject missing", "schema.missing_member", { ...claim, payload: without(claim.payload, "subject") }],
  ["ENV-6 expires_at null", "schema.type", claimWith({ expires_at: null })],
  ["subject a number, before primary", "schema.type", claimWith({ subject: 1, primary: 1 })],
  ["subject malformed", "identity.syntax", claimWith({ subject: "dns:localhost" })],
  ["subject a malformed key", "key.encoding", claimWith({ subject: "ed25519:00" })],
  ["primary in capitals", "identity.not_canonical", claimWith({ primary: alice.key.replace("ed", "ED") })],
  ["primary no key", "schema.value", claimWith({ primary: "dns:a.example" })],
  ["primary of an unsupported system", "identity.unsupported", claimWith({ primary: "did:key:abc" })],
  ["created_at malformed", "time.syntax", claimWith({ created_at: "2026-01-01" })],
  ["C26 expires_at before created_at", "time.order", claimWith({ expires_at: "2020-01-01T00:00:00Z" })],
  [
    "C26 expires_at the same second in another spelling",
    "time.order",
    claimWith({ created_at: "2026-01-01T00:00:00.9Z", expires_at: "2026-01-01T00:00:00Z" }),
  ],
  ["S8 signature missing members", "schema.missing_member", signedBy({ key: alice.key, sig })],
  ["S8 signature with another member", "schema.unknown_member", signedBy({ ...claim.signature, kid: "1" })],
  ["S8 signature a string", "schema.type", signedBy(sig)],
  ["S8 alg an array", "schema.type", signedBy({ ...claim.signature, alg: [alg] })],
  ["S8 alg none", "signature.alg", signedBy({ ...claim.signature, alg: "none" })],
  ["S8 alg of the other system", "signature.alg", signedBy({ ...claim.signature, alg: suites.nostr.alg })],
  ["S8 alg in capitals", "signature.alg", signedBy({ ...claim.signature, alg: alg.toUpperCase() })],
  ["S8 key of the wrong form, before alg", "key.encoding", signedBy({ alg: "none", key: "ed25519:00", sig })],
  ["S8 alg before sig", "signature.alg", signedBy({ alg: "none", key: alice.key, sig: "" })],
  ["S9 sig in upper-case hex", "signature.encoding", signedBy({ ...claim.signature, sig: "AB".repeat(64) })],
  ["S3 sig of 63 bytes", "signature.encoding", signedBy({ ...claim.signature, sig: "ab".repeat(63) })],
  ["S3 sig of 65 bytes", "signature.encoding", signedBy({ ...claim.signature, sig: "ab".repeat(65) })],
  ["S9 sig with 0x", "signature.encoding", signedBy({ ...claim.signature, sig: `0x${"ab".repeat(63)}` })],
  ["S8 key other than primary", "signature.key", signedBy({ alg, key: keyNamed("mallory").key, sig })],
  ["sig before key other than primary", "signature.encoding", signedBy({ alg, key: keyNamed("mallory").key, sig: "" })],
]

const eventWith = (members: object) => ({ ...event, payload: { ...event.payload, ...members } })
const opWith = (op: string, payload: unknown) => eventWith({ op, payload })
const keys = (count: number, system: "ed25519" | "nostr" = "ed25519") =>
  Array.from({ length: count }, (_, i) => keyNamed(`key ${i}`, system).key)

const events: readonly Change[] = [
  ["J12 unknown op", "event.op", opWith("revoke_all", {})],
  ["op named like a member of objects", "event.op", opWith("toString", {})],
  ["op a number", "schema.type", eventWith({ op: 1 })],
  ["unknown member before unknown op", "schema.unknown_member", eventWith({ op: "x", extra: 1 })],
  ["seq negative", "schema.value", eventWith({ seq: -1 })],
  ["seq a string", "schema.type", eventWith({ seq: "0" })],
  ["prev null", "schema.type", eventWith({ prev: null })],
  ["prev in capitals", "schema.value", eventWith({ seq: 1, prev: digest.toUpperCase() })],
  ["C24 prev at seq 0", "chain.genesis", eventWith({ prev: digest })],
  ["C24 no prev at seq 1", "chain.genesis", eventWith({ seq: 1 })],
  [
    "C24 before the operation's own members",
    "chain.genesis",
    { ...event, payload: { ...event.payload, seq: 1, payload: { x: 1 } } },
  ],
  [
    "C24 event 0 by another key",
    "chain.not_authorised",
    { ...event, signature: { alg, key: keyNamed("mallory").key, sig } },
  ],
  ["created_at with a fraction", "time.syntax", eventWith({ created_at: "2026-01-01T00:00:00.5Z" })],
  ["payload an array", "schema.type", opWith("add", [])],
  [
    "member of another operation",
    "schema.unknown_member",
    opWith("revoke", { subject: "dns:a.example", proof: digest }),
  ],
  ["ID-6 subject not canonical", "identity.not_canonical", opWith("add", { subject: "GitHub:a" })],
  ["subject of an unsupported system", "identity.unsupported", opWith("revoke", { subject: "did:plc:a" })],
  ["subject_id of 513", "schema.value", opWith("add", { subject: "dns:a.example", subject_id: "1".repeat(513) })],
  ["subject_id with a space", "schema.value", opWith("add", { subject: "dns:a.example", subject_id: "1 2" })],
  ["no keys", "schema.value", opWith("revoke_device", { keys: [] })],
  ["33 keys", "schema.value", opWith("revoke_device", { keys: keys(33) })],
  ["a key twice", "schema.value", opWith("revoke_device", { keys: [alice.key, alice.key] })],
  [
    "a key that is none, before its twin",
    "schema.value",
    opWith("revoke_device", { keys: ["dns:a.example", "dns:a.example"] }),
  ],
  ["keys an object", "schema.type", opWith("revoke_device", { keys: { 0: alice.key, length: 1 } })],
  [
    "33 to reject",
    "schema.value",
    opWith("settle", {
      reject: Array.from({ length: 33 }, (_, i) => digest.replace("dd", i.toString(16).padStart(2, "0"))),
    }),
  ],
  ["pop of 63 bytes", "signature.encoding", opWith("add_device", { key: alice.key, pop: "00".repeat(63) })],
  ["size a fraction of text", "schema.type", opWith("set_shared_files", { manifest: digest, size: "1" })],
]

const samples = samplePayloads(alice)
const other = (kind: Kind, members: object) => ({
  kez: kind,
  payload: { ...samples[kind], ...members },
  signature: claim.signature,
})

const others: readonly (readonly [...Change, Kind])[] = [
  [
    "a head of more than 7 days",
    "time.order",
    other("chain_head", { expires_at: "2026-01-08T00:00:01Z" }),
    "chain_head",
  ],
  [
    "a head that ends as it begins",
    "time.order",
    other("chain_head", { expires_at: "2026-01-01T00:00:00Z" }),
    "chain_head",
  ],
  [
    "a credential of more than 90 days",
    "time.order",
    other("device_credential", { expires_at: "2026-04-01T00:00:01Z" }),
    "device_credential",
  ],
  [
    "a presence of more than 600 s",
    "time.order",
    other("presence", { expires_at: "2026-01-01T00:10:01Z" }),
    "presence",
  ],
  [
    "a presence with 33 addresses",
    "schema.value",
    other("presence", { addresses: Array.from({ length: 33 }, (_, i) => `a${i}`) }),
    "presence",
  ],
  [
    "a conversation state 0 with prev",
    "schema.value",
    other("conversation_state", { prev: digest }),
    "conversation_state",
  ],
  [
    "a conversation state 1 without group",
    "schema.value",
    other("conversation_state", { number: 1, prev: digest }),
    "conversation_state",
  ],
  ["a manifest 1 without prev", "schema.value", other("file_manifest", { seq: 1 }), "file_manifest"],
  ["an empty nonce", "schema.value", other("nats_connect", { nonce: "" }), "nats_connect"],
  ["a nonce with a tab", "json.control", other("nats_connect", { nonce: "\t" }), "nats_connect"],
  ["a handle of two letters", "schema.value", other("handle_release", { handle: "ab" }), "handle_release"],
]

function table(kind: Kind, rows: readonly Change[]): readonly (readonly [...Change, Kind])[] {
  return rows.map(([title, code, value]) => [title, code, value, kind])
}

for (const [title, code, value, kind] of [...table("claim", claims), ...table("sigchain_event", events), ...others]) {
  test(`${kind}: ${title} -> ${code}`, () => refuses(() => decodeEnvelope(JSON.stringify(value), kind), code))
}

for (const name of ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"]) {
  test(`J10 a member named ${name} -> schema.unknown_member, and Object.prototype is as it was`, () => {
    const before = Reflect.ownKeys(Object.prototype)
    const bad = `"${name}":{"polluted":true},`
    const text = JSON.stringify(claim)
    for (const place of ['{"kez"', '{"created_at"', '{"alg"']) {
      const changed = text.replace(place, `{${bad}${place.slice(1)}`)
      assert.notEqual(changed, text)
      refuses(() => decodeEnvelope(changed, "claim"), "schema.unknown_member")
    }
    assert.deepEqual(Reflect.ownKeys(Object.prototype), before)
    assert.equal(Reflect.get({}, "polluted"), undefined)
  })
}

test("J11 another member order, white space and escapes in JSON give the same digest, and the signature holds", () => {
  const { kez, payload, signature } = claim
  const turned = JSON.stringify(
    { signature, payload: Object.fromEntries(Object.entries(payload).reverse()), kez },
    null,
    2,
  )
  const texts = [turned, turned.replaceAll("\n", "\r\n"), turned.replace("dns:a", "\\u0064ns:\\u0061"), ` \t${turned} `]
  for (const text of texts) {
    const decoded = decodeEnvelope(text, "claim")
    assert.equal(envelopeDigest(decoded), envelopeDigest(claim))
    assert.equal(formatEnvelope(decoded), formatEnvelope(claim))
    assertSignature(decoded)
  }
})

test("J15 65,537 bytes, 1,000,000 members, 10 MB -> limit.size before anything is parsed", () => {
  refuses(() => decodeEnvelope("{".padEnd(65_537), "claim"), "limit.size")
  refuses(() => decodeEnvelope(new Uint8Array(65_537).fill(0xff), "claim"), "limit.size")
  refuses(() => decodeEnvelope(`{${'"a":1,'.repeat(1_000_000)}}`, "claim"), "limit.size")
  refuses(() => decodeEnvelope(`"${"x".repeat(10_000_000)}"`, "claim"), "limit.size")
  refuses(() => decodeEnvelope("{".padEnd(65_536), "claim"), "json.syntax")
})

/** An event whose JCS has exactly that many bytes: a nostr key is three shorter, and seq has up to 16 digits. */
function eventOf(bytes: number) {
  for (let short = 0; short <= 30; short++) {
    for (let digits = 1; digits <= 16; digits++) {
      const seq = Number("1".repeat(digits))
      const nostr = keys(32, "nostr").slice(0, short)
      const payload = { keys: [...nostr, ...keys(32).slice(short)], keep: keys(14) }
      const value = eventWith({ seq, prev: digest, op: "revoke_device", payload })
      if (canonicalize(value).length === bytes) return value
    }
  }
  throw new Error("no such size")
}

test("DEC-1 step 9: 4,000 bytes of JCS are accepted, 4,001 -> limit.size, after the form of the signature", () => {
  const fits = JSON.stringify(eventOf(4_000), null, 8)
  assert.ok(fits.length > 4_000)
  assert.equal(formatEnvelope(decodeEnvelope(fits, "sigchain_event")).length, 4_000)
  const long = eventOf(4_001)
  refuses(() => decodeEnvelope(JSON.stringify(long), "sigchain_event"), "limit.size")
  const unsigned = { ...long, signature: { ...long.signature, sig: "" } }
  refuses(() => decodeEnvelope(JSON.stringify(unsigned), "sigchain_event"), "signature.encoding")
})

test("DEC-2 a right structure says nothing about the signature", () => {
  const forged = decodeEnvelope(JSON.stringify(signedBy({ ...claim.signature, sig })), "claim")
  refuses(() => assertSignature(forged), "signature.invalid")
  const weak = `ed25519:${"00".repeat(32)}`
  const byWeak = { ...claimWith({ primary: weak }), signature: { alg, key: weak, sig } }
  refuses(() => assertSignature(decodeEnvelope(JSON.stringify(byWeak), "claim")), "key.weak")
  const high = `ed25519:f0${"ff".repeat(30)}7f`
  const byHigh = { ...claimWith({ primary: high }), signature: { alg, key: high, sig } }
  refuses(() => assertSignature(decodeEnvelope(JSON.stringify(byHigh), "claim")), "key.encoding")
})

test("ID-5 a claim keeps its subject as received, supported or not", () => {
  for (const subject of ["github:Jason", "mastodon:@u@a.example", "did:plc:abc", "ens:a.eth"]) {
    const received = claimOf(subject, alice)
    assert.equal(received.payload.subject, subject)
    assertSignature(received)
  }
})

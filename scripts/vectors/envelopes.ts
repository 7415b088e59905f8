/** vectors/envelopes.json: whole envelopes, and one fault at a time in the order of SPEC [DEC-1]. */
import { formatEnvelope, type Kind, signClaim, signEnvelope } from "@kez/core"
import { buildEvent } from "./chain-builder.ts"
import { type Change, damaged, type MutableEnvelope } from "./damage.ts"
import { alice, aliceNostr, mallory, start } from "./keys.ts"
import { otherKinds } from "./kinds.ts"
import type { VectorCase, VectorFile } from "./vector-file.ts"

export async function envelopes(): Promise<VectorFile> {
  const claim = formatEnvelope(
    await signClaim({ subject: "dns:example.org", createdAt: start, expiresAt: start + 86_400 }, alice),
  )
  const nostrClaim = formatEnvelope(await signClaim({ subject: "github:jason", createdAt: start }, aliceNostr))
  const event = formatEnvelope(
    await buildEvent({
      after: undefined,
      signer: alice,
      primary: alice.key,
      op: "add",
      payload: { subject: "dns:example.org", subject_id: "1", proof: `sha256:${"ab".repeat(32)}` },
    }),
  )
  const digest = `sha256:${"cd".repeat(32)}`
  const head = formatEnvelope(
    await signEnvelope(
      "chain_head",
      {
        type: "kez.sigchain.head",
        version: 1,
        chain: digest,
        seq: 3,
        digest,
        issued_at: "2026-01-01T00:00:00Z",
        expires_at: "2026-01-08T00:00:00Z",
      },
      alice,
    ),
  )
  const odd = await signEnvelope(
    "claim",
    {
      type: "kez.claim",
      version: 1,
      subject: "mastodon:@Jason@Example.social",
      primary: alice.key,
      created_at: "2026-01-01T00:00:00.5+00:00",
    },
    alice,
  )
  const foreign = await signEnvelope(
    "claim",
    {
      type: "kez.claim",
      version: 1,
      subject: "did:web:example.org",
      primary: alice.key,
      created_at: "2026-01-01T00:00:00Z",
    },
    alice,
  )
  const good = (id: string, why: string, kind: Kind, text: string): VectorCase => ({
    id,
    why,
    kind,
    text,
    expect: "ok",
  })
  const bad = (id: string, why: string, code: string, kind: Kind, base: string, change: Change): VectorCase => ({
    id,
    why,
    kind,
    text: damaged(base, change),
    code,
  })
  const ofClaim = (id: string, why: string, code: string, change: Change) =>
    bad(`claim-${id}`, why, code, "claim", claim, change)
  const ofEvent = (id: string, why: string, code: string, change: Change) =>
    bad(`event-${id}`, why, code, "sigchain_event", event, change)
  const ofHead = (id: string, why: string, code: string, change: Change) =>
    bad(`head-${id}`, why, code, "chain_head", head, change)
  const add =
    (change: (payload: Record<string, unknown>) => void): Change =>
    ({ payload }) =>
      change(payload["payload"] as Record<string, unknown>)

  const cases: VectorCase[] = [
    good("claim-ed25519", "a claim by an Ed25519 key", "claim", claim),
    good("claim-nostr", "a claim by a nostr key", "claim", nostrClaim),
    good(
      "claim-pretty",
      "white space and order of members mean nothing in a claim",
      "claim",
      JSON.stringify(JSON.parse(claim), null, 2),
    ),
    good(
      "claim-v02-spelling",
      "a subject and a time in other spellings, signed as they stand",
      "claim",
      formatEnvelope(odd),
    ),
    good(
      "claim-foreign-system",
      "a subject of a system that this version does not know",
      "claim",
      formatEnvelope(foreign),
    ),
    good("event-add", "an event", "sigchain_event", event),
    good("head", "a head", "chain_head", head),
    {
      id: "claim-as-event",
      why: "another kind than expected",
      kind: "sigchain_event",
      text: claim,
      code: "envelope.kind",
    },
    { id: "event-as-claim", why: "another kind than expected", kind: "claim", text: event, code: "envelope.kind" },
    { id: "not-object", why: "an array", kind: "claim", text: "[]", code: "schema.type" },
    { id: "too-long", why: "65,537 bytes", kind: "claim", text: " ".repeat(65_537), code: "limit.size" },
    ofClaim("extra-top", "an unknown member", "schema.unknown_member", (e) => {
      e["hint"] = "x"
    }),
    ofClaim("proto", "the name that breaks objects", "schema.unknown_member", (e) => {
      Object.defineProperty(e.payload, "__proto__", { value: {}, enumerable: true })
    }),
    ofClaim("no-signature", "a missing member", "schema.missing_member", (e) => {
      delete (e as Partial<MutableEnvelope>).signature
    }),
    ofClaim("kez-number", "kez is a string", "schema.type", (e) => {
      e.kez = 1
    }),
    ofClaim("kez-unknown", "not in the closed list", "envelope.kind", (e) => {
      e.kez = "invoice"
    }),
    ofClaim("type-missing", "no type", "schema.missing_member", (e) => {
      delete e.payload["type"]
    }),
    ofClaim("type-other", "the type of another kind", "envelope.kind", (e) => {
      e.payload["type"] = "kez.sigchain.event"
    }),
    ofClaim("version-2", "a version that this text does not define", "envelope.version", (e) => {
      e.payload["version"] = 2
    }),
    ofClaim("version-text", "the version is a number", "envelope.version", (e) => {
      e.payload["version"] = "1"
    }),
    ofClaim("version-before-members", "the version comes before unknown members", "envelope.version", (e) => {
      e.payload["version"] = 2
      e.payload["more"] = 1
    }),
    ofClaim("extra-payload", "an unknown member of the payload", "schema.unknown_member", (e) => {
      e.payload["note"] = "x"
    }),
    ofClaim("unknown-before-missing", "unknown members come before missing ones", "schema.unknown_member", (e) => {
      delete e.payload["subject"]
      e.payload["note"] = "x"
    }),
    ofClaim("subject-missing", "no subject", "schema.missing_member", (e) => {
      delete e.payload["subject"]
    }),
    ofClaim("subject-null", "null is never written", "schema.type", (e) => {
      e.payload["subject"] = null
    }),
    ofClaim("subject-syntax", "a subject of a known system that does not fit it", "identity.syntax", (e) => {
      e.payload["subject"] = "github:-"
    }),
    ofClaim("subject-before-primary", "members in the order of the table", "identity.charset", (e) => {
      e.payload["subject"] = "github:é"
      e.payload["primary"] = "x"
    }),
    ofClaim("primary-not-key", "a primary that is no key", "schema.value", (e) => {
      e.payload["primary"] = "github:jason"
    }),
    ofClaim("primary-upper", "a key that is not canonical", "key.encoding", (e) => {
      e.payload["primary"] = `ed25519:${"AB".repeat(32)}`
    }),
    ofClaim("time", "no such day", "time.syntax", (e) => {
      e.payload["created_at"] = "2026-02-30T00:00:00Z"
    }),
    ofClaim("time-order", "it expires when it is made", "time.order", (e) => {
      e.payload["expires_at"] = e.payload["created_at"]
    }),
    ofClaim("alg-none", "an algorithm that the text chose", "signature.alg", (e) => {
      e.signature["alg"] = "none"
    }),
    ofClaim("alg-other", "the algorithm of another key", "signature.alg", (e) => {
      e.signature["alg"] = "nostr-secp256k1-schnorr-sha256-jcs"
    }),
    ofClaim("alg-array", "an array", "schema.type", (e) => {
      e.signature["alg"] = ["ed25519-sha512-jcs"]
    }),
    ofClaim("sig-upper", "upper-case hex", "signature.encoding", (e) => {
      e.signature["sig"] = "AB".repeat(64)
    }),
    ofClaim("sig-short", "63 bytes", "signature.encoding", (e) => {
      e.signature["sig"] = "ab".repeat(63)
    }),
    ofClaim("alg-before-sig", "alg comes before sig", "signature.alg", (e) => {
      e.signature["alg"] = "none"
      e.signature["sig"] = ""
    }),
    ofClaim(
      "primary-unsupported",
      "a primary of a system that this version does not know",
      "identity.unsupported",
      (e) => {
        e.payload["primary"] = `x:${"y".repeat(200)}`
      },
    ),
    ofClaim("signer", "signed by another key than the primary", "signature.key", (e) => {
      e.signature["key"] = mallory.key
    }),
    ofClaim("signature", "a signature over other bytes", "signature.invalid", (e) => {
      e.payload["subject"] = "dns:example.com"
    }),
    ofClaim("weak-key", "a key of small order", "key.weak", (e) => {
      e.payload["primary"] = e.signature["key"] = `ed25519:01${"00".repeat(31)}`
    }),
    ofClaim("key-not-canonical", "a key with y = p + 2", "key.encoding", (e) => {
      e.payload["primary"] = e.signature["key"] = `ed25519:ef${"ff".repeat(30)}7f`
    }),
    ofEvent("op", "an unknown operation is never skipped", "event.op", (e) => {
      e.payload["op"] = "freeze"
    }),
    ofEvent("op-prototype", "a member that every object has is no operation", "event.op", (e) => {
      e.payload["op"] = "toString"
    }),
    ofEvent("prev-at-0", "prev at seq 0", "chain.genesis", (e) => {
      e.payload["prev"] = digest
    }),
    ofEvent("no-prev", "no prev at seq 1", "chain.genesis", (e) => {
      e.payload["seq"] = 1
    }),
    ofEvent("seq-negative", "a negative seq", "schema.value", (e) => {
      e.payload["seq"] = -1
    }),
    ofEvent("time-offset", "only the written form of times", "time.syntax", (e) => {
      e.payload["created_at"] = "2026-01-01T00:00:00+00:00"
    }),
    ofEvent(
      "subject-spelling",
      "identities in a chain are canonical",
      "identity.not_canonical",
      add((p) => {
        p["subject"] = "dns:Example.org"
      }),
    ),
    ofEvent(
      "subject-alias",
      "an alias is not canonical",
      "identity.not_canonical",
      add((p) => {
        p["subject"] = "mastodon:a@example.org"
      }),
    ),
    ofEvent(
      "subject-unsupported",
      "a system that this version does not know",
      "identity.unsupported",
      add((p) => {
        p["subject"] = "did:web:example.org"
      }),
    ),
    ofEvent(
      "proof",
      "a digest in upper case",
      "schema.value",
      add((p) => {
        p["proof"] = `sha256:${"AB".repeat(32)}`
      }),
    ),
    ofEvent(
      "payload-extra",
      "an unknown member",
      "schema.unknown_member",
      add((p) => {
        p["name"] = "my phone"
      }),
    ),
    ofEvent("signer-0", "event 0 is signed by the primary", "chain.not_authorised", (e) => {
      e.signature["key"] = mallory.key
    }),
    ofHead("eight-days", "more than seven days", "time.order", (e) => {
      e.payload["expires_at"] = "2026-01-08T00:00:01Z"
    }),
    ofHead("backwards", "it expires before it is made", "time.order", (e) => {
      e.payload["expires_at"] = "2025-12-31T00:00:00Z"
    }),
    ofHead("chain", "a shortened chain id", "schema.value", (e) => {
      e.payload["chain"] = "sha256:cd"
    }),
  ]
  return {
    spec: "§2, §3.1",
    about: "An envelope of the expected kind, structure then signature: ok, or the code.",
    cases: [...cases, ...(await otherKinds())],
  }
}

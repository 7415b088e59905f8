/** Envelopes of chat and files: one of each kind, and one fault of each rule. Part of vectors/envelopes.json. SPEC §2.3. */
import { formatEnvelope, type Kind, type Payloads, signEnvelope } from "@kez/core"
import { damaged } from "./damage.ts"
import { alice, laptop, phone } from "./keys.ts"
import type { VectorCase } from "./vector-file.ts"

const chain = `sha256:${"cd".repeat(32)}`
const other = `sha256:${"ab".repeat(32)}`
const hex = "0f".repeat(32)
const created_at = "2026-01-01T00:00:00Z"
const stated = { version: 1, created_at } as const
const days90 = "2026-04-01T00:00:00Z"
const named = { handle: "alice", host: "chat.example.org", chain } as const

type Of<K extends Kind> = readonly [kind: K, payload: Payloads[K]]

const device: Of<"device_credential"> = [
  "device_credential",
  {
    type: "kez.chat.device_credential",
    ...stated,
    chain,
    nats: phone.key,
    mls: laptop.key,
    hpke: hex,
    expires_at: days90,
  },
]
const archive: Of<"archive_key"> = [
  "archive_key",
  { type: "kez.chat.archive_key", ...stated, chain, epoch: 0, public_key: hex },
]
const archiveEpoch: Of<"archive_epoch"> = [
  "archive_epoch",
  { type: "kez.chat.archive_epoch", ...stated, chain, epoch: 1, head: other, keys: other },
]
const registration: Of<"handle_registration"> = [
  "handle_registration",
  { type: "kez.chat.handle_registration", ...stated, ...named, primary: alice.key },
]
const move: Of<"handle_move"> = [
  "handle_move",
  { type: "kez.chat.handle_move", ...stated, ...named, new_handle: "alice-b", new_host: "localhost" },
]
const release: Of<"handle_release"> = ["handle_release", { type: "kez.chat.handle_release", ...stated, ...named }]
const state: Of<"conversation_state"> = [
  "conversation_state",
  { type: "kez.chat.conversation_state", ...stated, chain, number: 0, state: other },
]
const laterState: Of<"conversation_state"> = [
  "conversation_state",
  { ...state[1], number: 1, group: chain, prev: other },
]
const presence: Of<"presence"> = [
  "presence",
  {
    type: "kez.chat.presence",
    ...stated,
    chain,
    endpoint: hex,
    counter: 7,
    addresses: ["192.0.2.1:4433"],
    expires_at: "2026-01-01T00:10:00Z",
  },
]
const connect: Of<"nats_connect"> = [
  "nats_connect",
  { type: "kez.chat.nats_connect", ...stated, audience: "chat.example.org", nonce: "abcdefghijk", session: phone.key },
]
const session: Of<"nats_session"> = [
  "nats_session",
  {
    type: "kez.chat.nats_session",
    ...stated,
    audience: "localhost",
    chain,
    session: phone.key,
    expires_at: days90,
  },
]
const answer: Of<"server_answer"> = [
  "server_answer",
  { type: "kez.chat.server_answer", ...stated, audience: phone.key, request: chain, code: "auth.refused" },
]
const manifest: Of<"file_manifest"> = [
  "file_manifest",
  { type: "kez.files.manifest", ...stated, chain, seq: 0, root: other, size: 0 },
]

type Fault = readonly [base: Of<Kind>, id: string, why: string, code: string, member: string, value: unknown]

/** A member is set to a value; undefined takes it away. */
const faults: readonly Fault[] = [
  [device, "long", "one second more than 90 days", "time.order", "expires_at", "2026-04-01T00:00:01Z"],
  [device, "mls-account", "a key is required, an account is given", "schema.value", "mls", "dns:example.org"],
  [archive, "epoch", "no count", "schema.value", "epoch", -1],
  [archive, "key-case", "upper-case hex", "schema.value", "public_key", hex.toUpperCase()],
  [archiveEpoch, "head-short", "63 digits", "schema.value", "head", other.slice(0, -1)],
  [device, "no-hpke", "nothing that archive keys are sealed to", "schema.missing_member", "hpke", undefined],
  [registration, "handle-short", "two characters", "schema.value", "handle", "al"],
  [registration, "handle-dash", "a dash at the end", "schema.value", "handle", "alice-"],
  [registration, "host-label", "one label that is not localhost", "schema.value", "host", "chat"],
  [move, "no-host", "a member is missing", "schema.missing_member", "new_host", undefined],
  [release, "extra", "an unknown member", "schema.unknown_member", "new_handle", "bob"],
  [state, "group-at-0", "a group at number 0", "schema.value", "group", chain],
  [laterState, "no-group", "none later", "schema.value", "group", undefined],
  [laterState, "no-prev", "no link to the previous one", "schema.value", "prev", undefined],
  [presence, "long", "one second more than ten minutes", "time.order", "expires_at", "2026-01-01T00:10:01Z"],
  [presence, "addresses", "33 addresses", "schema.value", "addresses", Array.from({ length: 33 }, (_, i) => `a${i}`)],
  [presence, "twice", "an address twice", "schema.value", "addresses", ["a", "a"]],
  [presence, "relay-null", "null is no text", "schema.type", "relay", null],
  [connect, "nonce-empty", "an empty text", "schema.value", "nonce", ""],
  [connect, "nonce-space", "513 characters", "schema.value", "nonce", "x".repeat(513)],
  [session, "not-positive", "ends as it begins", "time.order", "expires_at", created_at],
  [answer, "audience", "an account where a key is required", "schema.value", "audience", "github:alice"],
  [manifest, "prev-at-0", "a link at seq 0", "schema.value", "prev", other],
  [manifest, "size", "beyond 2^53 - 1", "json.number", "size", 9_007_199_254_740_992],
]

export async function otherKinds(): Promise<readonly VectorCase[]> {
  const bases = [
    device,
    archive,
    archiveEpoch,
    registration,
    move,
    release,
    state,
    laterState,
    presence,
    connect,
    session,
    answer,
    manifest,
  ]
  const texts = new Map<Of<Kind>, string>()
  for (const base of bases) texts.set(base, formatEnvelope(await signEnvelope(base[0], base[1], alice)))
  const good = bases.map((base) => ({
    id: base === laterState ? "conversation_state-later" : base[0],
    why: base === laterState ? "a later state, with its links" : `a ${base[0]}`,
    kind: base[0],
    text: texts.get(base) ?? "",
    expect: "ok",
  }))
  const bad = faults.map(([base, id, why, code, member, value]) => ({
    id: `${base[0]}-${id}`,
    why,
    kind: base[0],
    text: damaged(texts.get(base) ?? "", ({ payload }) => {
      if (value === undefined) delete payload[member]
      else payload[member] = value
    }),
    code,
  }))
  return [...good, ...bad]
}

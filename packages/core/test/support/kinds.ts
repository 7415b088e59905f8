/** One valid payload for each of the fifteen kinds. */
import type { Payloads } from "../../src/envelope/envelope.ts"
import type { TestKey } from "./keys.ts"

const created = "2026-01-01T00:00:00Z"
const later = "2026-01-01T00:05:00Z"
const digest = `sha256:${"d".repeat(64)}`
const hex = "e".repeat(64)

export function samplePayloads(by: TestKey): { readonly [K in keyof Payloads]: Payloads[K] } {
  const { key } = by
  const stated = { version: 1, created_at: created } as const
  return {
    claim: { type: "kez.claim", ...stated, subject: "dns:a.example", primary: key },
    sigchain_event: {
      ...{ type: "kez.sigchain.event", ...stated, primary: key, seq: 0 },
      ...{ op: "revoke", payload: { subject: "dns:a.example" } },
    },
    chain_head: {
      ...{ type: "kez.sigchain.head", version: 1, chain: digest, seq: 3, digest },
      ...{ issued_at: created, expires_at: later },
    },
    device_credential: {
      type: "kez.chat.device_credential",
      ...stated,
      chain: digest,
      nats: key,
      mls: key,
      hpke: hex,
      expires_at: later,
    },
    archive_key: { type: "kez.chat.archive_key", ...stated, chain: digest, epoch: 1, public_key: hex },
    archive_epoch: { type: "kez.chat.archive_epoch", ...stated, chain: digest, epoch: 1, head: digest, keys: digest },
    handle_registration: {
      ...{ type: "kez.chat.handle_registration", ...stated, handle: "alice", host: "a.example" },
      ...{ primary: key, chain: digest },
    },
    handle_move: {
      ...{ type: "kez.chat.handle_move", ...stated, handle: "alice", host: "a.example" },
      ...{ new_handle: "alice", new_host: "b.example", chain: digest },
    },
    handle_release: { type: "kez.chat.handle_release", ...stated, handle: "alice", host: "a.example", chain: digest },
    conversation_state: { type: "kez.chat.conversation_state", ...stated, chain: digest, number: 0, state: digest },
    presence: {
      ...{ type: "kez.chat.presence", ...stated, chain: digest, endpoint: hex, counter: 0 },
      ...{ addresses: ["192.0.2.1:1"], expires_at: later },
    },
    nats_connect: { type: "kez.chat.nats_connect", ...stated, audience: "a.example", nonce: "n", session: key },
    nats_session: {
      ...{ type: "kez.chat.nats_session", ...stated, audience: "a.example", chain: digest },
      ...{ session: key, expires_at: later },
    },
    server_answer: { type: "kez.chat.server_answer", ...stated, audience: key, request: digest, code: "ok" },
    file_manifest: { type: "kez.files.manifest", ...stated, chain: digest, seq: 0, root: digest, size: 0 },
  }
}

/** The closed list of what a key may sign. The type string inside the signed bytes keeps the contexts apart. SPEC §2.1. */

export const payloadTypes = {
  claim: "kez.claim",
  sigchain_event: "kez.sigchain.event",
  chain_head: "kez.sigchain.head",
  device_credential: "kez.chat.device_credential",
  archive_key: "kez.chat.archive_key",
  archive_epoch: "kez.chat.archive_epoch",
  handle_registration: "kez.chat.handle_registration",
  handle_move: "kez.chat.handle_move",
  handle_release: "kez.chat.handle_release",
  conversation_state: "kez.chat.conversation_state",
  presence: "kez.chat.presence",
  nats_connect: "kez.chat.nats_connect",
  nats_session: "kez.chat.nats_session",
  server_answer: "kez.chat.server_answer",
  file_manifest: "kez.files.manifest",
} as const

export type Kind = keyof typeof payloadTypes

export const kinds = Object.keys(payloadTypes) as readonly Kind[]

export function isKind(name: string): name is Kind {
  return Object.hasOwn(payloadTypes, name)
}

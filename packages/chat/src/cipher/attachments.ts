/** What travels beside an MLS message, encrypted under a key that only the epoch's members can export. */
import { KezError } from "@kez/core"
import { type GroupState, mlsExporter } from "ts-mls"
import { backend } from "#chat-backend"
import { ByteReader, joinBytes, sized } from "../bytes.ts"
import { maxHandshakeBytes } from "../limits.ts"
import { aeadKeyBytes, aeadNonceBytes } from "./hpke.ts"
import { suite } from "./suite.ts"

const version = 1
const none = new Uint8Array()

/** `state`: the new state that a commit brings. `join`: what a new member gets beside the Welcome. */
export type AttachmentUse = "state" | "join"

export function exportFrom(
  { keySchedule }: Pick<GroupState, "keySchedule">,
  label: string,
  { context, length }: { readonly context: Uint8Array; readonly length: number },
): Promise<Uint8Array> {
  return mlsExporter(keySchedule.exporterSecret, label, context, length, suite)
}

export async function sealAttachment(
  state: GroupState,
  use: AttachmentUse,
  plaintext: Uint8Array,
): Promise<Uint8Array> {
  const nonce = backend.randomBytes(aeadNonceBytes)
  const box = { key: await attachmentKey(state, use), nonce, additionalData: none }
  return joinBytes(nonce, await backend.sealAesGcm(box, plaintext))
}

/** Throws `chat.decrypt`. */
export async function openAttachment(state: GroupState, use: AttachmentUse, sealed: Uint8Array): Promise<Uint8Array> {
  const nonce = sealed.subarray(0, aeadNonceBytes)
  const box = { key: await attachmentKey(state, use), nonce, additionalData: none }
  const plaintext =
    nonce.length === aeadNonceBytes ? await backend.openAesGcm(box, sealed.subarray(aeadNonceBytes)) : undefined
  if (plaintext !== undefined) return plaintext
  throw new KezError("chat.decrypt", "Cannot read what came with the commit: it was altered on its way", {
    hint: "Ask the server for it again.",
  })
}

function attachmentKey(state: GroupState, use: AttachmentUse): Promise<Uint8Array> {
  return exportFrom(state, `kez ${use}`, { context: none, length: aeadKeyBytes })
}

/** Two parts of a handshake as they are published: the MLS message, and what comes with it (empty where nothing does). */
export interface HandshakeParts {
  readonly mls: Uint8Array
  readonly attached: Uint8Array
}

export function encodeHandshake({ mls, attached }: HandshakeParts): Uint8Array {
  return joinBytes(Uint8Array.of(version), sized(mls), sized(attached))
}

/** Size first. `maxAttachedBytes` differs: a Welcome comes with the whole history of the state. */
export function decodeHandshake(bytes: Uint8Array, what: string, maxAttachedBytes: number): HandshakeParts {
  if (bytes.length > maxHandshakeBytes + maxAttachedBytes) {
    throw new KezError(
      "limit.size",
      `Cannot read ${what}: expected at most ${maxHandshakeBytes + maxAttachedBytes} bytes`,
    )
  }
  const reader = new ByteReader(bytes, what)
  if (reader.uint(1) !== version) {
    throw new KezError("chat.encoding", `Cannot read ${what}: it is of another version`, { hint: "Update KEZ." })
  }
  const parts = { mls: reader.sized(maxHandshakeBytes), attached: reader.sized(maxAttachedBytes) }
  reader.end()
  return parts
}

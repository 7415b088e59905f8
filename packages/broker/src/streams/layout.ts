/** The streams and their subjects, in account STORE: no user can reach it but to pull from a consumer that was made for them. */
import { createHmac } from "node:crypto"
import { isBrokerName, KezError, mailboxShardOf, mailboxShards, sha256 } from "@kez/core"
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from "@nats-io/jetstream"
import { base32nopad } from "@scure/base"
import {
  archiveShards,
  conversationShards,
  duplicateWindowSeconds,
  mailboxDays,
  maxArchiveEntries,
  maxMailboxMessages,
  maxPayloadBytes,
} from "../limits.ts"

const maxKnownPlaces = 16_384
const nanosPerSecond = 1_000_000_000

/** What the chat server gives a conversation as its name: the start of a digest, a random number. */
const conversationForm = /^[a-z0-9-]{1,64}$/

export type StreamSettings = Partial<StreamConfig> & { readonly name: string; readonly subjects: string[] }

/** All streams, for so many copies (1 without a cluster). */
export function streamSettings(replicas: number): readonly StreamSettings[] {
  const common = {
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    num_replicas: replicas,
    max_msg_size: maxPayloadBytes,
    duplicate_window: duplicateWindowSeconds * nanosPerSecond,
    // `Nats-Rollup: all` would wipe a stream.
    allow_rollup_hdrs: false,
    max_consumers: -1,
  }
  const mailboxes = Array.from({ length: mailboxShards }, (_, shard) => ({
    ...common,
    name: `MBX${shard}`,
    subjects: [`mbx.${shard}.*`],
    // A full mailbox refuses: its sender keeps the message. The oldest would be lost in silence otherwise.
    discard: DiscardPolicy.New,
    discard_new_per_subject: true,
    max_msgs_per_subject: maxMailboxMessages,
    max_age: mailboxDays * 86_400 * nanosPerSecond,
    allow_direct: false,
  }))
  const conversations = Array.from({ length: conversationShards }, (_, shard) => ({
    ...common,
    name: `CONV${shard}`,
    subjects: [`conv.${shard}.*.*`],
    discard: DiscardPolicy.New,
    deny_delete: true,
    allow_direct: true,
  }))
  const archives = Array.from({ length: archiveShards }, (_, shard) => ({
    ...common,
    name: `ARCH${shard}`,
    subjects: [`arch.${shard}.*`],
    discard: DiscardPolicy.New,
    discard_new_per_subject: true,
    max_msgs_per_subject: maxArchiveEntries,
    deny_delete: true,
    allow_direct: true,
  }))
  return [...mailboxes, ...conversations, ...archives]
}

export interface Place {
  readonly stream: string
  readonly subject: string
}

/** The mailbox of a person. Its subject holds a secret: no reply subject of a user's choice can be it. */
export function mailboxOf(uid: string, secret: Uint8Array): Place {
  if (!isBrokerName(uid))
    throw new KezError("schema.value", "Cannot name a mailbox: expected a person's name on the broker")
  const shard = mailboxShardOf(uid)
  return { stream: `MBX${shard}`, subject: `mbx.${shard}.${tokenOf("kez/chat/mailbox/v1", uid, secret)}` }
}

/** What a person's devices put away for each other. Read by the chat server alone, for that person's devices. */
export function archiveOf(uid: string, secret: Uint8Array): Place {
  if (!isBrokerName(uid))
    throw new KezError("schema.value", "Cannot name an archive: expected a person's name on the broker")
  const shard = mailboxShardOf(uid) % archiveShards
  return { stream: `ARCH${shard}`, subject: `arch.${shard}.${tokenOf("kez/chat/archive/v1", uid, secret)}` }
}

function tokenOf(label: string, uid: string, secret: Uint8Array): string {
  const mac = createHmac("sha256", secret).update(`${label}\0${uid}`).digest()
  return base32nopad.encode(mac.subarray(0, 20)).toLowerCase()
}

/** Mailboxes by their person, each reckoned once. */
export function mailboxesOf(secret: Uint8Array): (uid: string) => Place {
  const known = new Map<string, Place>()
  return (uid) => {
    const place = known.get(uid) ?? mailboxOf(uid, secret)
    if (known.size >= maxKnownPlaces) known.clear()
    known.set(uid, place)
    return place
  }
}

/** Where a conversation's messages are kept in order, and its commits, each following one that it names. */
export function conversationOf(conversation: string): { readonly messages: Place; readonly commits: Place } {
  if (!conversationForm.test(conversation)) {
    throw new KezError("schema.value", "Cannot name a conversation: expected 1 to 64 characters of a-z 0-9 -")
  }
  const shard = (sha256(Buffer.from(conversation))[0] ?? 0) % conversationShards
  const at = (kind: string): Place => ({ stream: `CONV${shard}`, subject: `conv.${shard}.${conversation}.${kind}` })
  return { messages: at("message"), commits: at("commit") }
}

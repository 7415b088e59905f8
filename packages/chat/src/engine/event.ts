/** What the engine tells while it runs. */
import type { Digest } from "@kez/core"
import type { Presence } from "../files/presence.ts"
import type { ContentTypes, FileState } from "../wire/content.ts"
import type { AlarmState } from "./alarm.ts"
import type { ArchiveState, ConnectionState, Contact, Conversation, Delivered, ShownMessage } from "./engine.ts"

export type EngineEvent =
  /** New here, by anybody. */
  | { readonly kind: "message"; readonly message: ShownMessage }
  /** Edited, taken back, reacted to, or not early any more. */
  | { readonly kind: "message_changed"; readonly message: ShownMessage }
  /** Of our own messages. */
  | {
      readonly kind: "outbox"
      readonly conversation: Digest
      readonly message: Digest
      readonly delivered: Delivered
    }
  | { readonly kind: "typing"; readonly conversation: Digest; readonly chain: Digest; readonly isTyping: boolean }
  /** Made, renamed, other members, another state, read. */
  | { readonly kind: "conversation"; readonly conversation: Conversation }
  | { readonly kind: "contact"; readonly contact: Contact }
  | { readonly kind: "alarm"; readonly alarm: AlarmState; readonly isOpen: boolean }
  /** Where a device of a member is reached for files. Checked. */
  | {
      readonly kind: "presence"
      readonly conversation: Digest
      readonly presence: Presence
      /** The device wants to know what is shared with it. */
      readonly asksShares: boolean
    }
  /** What a device says that it shares. Nothing of it is checked but who said it. */
  | ToldShares
  /** What became of an offer at somebody. */
  | {
      readonly kind: "file_state"
      readonly conversation: Digest
      readonly chain: Digest
      readonly device: string
      readonly transfer: string
      readonly state: Exclude<FileState, "open">
    }
  /** A change of a group that was asked for and cannot be made. */
  | {
      readonly kind: "change_refused"
      readonly conversation: Digest
      readonly code: string
      readonly reason: string
      readonly hint?: string
    }
  /** Who is in a conversation, or what a device counts for, may be another now. */
  | { readonly kind: "devices" }
  | { readonly kind: "connection"; readonly connection: ConnectionState }
  /** Another state, and while it is restored how far it is. Messages out of it are no `message` events: `conversation` is told instead. */
  | { readonly kind: "archive"; readonly archive: ArchiveState }

export interface ToldShares {
  readonly kind: "shares"
  readonly conversation: Digest
  readonly chain: Digest
  readonly device: string
  readonly shares: ContentTypes["shares"]
  /** Lines: a manifest, and the one that the chain names. */
  readonly statement: Uint8Array
}

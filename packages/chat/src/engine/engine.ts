/**
 * The chat engine as apps see it: one device of one account, its conversations, what it sends and what came. Everything behind it
 * is kept by the store, so that a process may end at any moment. docs/decisions/chat-engine.md
 */
import type { ChainReplay, Digest, FileManifest } from "@kez/core"
import type { DeviceStanding } from "../chains.ts"
import type { ConversationMember, Role } from "../conversation/state-body.ts"
import type { MoverAddress } from "../files/mover.ts"
import type { ContentTypes, FileState, PresenceWish } from "../wire/content.ts"
import type { Alarm, AlarmState } from "./alarm.ts"
import type { EngineEvent } from "./event.ts"

export type ConnectionState =
  | { readonly kind: "connecting" }
  | { readonly kind: "online" }
  /** It tries again by itself. `reason`: why the last attempt ended, in one sentence. */
  | { readonly kind: "offline"; readonly reason: string }
  /** The chat server signed that this device is revoked. Nothing is tried again. */
  | { readonly kind: "revoked"; readonly reason: string }

/** The account's history, which any of its devices and the words can read. Nothing that is sent or comes waits for it. */
export type ArchiveState =
  /** Not looked at yet: there was no connection since the engine was opened. */
  | { readonly kind: "waiting" }
  /** Nothing is written: the account has no archive key of its words, or one that its primary in force did not sign. */
  | { readonly kind: "off"; readonly reason: string }
  /** There is one, and its keys are not sealed to this device: another device does that, or the words do. */
  | { readonly kind: "closed"; readonly reason: string }
  /** It is being read. `messages`: of them so far. */
  | { readonly kind: "restoring"; readonly messages: number }
  /** Read to its end; what comes and what is sent is written to it. */
  | { readonly kind: "on" }

/** Somebody, by the sigchain that is pinned for him. */
export interface Contact {
  readonly chain: Digest
  /** `handle@host` as it was pinned on first use; absent for somebody who wrote first and was not looked up yet. */
  readonly handle?: string
  /**
   * `accepted`: looked up by us, or accepted. `request`: wrote first; he gets no receipts and no typing. `blocked`: nothing of his is shown.
   */
  readonly standing: "accepted" | "request" | "blocked"
  /** Names of devices that his chain lists now. */
  readonly devices: readonly string[]
  /** A hard stop that is open: nothing is sent to him while it is. */
  readonly stop?: Alarm
}

export interface Conversation {
  /** Of two people it stays, whatever groups carry it. 64 hex behind `sha256:`. */
  readonly id: Digest
  readonly kind: "dm" | "group"
  readonly name?: string
  /** Chains, the own one among them. */
  readonly members: readonly Digest[]
  /** Of a group that this device is in: sorted by chain. */
  readonly roles?: readonly ConversationMember[]
  /** Of a group that another person brought us into. It is a `request` until he is accepted. */
  readonly addedBy?: Digest
  /** Of a group that this device is in: who chose the name that it has now. */
  readonly namedBy?: Digest
  /** Of a `dm`. */
  readonly contact?: Contact
  /** `opening`: the other side has no device in it yet. `removed`: this device was removed; what was read stays. */
  readonly state: "opening" | "open" | "request" | "blocked" | "removed"
  /** Messages after the last that was marked as read. */
  readonly unread: number
  /** Unix seconds of the newest message; undefined: there is none. */
  readonly lastAt?: number
  /** Equal for all members of the epoch: compared by people it shows a fork. 64 hex, of the group that is written to. */
  readonly safetyCode?: string
}

/**
 * `waiting`: in the outbox, not with the server yet. `sent`: the server put it on its disk. `delivered`, `read`: a device of another
 * member said so. `failed`: not sent, and not tried again by itself: `retry`.
 */
export type DeliveryState = "waiting" | "sent" | "delivered" | "read" | "failed"

export interface Delivered {
  readonly state: DeliveryState
  /** Of `failed`, and of `waiting` where something holds it up: why, in one sentence, with its code. */
  readonly code?: string
  readonly reason?: string
}

export interface Reaction {
  readonly emoji: string
  readonly by: readonly Digest[]
}

export interface ShownMessage {
  /** Digest of what stood inside the ciphertext: what replies, edits and reactions name. */
  readonly id: Digest
  readonly conversation: Digest
  /** Place among the messages of the conversation as this device shows them: sorts as text, and is what `before` takes. */
  readonly place: string
  readonly sender: { readonly chain: Digest; readonly device: string; readonly isSelf: boolean }
  /** Unix seconds by the sender's clock. */
  readonly at: number
  /** `unknown`: made by a newer version; shown as "update to read". `deleted`: its sender took it back. */
  readonly type: "text" | "reply" | "thread" | "file_offer" | "membership" | "unknown" | "deleted"
  /** After the newest edit. As typed: controls are the screen's matter. */
  readonly text?: string
  /** What a reply or a message of a thread answers. */
  readonly answers?: Digest
  readonly fileOffer?: ContentTypes["file_offer"]
  readonly mentions: readonly Digest[]
  /** Unix seconds of the newest edit. */
  readonly editedAt?: number
  readonly reactions: readonly Reaction[]
  /** Came before one that its device sent earlier. That one is asked for. */
  readonly isEarly: boolean
  /** Of our own messages. */
  readonly delivered?: Delivered
}

/** What can be sent. Texts are Markdown, at most about 60,000 bytes. */
export type Draft =
  | { readonly type: "text"; readonly text: string; readonly mentions?: readonly Digest[] }
  | { readonly type: "reply"; readonly to: Digest; readonly text: string; readonly mentions?: readonly Digest[] }
  | { readonly type: "thread"; readonly root: Digest; readonly text: string; readonly mentions?: readonly Digest[] }
  | { readonly type: "edit"; readonly of: Digest; readonly text: string }
  | { readonly type: "delete"; readonly of: Digest }
  | { readonly type: "reaction"; readonly to: Digest; readonly emoji: string; readonly action: "add" | "remove" }
  | ({ readonly type: "file_offer" } & ContentTypes["file_offer"])

export interface PageOptions {
  /** `place` of a message: only what stands before it. Absent: the newest. */
  readonly before?: string
  /** 1 to 500; 50 if absent. */
  readonly limit?: number
}

export interface Contacts {
  list(): Promise<readonly Contact[]>
  /**
   * Looks a handle up, checks the proofs, fetches the chain, checks that the chain names the handle, and pins handle → chain. A
   * handle that is pinned is looked up anew: another chain is an alarm and `account.changed`. Throws `net.*`, `directory.*`, `account.*`,
   * `identity.*`, `store.unknown` (nobody has the handle). `text`: `alice@host`, or `alice` for one of the own host.
   */
  add(text: string): Promise<Contact>
  /** By chain id or `handle@host` as pinned; undefined: not known. Asks nobody. */
  find(who: string): Promise<Contact | undefined>
  /** Shows a request like any other conversation from now on, and sends receipts. */
  accept(chain: Digest): Promise<void>
  /** Nothing of his is shown from now on, and nothing is sent to him. `accept` takes it back. */
  block(chain: Digest): Promise<void>
  /** Looks at every pinned handle and chain, and at the own handle. Also done once a day. */
  check(): Promise<void>
}

/**
 * Each resolves when what is asked for is kept; it is done once there is a connection, by a commit that all members judge alike. Throws `usage`, `chat.policy`
 * (not allowed by the roles), `chat.state` (it changes nothing), `chat.removed`.
 */
export interface Groups {
  /** The account owns it. `people`: chains of contacts. */
  create(name: string, people: readonly Digest[]): Promise<Conversation>
  add(conversation: Digest, chain: Digest): Promise<void>
  /** All devices of that person. They get nothing that is sent or offered from now on. */
  remove(conversation: Digest, chain: Digest): Promise<void>
  setRole(conversation: Digest, chain: Digest, role: Role): Promise<void>
  rename(conversation: Digest, name: string): Promise<void>
  /** Asks to be removed: the first owner or admin who is there does it. The last owner of others cannot. */
  leave(conversation: Digest): Promise<void>
}

export interface Alarms {
  /** Open ones, newest last. */
  list(): Promise<readonly AlarmState[]>
  /**
   * Settles an alarm by its id. `accept`: it is as it should be (the contact said so by another way). `dismiss`: seen. A hard stop can be accepted only
   * where there is something to accept (`isAcceptable`); it is never settled by `dismiss`. Throws `usage`.
   */
  settle(id: string, decision: "accept" | "dismiss"): Promise<void>
}

export interface EngineSettings {
  /** `read` receipts to those who were accepted. Delivery receipts are always sent to them: outboxes wait for them. */
  readonly readReceipts: boolean
  readonly typing: boolean
}

/** A device in a conversation. */
export interface ConversationDevice {
  readonly chain: Digest
  readonly device: string
  /** By everything known now. */
  readonly standing: DeviceStanding
  readonly isSelf: boolean
}

/** Of a presence. */
export interface PresenceAbout {
  /** One that is under way, of which a message is sent where too many presences would go out without one. */
  readonly transfer?: string | undefined
  /** `shares`: asks besides what the others share. */
  readonly wish?: PresenceWish
}

/** What a device signs of what it shares. SPEC §2.4 */
export interface OwnManifest {
  readonly seq: number
  readonly prev?: Digest
  readonly root: Digest
  readonly size: number
}

/** Rows of the files part, kept as the engine keeps its own. Names in printable ASCII. */
export interface Shelf {
  get<T>(name: string): Promise<T | undefined>
  list<T>(prefix: string): Promise<readonly T[]>
  put(name: string, value: unknown): Promise<void>
  /** Everything under a prefix is taken away, and what is given is put: all or nothing. */
  replace(prefix: string, rows: ReadonlyMap<string, unknown>): Promise<void>
}

/** One device of one account. Every promise of a change resolves when a power cut cannot take the change back. */
export interface Engine {
  /** The account's chain, and this device as the chain names it. */
  readonly chain: Digest
  readonly device: string
  connection(): ConnectionState
  archive(): ArchiveState
  conversations(): Promise<readonly Conversation[]>
  conversation(id: Digest): Promise<Conversation | undefined>
  /** Oldest first. */
  messages(conversation: Digest, options?: PageOptions): Promise<readonly ShownMessage[]>
  /** As it is now: edited, taken back. Undefined: not here. */
  message(conversation: Digest, id: Digest): Promise<ShownMessage | undefined>
  /**
   * The one conversation with somebody who is a contact: it is made if there is none. The first message waits until the other has a device
   * in it. `contact`: chain, or `handle@host`, which is looked up if it is not pinned.
   */
  openDirect(contact: string): Promise<Conversation>
  /** Takes it into the outbox and resolves; what becomes of it are `outbox` events. Throws `usage`, `limit.size`, `chat.removed`, `account.changed`. */
  send(conversation: Digest, draft: Draft): Promise<ShownMessage>
  /** Sends again what `failed`, in its order. */
  retry(conversation: Digest): Promise<void>
  /** All that was shown up to and with this message. */
  markRead(conversation: Digest, message: Digest): Promise<void>
  /** Tells those who are there now. Nothing is kept, and nothing is told to strangers. */
  setTyping(conversation: Digest, isTyping: boolean): Promise<void>
  /** From the call on; what was before is asked of `conversations` and `messages`. A slow reader of it loses nothing and stops nobody. Ends with `close`. */
  events(): AsyncIterableIterator<EngineEvent>
  /** Devices of members who may have what is offered there: none of somebody who is not accepted, or blocked. */
  devices(conversation: Digest): Promise<readonly ConversationDevice[]>
  /**
   * Who is there for what is given to members from now on: who is to be removed is not, who has no device now is. Throws `usage`, `chat.removed`,
   * `account.changed`: why nothing is given there now.
   */
  members(conversation: Digest): Promise<readonly Digest[]>
  /** Tells the members who are there now where this device is reached for files, signed. False: nobody could be told. */
  tellPresence(conversation: Digest, address: MoverAddress, about?: PresenceAbout): Promise<boolean>
  /** Tells them what this device shares with them: the lines of its manifest. False: nobody could be told. */
  tellShares(conversation: Digest, shares: ContentTypes["shares"], statement: Uint8Array): Promise<boolean>
  /** By this device, now. */
  signManifest(manifest: OwnManifest): Promise<FileManifest>
  /** Somebody's chain as far as it is known here. `isFresh`: the stores are asked first; those that are silent change nothing. */
  chainOf(chain: Digest, isFresh?: boolean): Promise<ChainReplay | undefined>
  /** Tells who offered it what became of it. Kept until it is sent. */
  tellFileState(conversation: Digest, transfer: string, state: FileState): Promise<void>
  readonly shelf: Shelf
  readonly groups: Groups
  readonly contacts: Contacts
  readonly alarms: Alarms
  settings(): Promise<EngineSettings>
  setSettings(settings: Partial<EngineSettings>): Promise<void>
  /** Resolves when nothing waits that could be sent or worked off now, or after `timeoutMs`. `false`: something still waits. For commands that send and end. */
  settled(timeoutMs: number): Promise<boolean>
  /**
   * Resolves when what was said and read so far stands in the archive, or after `timeoutMs`. True too where it is not written to, or not now; `false`:
   * there was no time, or no connection, and it is written the next time. For commands that end.
   */
  archived(timeoutMs: number): Promise<boolean>
  /** Ends all work after what is being written. */
  close(): Promise<void>
}

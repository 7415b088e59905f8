/** Rows of the engine: what stands in each, under which key, and how it is written. */
import type { Digest } from "@kez/core"
import { decodeText } from "@kez/core"
import { ByteReader, encodeText } from "../bytes.ts"
import type { DeliveryState } from "./engine.ts"

const maxRowBytes = 67_108_864

/** What was put into, or decoded of, rows that are kept in memory, by their bytes. Values are not changed by who reads them. */
const decoded = new WeakMap<Uint8Array, { readonly value: unknown; readonly end: number }>()

/** A value as JSON, and bytes behind it. */
export function encodeRow(value: unknown, bytes: Uint8Array = new Uint8Array()): Uint8Array {
  const text = encodeText(JSON.stringify(value))
  const row = new Uint8Array(4 + text.length + bytes.length)
  new DataView(row.buffer).setUint32(0, text.length)
  row.set(text, 4)
  row.set(bytes, 4 + text.length)
  decoded.set(row, { value, end: 4 + text.length })
  return row
}

/** A value as it comes back after a restart: without members that are undefined. The same one if it has none. */
export function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) {
    const items = value.map(plain)
    return items.some((item, i) => item !== value[i]) ? items : value
  }
  const members = Object.entries(value)
  const kept = members.flatMap(([name, member]) => (member === undefined ? [] : [[name, plain(member)] as const]))
  const isSame = kept.length === members.length && kept.every(([, member], i) => member === members[i]?.[1])
  return isSame ? value : Object.fromEntries(kept)
}

/** What `encodeRow` wrote. The store seals rows, so that nothing else than that comes back: it is not checked again. */
export function decodeRow<T>(row: Uint8Array): { readonly value: T; readonly bytes: Uint8Array } {
  const known = decoded.get(row) ?? readRow(row)
  decoded.set(row, known)
  return { value: known.value as T, bytes: row.slice(known.end) }
}

function readRow(row: Uint8Array): { readonly value: unknown; readonly end: number } {
  const reader = new ByteReader(row, "a row of the store")
  const text = reader.sized(maxRowBytes)
  return { value: JSON.parse(decodeText(text, maxRowBytes)), end: 4 + text.length }
}

/** Numbers in keys sort as they count. */
export function padded(number: number): string {
  return String(number).padStart(16, "0")
}

const hex = (digest: Digest): string => digest.slice("sha256:".length)

export const keys = {
  cursor: "cursor",
  credential: "credential",
  settings: "settings",
  group: (group: Digest) => `group/${hex(group)}`,
  groups: "group/",
  thread: (thread: Digest) => `thread/${hex(thread)}`,
  threads: "thread/",
  record: (group: Digest) => `mls/${hex(group)}/record`,
  journal: (group: Digest, n?: number) => `mls/${hex(group)}/journal/${n === undefined ? "" : padded(n)}`,
  sequence: (group: Digest, device: string) => `sequence/${hex(group)}/${device}`,
  sequences: (group: Digest) => `sequence/${hex(group)}/`,
  /** Ids of its messages that are older than those in its own row. */
  olderIds: (group: Digest, device: string) => `older-ids/${hex(group)}/${device}`,
  message: (thread: Digest, place = "") => `message/${hex(thread)}/${place}`,
  /** Where the message with an id stands. */
  placeOf: (thread: Digest, id: Digest) => `place/${hex(thread)}/${hex(id)}`,
  /** Edits, deletions, reactions, by what they are about. */
  notes: (thread: Digest) => `note/${hex(thread)}/`,
  note: (thread: Digest, about: Digest, id?: Digest) =>
    `note/${hex(thread)}/${hex(about)}/${id === undefined ? "" : hex(id)}`,
  outbox: (group: Digest, n?: number) => `outbox/${hex(group)}/${n === undefined ? "" : padded(n)}`,
  /** What stood inside our own messages, by their counter. */
  own: (group: Digest, counter?: number) => `own/${hex(group)}/${counter === undefined ? "" : padded(counter)}`,
  unconfirmed: (group: Digest, counter?: number) =>
    `unconfirmed/${hex(group)}/${counter === undefined ? "" : padded(counter)}`,
  /** Of before: the place of each ciphertext that was opened. */
  seen: (group: Digest) => `seen/${hex(group)}/`,
  welcome: (group: Digest, device?: string) => `welcome/${hex(group)}/${device ?? ""}`,
  /** What is to be changed in a group, in its order. */
  changes: (group: Digest, n?: number) => `change/${hex(group)}/${n === undefined ? "" : padded(n)}`,
  inbox: (group: Digest, seq?: number) => `inbox/${hex(group)}/${seq === undefined ? "" : padded(seq)}`,
  inboxes: "inbox/",
  /** Conversations that deliveries came of and no Welcome yet. */
  strangers: "strangers",
  keyPackage: (ref: Digest) => `key-package/${hex(ref)}`,
  keyPackages: "key-package/",
  contact: (chain: Digest) => `contact/${hex(chain)}`,
  contacts: "contact/",
  pin: (handle: string) => `pin/${handle}`,
  directory: (host: string) => `directory/${host}`,
  server: (host: string) => `server/${host}`,
  watch: (handle: string) => `watch/${handle}`,
  alarm: (id: string) => `alarm/${id}`,
  alarms: "alarm/",
  /** What a device said last of where it is. */
  presence: (thread: Digest, device: string) => `presence/${hex(thread)}/${device}`,
  ownPresence: "own-presence",
  /** Of the files part. */
  shelf: (name: string) => `file/${name}`,
  archive: "archive",
  archiveQueue: (n?: number) => `archive-queue/${n === undefined ? "" : padded(n)}`,
  archivePending: "archive-pending",
  archiveKey: "archive-key",
  archiveNewest: "archive-newest",
  archiveEpoch: (id: Digest) => `archive-epoch/${hex(id)}`,
  archiveEpochs: "archive-epoch/",
  /** The server's place of the first document of an epoch. */
  archiveSeen: (id: Digest) => `archive-seen/${hex(id)}`,
  archiveCredential: (device: string) => `archive-credential/${device}`,
  archiveCredentials: "archive-credential/",
  settledAlarm: (name: string) => `settled/${name}`,
} as const

/** A conversation as people see it. Of two people it may be carried by several groups: both may open one at once. */
export interface ThreadRow {
  readonly id: Digest
  readonly kind: "dm" | "group"
  readonly contact?: Digest
  readonly groups: readonly Digest[]
  readonly nextSlot: number
  readonly lastAt?: number
  readonly readPlace: string
  readonly unread: number
  /** Of messages out of the archive, which stand before those that came here. */
  readonly nextArchived?: number
  /** From the archive, where this device is in none of its groups. */
  readonly name?: string
  readonly members?: readonly Digest[]
  /** Of a group: who brought this person in. Absent: this account made it. */
  readonly addedBy?: Digest
  /** It was asked to be let go. */
  readonly isLeaving?: boolean
}

export interface GroupRow {
  readonly group: Digest
  readonly thread: Digest
  /** The server's place of the newest commit that was applied or refused here; 0: none. */
  readonly lastCommit: number
  /** The server's place of the newest message that was opened here; one that comes again does so there or before. Absent: a row of before. */
  readonly openedTo?: number
  /** Before this one nothing can be read here. */
  readonly joinedEpoch: number
  /** Of this device's own messages. */
  readonly nextCounter: number
  readonly lastId?: Digest
  readonly nextOutbox: number
  /** What was sent and is kept for who misses it. */
  readonly ownKept?: number
  readonly receipts: Readonly<Record<string, ReceiptRow>>
  /** Who let this device in, by what it was told where the messages of the others stand. */
  readonly toldBy?: { readonly chain: Digest; readonly device: string }
  /** Counter of the first own message since this device is in it: one that is added again goes on behind what the others know of it. */
  readonly begunAt?: number
  /** Counter of the first own message that a device which came later can read. */
  readonly since?: Readonly<Record<string, number>>
  /** Of each person: all own messages before this one were said to be delivered by a device of his. */
  readonly confirmedBy?: Readonly<Record<Digest, number>>
  /** What a device that came was given of before: own messages from `from` on, and the last copy of them. */
  readonly given?: Readonly<Record<string, { readonly from: number; readonly last: number }>>
  /** Of people who came in while this device was in it: the first epoch that they could read, and the first own message. Absent: a row of before. */
  readonly cameIn?: Readonly<Record<Digest, { readonly epoch: number; readonly counter: number }>>
  /** Devices that came in, and were not given yet what none of their people's confirmed: a step of its own. */
  readonly toGive?: readonly { readonly chain: Digest; readonly device: string }[]
  /** The change that a commit of ours makes, while it waits for the server. */
  readonly changing?: { readonly commit: Digest; readonly key: string }
  readonly isRemoved?: boolean
  /** The mailbox has not got everything: the conversation itself is asked. */
  readonly isBehind?: boolean
  /** From this place of the server on; absent: after the newest that came. */
  readonly behindFrom?: number
  /** From this place on something waited for a commit, and was dropped: it is read again when one came. */
  readonly droppedFrom?: number
  /** The first epoch that such a thing claims to be of. */
  readonly droppedEpoch?: number
  /** The epoch in which a device is too far ahead to be read. */
  readonly stuckEpoch?: number
  /** Unix seconds: when such an epoch was ended last. */
  readonly unstuckAt?: number
  /** The server refused something for good: nothing goes out before `retry`. */
  readonly isStopped?: boolean
  /** Unix seconds: when a commit was made because the server was told other members than the state has. */
  readonly healedAt?: number
  /** Such a commit is due. */
  readonly isToldWrong?: boolean
  /** So many of this device's messages were said to be delivered: those before it need not be looked at again. */
  readonly confirmed?: number
}

/** Of the messages of one device of another: up to where they came and were read, and what of that was said. */
export interface ReceiptRow {
  readonly delivered: number
  readonly saidDelivered: number
  readonly read: number
  readonly saidRead: number
}

export interface MessageRow {
  readonly id: Digest
  readonly place: string
  readonly group: Digest
  readonly chain: Digest
  readonly device: string
  readonly counter: number
  readonly at: number
  /** Unix seconds by our clock: when it was first shown by a device of ours. Orders what comes out of the archive. */
  readonly cameAt?: number
  readonly type: string
  /** Members of the content. */
  readonly content: unknown
  readonly text?: string
  readonly isEarly: boolean
  readonly isOwn: boolean
  readonly state?: DeliveryState
  readonly code?: string | undefined
  readonly reason?: string | undefined
  readonly seq?: number
}

export interface NoteRow {
  readonly id: Digest
  readonly kind: "edit" | "delete" | "reaction"
  readonly chain: Digest
  readonly device: string
  readonly counter: number
  readonly at: number
  readonly text?: string
  readonly emoji?: string
  readonly action?: "add" | "remove"
}

/** Behind it stands the ciphertext, once it was made. */
export interface OutboxRow {
  readonly n: number
  readonly counter: number
  readonly id: Digest
  /** Where it is shown; absent: it is not. */
  readonly place?: string
  /** The epoch that it was encrypted in. */
  readonly epoch?: number
  /** It is another message once more: nobody is sent it again. */
  readonly isCopy?: boolean
}

export interface UnconfirmedRow {
  readonly id: Digest
  readonly place?: string
  readonly state: "sent" | "delivered"
}

/** Behind it stands the Welcome. */
export interface WelcomeRow {
  readonly chain: Digest
  readonly device: string
  readonly commit: number
}

export interface ContactRow {
  readonly chain: Digest
  readonly handle?: string
  readonly standing: "accepted" | "request" | "blocked"
  readonly seenDevices: readonly string[]
}

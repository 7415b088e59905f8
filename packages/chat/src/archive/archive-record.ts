/** What stands inside an entry of the archive: messages, what was said about them, contacts. A table of members each; texts are parts, as they were typed. */
import { type Digest, decodeText, type Json, KezError } from "@kez/core"
import {
  anyString,
  assertObject,
  type Check,
  count,
  digest,
  fault,
  keyIdentity,
  list,
  optional,
  record,
  required,
} from "@kez/core/schema"
import { encodeText } from "../bytes.ts"
import {
  maxArchiveHeaderBytes,
  maxArchiveTextBytes,
  maxContentBytes,
  maxConversationMembers,
  maxConversationNameLength,
} from "../limits.ts"
import { type Content, isContentType, parseContent } from "../wire/content.ts"
import { decodeFrame, encodeFrame } from "../wire/frame.ts"

export interface ThreadRecord {
  readonly type: "thread"
  readonly thread: Digest
  readonly kind: "dm" | "group"
  readonly contact?: Digest
  readonly name?: string
  readonly members: readonly Digest[]
}

export interface MessageRecord {
  readonly type: "message"
  readonly thread: Digest
  readonly id: Digest
  readonly group: Digest
  readonly chain: Digest
  readonly device: string
  readonly counter: number
  readonly at: number
  /** Unix seconds by the clock of the device that wrote it here. */
  readonly cameAt: number
  readonly content: Content
  readonly text?: string
}

export interface NoteRecord {
  readonly type: "note"
  readonly thread: Digest
  readonly about: Digest
  readonly id: Digest
  readonly kind: "edit" | "delete" | "reaction"
  readonly chain: Digest
  readonly device: string
  readonly counter: number
  readonly at: number
  readonly emoji?: string
  readonly action?: "add" | "remove"
  readonly text?: string
}

export interface ContactRecord {
  readonly type: "contact"
  readonly chain: Digest
  readonly handle?: string
  readonly standing: "accepted" | "request" | "blocked"
  readonly devices: readonly string[]
}

export type ArchiveRecord = ThreadRecord | MessageRecord | NoteRecord | ContactRecord

type Written<T extends ArchiveRecord["type"]> = Omit<Extract<ArchiveRecord, { type: T }>, "type" | "text">
type WithText<T> = T & { readonly text?: number }

function oneOf<T extends string>(...values: readonly T[]): Check<T> {
  return (value, name) => {
    const found = values.find((known) => known === anyString(value, name))
    if (found === undefined) throw fault("schema.value", name, `one of ${values.join(", ")}`)
    return found
  }
}

function upTo(max: number): Check<string> {
  return (value, name) => {
    if (anyString(value, name).length > max) throw fault("schema.value", name, `at most ${max} characters`)
    return anyString(value, name)
  }
}

function devices(value: Json, name: string): readonly string[] {
  if (!Array.isArray(value)) throw fault("schema.type", name, "an array")
  return value.map((entry) => keyIdentity(entry, name))
}

/** One that a newer version made is shown as "update to read", like a message that came. */
function content(value: Json, name: string): Content {
  assertObject(value, name)
  const { type, ...members } = value
  const kind = anyString(type ?? null, name)
  if (isContentType(kind)) return parseContent(kind, members)
  return { type: "unknown", name: kind === "unknown" ? upTo(64)(members["name"] ?? null, name) : kind.slice(0, 64) }
}

const said = {
  thread: required(digest),
  id: required(digest),
  chain: required(digest),
  device: required(keyIdentity),
  counter: required(count),
  at: required(count),
  text: optional(count),
} as const

const checks = {
  thread: record<Written<"thread">>({
    thread: required(digest),
    kind: required(oneOf("dm", "group")),
    contact: optional(digest),
    name: optional(upTo(maxConversationNameLength)),
    members: required(list(digest, 1, maxConversationMembers)),
  }),
  message: record<WithText<Written<"message">>>({
    ...said,
    cameAt: required(count),
    group: required(digest),
    content: required(content),
  }),
  note: record<WithText<Written<"note">>>({
    ...said,
    about: required(digest),
    kind: required(oneOf("edit", "delete", "reaction")),
    emoji: optional(upTo(64)),
    action: optional(oneOf("add", "remove")),
  }),
  contact: record<Written<"contact">>({
    chain: required(digest),
    handle: optional(upTo(320)),
    standing: required(oneOf("accepted", "request", "blocked")),
    devices: required(devices),
  }),
} as const

/** As many from the front as one entry holds, at least one. */
export function encodeRecords(records: readonly ArchiveRecord[]): {
  readonly bytes: Uint8Array
  readonly count: number
} {
  const header: Json[] = []
  const parts: Uint8Array[] = []
  let [headerBytes, textBytes] = [0, 0]
  for (const one of records) {
    const text = "text" in one && one.text !== undefined ? encodeText(one.text) : undefined
    const { text: _, ...members } = { text: undefined, ...one }
    // Rows and contents are JSON.
    const written = { ...members, ...(text === undefined ? {} : { text: parts.length }) } as unknown as Json
    headerBytes += encodeText(JSON.stringify(written)).length + 1
    textBytes += text?.length ?? 0
    if (header.length > 0 && (headerBytes > maxArchiveHeaderBytes || textBytes > maxArchiveTextBytes)) break
    header.push(written)
    if (text !== undefined) parts.push(text)
  }
  return { bytes: encodeFrame({ header, parts }), count: header.length }
}

/** The records that this version knows. One that does not fit its table is left out: the others are not to be lost for it. Throws the codes of frames. */
export function decodeRecords(bytes: Uint8Array): readonly ArchiveRecord[] {
  const { header, parts } = decodeFrame(bytes)
  if (!Array.isArray(header)) throw fault("schema.type", "archive records", "an array")
  return header.flatMap((value: Json) => {
    const one = tryRecord(value, parts)
    return one === undefined ? [] : [one]
  })
}

function tryRecord(value: Json, parts: readonly Uint8Array[]): ArchiveRecord | undefined {
  try {
    assertObject(value, "record")
    const { type, ...members } = value
    switch (type) {
      case "thread":
        return { type, ...checks.thread(members, "record") }
      case "message":
        return { type, ...withText(checks.message(members, "record"), parts) }
      case "note":
        return { type, ...withText(checks.note(members, "record"), parts) }
      case "contact":
        return { type, ...checks.contact(members, "record") }
      default:
        return undefined
    }
  } catch (error) {
    if (error instanceof KezError) return undefined
    throw error
  }
}

function withText<T extends object>(value: WithText<T>, parts: readonly Uint8Array[]): T & { readonly text?: string } {
  const { text, ...rest } = value
  if (text === undefined) return rest as unknown as T
  const part = parts[text]
  if (part === undefined) throw fault("schema.value", "text", "the number of a part")
  return { ...(rest as unknown as T), text: decodeText(part, maxContentBytes) }
}

/** The content types of messages: each a table of members; text stands behind the header, as it was typed. */
import { type Digest, type Json, limits } from "@kez/core"
import {
  anyString,
  assertObject,
  type Check,
  count,
  digest,
  fault,
  hex32,
  keyIdentity,
  optional,
  record,
  required,
} from "@kez/core/schema"
import { maxAskedMessages, maxListBytes, maxListedFiles } from "../limits.ts"

/** Ids of messages are the digests of what stood inside the ciphertext. */
export interface ContentTypes {
  /** Markdown. */
  text: { readonly mentions?: readonly Digest[] }
  reply: { readonly to: Digest; readonly mentions?: readonly Digest[] }
  /** In the thread that begins with `root`. */
  thread: { readonly root: Digest; readonly mentions?: readonly Digest[] }
  edit: { readonly of: Digest; readonly mentions?: readonly Digest[] }
  delete: { readonly of: Digest }
  reaction: { readonly to: Digest; readonly emoji: string; readonly action: "add" | "remove" }
  /** All messages of a device up to this one were delivered or read. */
  receipt: { readonly state: "delivered" | "read"; readonly device: string; readonly counter: number }
  typing: { readonly state: "on" | "off" }
  file_offer: {
    readonly transfer: string
    readonly name: string
    readonly size: number
    readonly media_type: string
    readonly hash: string
    /** Of a folder, or of several files: how many. Then `size` is of all of them together, and `hash` of the list of them. */
    readonly files?: number
    /** Bytes of that list. */
    readonly list_size?: number
  }
  /**
   * By who fetches: what became of an offer here. `serving`: done, and given to other members as long as this device is there. `open`: still under way, by either
   * side; it changes nothing, and is one of the messages that stay.
   */
  file_state: { readonly transfer: string; readonly state: "done" | "serving" | "declined" | "open" }
  /** Where a device is reached for files. Behind the header stands its signed statement. `shares`: asks besides for what the others share. */
  presence: { readonly for: PresenceWish }
  /** What the device shares with who reads this. Behind the header: its newest manifest, and a line further the one that the chain names, where that is another. */
  shares: {
    /** BLAKE3 of the root document, where there is something to read. */
    readonly root?: string
    readonly sections: readonly SectionKey[]
  }
  /** `leave`: asks to be removed; nobody can remove himself. */
  membership: { readonly action: "leave" }
  /** Asks for messages of a device that are missing here. */
  resend_request: { readonly device: string; readonly from: number; readonly to: number }
  /**
   * Behind the header stands what was inside the ciphertext of the message that was missing. `at`: it was sent then, in Unix seconds, before the reader came in;
   * its own device gives it beside its count.
   */
  resent: { readonly device: string; readonly counter: number; readonly at?: number }
  /** To a device that asked: what this one sent before that counter is not for it, or is not there any more. */
  not_resent: { readonly to: string; readonly before: number }
}

export type PresenceWish = "files" | "shares"

/** Opens the pages of a section of the root document. */
export interface SectionKey {
  readonly at: number
  /** 64 hex. */
  readonly key: string
}

export type ContentType = keyof ContentTypes
export type FileState = ContentTypes["file_state"]["state"]

/** Kept and shown as "update to read": made by a newer version. */
export interface UnknownContent {
  readonly type: "unknown"
  readonly name: string
}

export type Content =
  | { readonly [T in ContentType]: { readonly type: T } & ContentTypes[T] }[ContentType]
  | UnknownContent

const maxMentions = 64

function oneOf<T extends string>(...values: readonly T[]): Check<T> {
  return (value, name) => {
    const found = values.find((known) => known === anyString(value, name))
    if (found === undefined) throw fault("schema.value", name, `one of ${values.join(", ")}`)
    return found
  }
}

/** 1 to `max` characters as people count them, without controls (JSON has none). */
function shortName(max: number): Check<string> {
  return (value, name) => {
    const { length } = [...anyString(value, name)]
    if (length < 1 || length > max) throw fault("schema.value", name, `1 to ${max} characters`)
    return anyString(value, name)
  }
}

const mentions: Check<readonly Digest[]> = (value, name) => {
  if (!Array.isArray(value)) throw fault("schema.type", name, "an array")
  if (value.length < 1 || value.length > maxMentions) throw fault("schema.value", name, `1 to ${maxMentions} entries`)
  return value.map((entry: Json) => digest(entry, name))
}

const sectionKey = record<SectionKey>({ at: required(count), key: required(hex32) })
const sectionKeys: Check<readonly SectionKey[]> = (value, name) => {
  if (!Array.isArray(value)) throw fault("schema.type", name, "an array")
  if (value.length > limits.maxFileSections)
    throw fault("limit.entries", name, `at most ${limits.maxFileSections} sections`)
  return value.map((entry: Json) => sectionKey(entry, name))
}

const checks: { readonly [T in ContentType]: Check<ContentTypes[T]> } = {
  text: record<ContentTypes["text"]>({ mentions: optional(mentions) }),
  reply: record<ContentTypes["reply"]>({ to: required(digest), mentions: optional(mentions) }),
  thread: record<ContentTypes["thread"]>({ root: required(digest), mentions: optional(mentions) }),
  edit: record<ContentTypes["edit"]>({ of: required(digest), mentions: optional(mentions) }),
  delete: record<ContentTypes["delete"]>({ of: required(digest) }),
  reaction: record<ContentTypes["reaction"]>({
    to: required(digest),
    emoji: required(shortName(16)),
    action: required(oneOf("add", "remove")),
  }),
  receipt: record<ContentTypes["receipt"]>({
    state: required(oneOf("delivered", "read")),
    device: required(keyIdentity),
    counter: required(count),
  }),
  typing: record<ContentTypes["typing"]>({ state: required(oneOf("on", "off")) }),
  file_offer: record<ContentTypes["file_offer"]>(
    {
      transfer: required(hex32),
      name: required(shortName(255)),
      size: required(count),
      media_type: required(shortName(127)),
      hash: required(hex32),
      files: optional(count),
      list_size: optional(count),
    },
    ({ files, list_size }) => {
      if ((files === undefined) !== (list_size === undefined)) throw fault("schema.value", "files", "with list_size")
      if (files !== undefined && (files < 1 || files > maxListedFiles))
        throw fault("schema.value", "files", `1 to ${maxListedFiles}`)
      if (list_size !== undefined && (list_size < 1 || list_size > maxListBytes))
        throw fault("schema.value", "list_size", `1 to ${maxListBytes} bytes`)
    },
  ),
  file_state: record<ContentTypes["file_state"]>({
    transfer: required(hex32),
    state: required(oneOf("done", "serving", "declined", "open")),
  }),
  presence: record<ContentTypes["presence"]>({ for: required(oneOf("files", "shares")) }),
  shares: record<ContentTypes["shares"]>({ root: optional(hex32), sections: required(sectionKeys) }),
  membership: record<ContentTypes["membership"]>({ action: required(oneOf("leave")) }),
  resend_request: record<ContentTypes["resend_request"]>(
    { device: required(keyIdentity), from: required(count), to: required(count) },
    ({ from, to }) => {
      if (to < from || to - from >= maxAskedMessages)
        throw fault("schema.value", "to", `1 to ${maxAskedMessages} messages`)
    },
  ),
  resent: record<ContentTypes["resent"]>({
    device: required(keyIdentity),
    counter: required(count),
    at: optional(count),
  }),
  not_resent: record<ContentTypes["not_resent"]>({ to: required(keyIdentity), before: required(count) }),
}

/** Types with something behind the header. The others have nothing there. */
const withBody: ReadonlySet<string> = new Set<ContentType>([
  ...["text", "reply", "thread", "edit", "resent"],
  ...["presence", "shares"],
] as ContentType[])
/** Types that take no place in a device's count: one that is lost is not missed. */
const uncounted: ReadonlySet<string> = new Set<ContentType>(["typing", "presence", "shares"])

export function isContentType(name: string): name is ContentType {
  return Object.hasOwn(checks, name)
}

export function hasBody(type: string): boolean {
  return withBody.has(type)
}

export function isCounted(type: string): boolean {
  return !uncounted.has(type)
}

export function parseContent(type: ContentType, value: Json): Content {
  assertObject(value, "content")
  const content = checks[type](value, "content")
  return { ...content, type } as Content // the table of `type` was checked
}

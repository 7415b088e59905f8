/**
 * What stands inside the ciphertext: a header in canonical JSON, and behind it the text, byte for byte. The header counts the messages
 * of a device and names the one before, so that a broker that drops, repeats or reorders is noticed.
 *
 * 1 byte version ‖ 2 bytes length of the header ‖ header ‖ body
 */
import { canonicalize, type Digest, decodeText, digestOf, type Json, KezError, parseJson } from "@kez/core"
import {
  anyString,
  assertObject,
  type Check,
  count,
  digest,
  fault,
  keyIdentity,
  optional,
  record,
  required,
} from "@kez/core/schema"
import { ByteReader, encodeText, joinBytes, uintBytes } from "../bytes.ts"
import { maxContentBytes, maxContentHeaderBytes } from "../limits.ts"
import {
  type Content,
  type ContentType,
  type ContentTypes,
  hasBody,
  isContentType,
  isCounted,
  parseContent,
} from "./content.ts"

/** The place of a message among those of its device in this conversation. */
export interface Place {
  readonly device: string
  /** From 0 on; absent for types that are not counted. */
  readonly counter?: number
  /** Id of the message before; absent exactly at 0. */
  readonly prev?: Digest
}

export interface Message extends Place {
  /** Digest of the whole: what replies, edits and the next message name. */
  readonly id: Digest
  readonly content: Content
  /** UTF-8 text for types that have one, read by `textOf`; what was inside the ciphertext for `resent`. */
  readonly body: Uint8Array
  /** Why the content cannot be shown, where its header is right and the rest is not. */
  readonly contentFault?: KezError
}

interface Header extends Place {
  readonly type: string
  readonly content: Json
}

const version = 1
const what = "the message"

const headerCheck = record<Header>(
  {
    device: required(keyIdentity),
    counter: optional(count),
    prev: optional(digest),
    type: required(typeName()),
    content: required((value, name) => {
      assertObject(value, name)
      return value
    }),
  },
  ({ type, counter, prev }) => {
    if (!isCounted(type) && counter !== undefined) throw fault("schema.value", "counter", "none in this type")
    if (isCounted(type) && counter === undefined) throw fault("schema.missing_member", "header", "a member counter")
    if ((counter ?? 0) > 0 !== (prev !== undefined))
      throw fault("schema.value", "prev", "the message before, but for the first")
  },
)

export function encodeMessage<T extends ContentType>(
  place: Place,
  type: T,
  { content, body = new Uint8Array() }: { readonly content: ContentTypes[T]; readonly body?: Uint8Array },
): { readonly bytes: Uint8Array; readonly id: Digest; readonly message: Message } {
  const header = { ...place, type, content: content as Json } // its members are text, numbers and lists
  const text = encodeText(canonicalize(header))
  if (text.length > maxContentHeaderBytes) throw tooLong("header", maxContentHeaderBytes)
  const bytes = joinBytes(Uint8Array.of(version), uintBytes(text.length, 2), text, body)
  if (bytes.length > maxContentBytes) throw tooLong("message", maxContentBytes)
  const id = digestOf(bytes)
  // What it refuses to read is not sent.
  const message = messageOf({ header: headerCheck(header, "header"), body, id })
  if (message.contentFault !== undefined) throw message.contentFault
  return { bytes, id, message }
}

function tooLong(part: string, most: number): KezError {
  return new KezError("limit.size", `Cannot write the message: expected a ${part} of at most ${most} bytes`)
}

/**
 * The message in an opened ciphertext. `device` is who sent it by MLS. Size, then structure. An unknown type is kept; a known one whose
 * content does not fit has a `contentFault`, and its place still counts. Throws `limit.size`, `chat.encoding` or the codes of decoding.
 */
export function decodeMessage(bytes: Uint8Array, device: string): Message {
  const opened = readHeader(bytes)
  if (opened.header.device !== device) {
    throw new KezError("chat.decrypt", "Cannot accept the message: it names another device than the one that sent it", {
      hint: "It is shown to nobody.",
    })
  }
  return messageOf(opened)
}

interface Opened {
  readonly header: Header
  readonly body: Uint8Array
  readonly id: Digest
}

function messageOf({ header, body, id }: Opened): Message {
  const { type, content: value, ...place } = header
  const message = { ...place, id, body }
  if (!isContentType(type)) return { ...message, content: { type: "unknown", name: type } }
  try {
    if (!hasBody(type) && body.length > 0) throw encodingFault("text in a type that has none")
    return { ...message, content: parseContent(type, value) }
  } catch (contentFault) {
    if (!(contentFault instanceof KezError)) throw contentFault
    return { ...message, content: { type: "unknown", name: type }, contentFault }
  }
}

/** The text of a message: well-formed UTF-8, line ends and all. How controls are shown is the screen's matter. */
export function textOf({ body }: Pick<Message, "body">): string {
  return decodeText(body, maxContentBytes)
}

/** A message of another device that was sent again by whoever had it: what it says of itself, to be held against what is missing. */
export function readResent(bytes: Uint8Array): Message {
  const { header } = readHeader(bytes)
  return decodeMessage(bytes, header.device)
}

function readHeader(bytes: Uint8Array): Opened {
  if (bytes.length > maxContentBytes) {
    throw new KezError("limit.size", `Cannot read the message: expected at most ${maxContentBytes} bytes`)
  }
  const reader = new ByteReader(bytes, what)
  if (reader.uint(1) !== version) throw encodingFault("another version")
  const length = reader.uint(2)
  const text = decodeText(reader.bytes(length), maxContentHeaderBytes)
  const value = parseJson(text)
  if (canonicalize(value) !== text) throw encodingFault("a header that is not in canonical form")
  return { header: headerCheck(value, "header"), body: bytes.slice(3 + length), id: digestOf(bytes) }
}

function typeName(): Check<string> {
  return (value, name) => {
    const text = anyString(value, name)
    if (!/^[a-z][a-z0-9_]{0,31}$/.test(text)) throw fault("schema.value", name, "a name of lower-case letters")
    return text
  }
}

function encodingFault(found: string): KezError {
  return new KezError("chat.encoding", `Cannot read the message: it has ${found}`, {
    hint: "It was made by another version of KEZ. Update to read it.",
  })
}

/** What the chat server puts into a mailbox: in the clear what it knows anyway, and behind it what it cannot read. Nothing in it is believed: the device judges what it decrypts. */
import type { Digest, Json } from "@kez/core"
import { anyString, type Check, count, digest, fault, list, optional, record, required } from "@kez/core/schema"
import { maxConversationMembers } from "../limits.ts"
import { decodeFrame, encodeFrame } from "./frame.ts"

export const deliveryKinds = ["message", "commit", "welcome"] as const
export type DeliveryKind = (typeof deliveryKinds)[number]

export interface Delivery {
  readonly kind: DeliveryKind
  /** 64 hex. */
  readonly conversation: string
  /** Its place in the conversation; of a Welcome, that of the commit which added the device. */
  readonly seq: number
  /** As its sender named it. */
  readonly id: Digest
  /** Of a commit: the place of the one that it follows. */
  readonly follows?: number
  /** Of a commit: to whom the server delivers from then on. To be held against the state. */
  readonly members?: readonly Digest[]
  /** Of a Welcome: for this device, by its name on the broker. */
  readonly device?: string
  readonly data: Uint8Array
}

type Header = Omit<Delivery, "data">

const kind: Check<DeliveryKind> = (value, name) => {
  const found = deliveryKinds.find((known) => known === anyString(value, name))
  if (found === undefined) throw fault("schema.value", name, `one of ${deliveryKinds.join(", ")}`)
  return found
}

const conversationName: Check<string> = (value, name) => {
  if (!/^[0-9a-f]{64}$/.test(anyString(value, name))) throw fault("schema.value", name, "64 lower-case hex digits")
  return anyString(value, name)
}

const check = record<Header>({
  kind: required(kind),
  conversation: required(conversationName),
  seq: required(count),
  id: required(digest),
  follows: optional(count),
  members: optional(list(digest, 1, maxConversationMembers)),
  device: optional(anyString),
})

export function encodeDelivery({ data, ...header }: Delivery): Uint8Array {
  return encodeFrame({ header: { ...header } as Json, parts: [data] })
}

export function decodeDelivery(bytes: Uint8Array): Delivery {
  const { header, parts } = decodeFrame(bytes)
  const [data, ...others] = parts
  if (data === undefined || others.length > 0) throw fault("chat.encoding", "the delivery", "one part")
  return { ...check(header, "the delivery"), data }
}

/** What is passed on to who is there now, on `live.<uid>.<topic>`. Anybody in a conversation may have sent it: what is decrypted says who. */
export interface Live {
  readonly conversation: string
  readonly data: Uint8Array
}

const live = record<Omit<Live, "data">>({ conversation: required(conversationName) })

export function encodeLive({ data, ...header }: Live): Uint8Array {
  return encodeFrame({ header, parts: [data] })
}

export function decodeLive(bytes: Uint8Array): Live {
  const { header, parts } = decodeFrame(bytes)
  const [data, ...others] = parts
  if (data === undefined || others.length > 0) throw fault("chat.encoding", "the live message", "one part")
  return { ...live(header, "the live message"), data }
}

/** What a person, a device and their subjects are called on the chat's broker. Client and server derive the same. SPEC §2.3. */
import { base32nopad } from "@scure/base"
import { type Digest, isDigest, sha256 } from "../digest.ts"
import { KezError } from "../error.ts"
import { parseKeyIdentity } from "../identity.ts"
import { encodeUtf8 } from "../text.ts"

/** Bytes of the hash that make a name: 160 bits, of which 32 characters are written. */
const nameBytes = 20
const nameForm = /^[a-z2-7]{32}$/
const operationForm = /^[a-z][a-z0-9-]{0,31}$/
/** Streams that mailboxes are spread over. Fixed: another number would move every mailbox. */
export const mailboxShards = 64

/** A device on the broker, by the names that its permissions are made of. */
export interface BrokerDevice {
  /** From the chain id: 32 characters of a-z and 2-7. */
  readonly uid: string
  /** From the device's key: the same form. */
  readonly dev: string
}

/** The name of the person of a chain. Not the chain id itself, which is never shortened. */
export function userIdOf(chain: Digest): string {
  if (!isDigest(chain))
    throw new KezError("schema.value", "Cannot name a person: expected a chain id, sha256: and 64 hex")
  return nameOf("kez/chat/uid/v1", chain)
}

/** The name of a device by its key, the one that its owner's chain lists. */
export function deviceIdOf(key: string): string {
  parseKeyIdentity(key)
  return nameOf("kez/chat/dev/v1", key)
}

/** Whether a text has the form of `uid` and `dev`. Nothing that means something in a subject (`.`, `*`, `>`) is in it. */
export function isBrokerName(text: string): boolean {
  return nameForm.test(text)
}

/** The stream of a person's mailbox, by its number from 0 to 63. */
export function mailboxShardOf(uid: string): number {
  return (sha256(encodeUtf8(checkName(uid)))[0] ?? 0) % mailboxShards
}

/** Where a device receives answers. Set it as `inboxPrefix` of its connection. */
export function inboxPrefixOf({ uid, dev }: BrokerDevice): string {
  return `_INBOX.${checkName(uid)}.${checkName(dev)}`
}

/** Where a device sends a command to the chat server, as a request. */
export function commandSubjectOf({ uid, dev }: BrokerDevice, operation: string): string {
  if (!operationForm.test(operation)) throw new KezError("schema.value", "Cannot name a command: expected a-z 0-9 -")
  return `cmd.${checkName(uid)}.${checkName(dev)}.${operation}`
}

/** What all devices of a person hear without its being stored: typing, presence. */
export function liveSubjectOf(uid: string, topic: string): string {
  if (!operationForm.test(topic)) throw new KezError("schema.value", "Cannot name a live topic: expected a-z 0-9 -")
  return `live.${checkName(uid)}.${topic}`
}

/** The stream and the consumer that a device reads its person's mailbox by. */
export function mailboxReaderOf({ uid, dev }: BrokerDevice): { readonly stream: string; readonly consumer: string } {
  return { stream: `MBX${mailboxShardOf(uid)}`, consumer: `${uid}_${checkName(dev)}` }
}

function nameOf(label: string, text: string): string {
  const hash = sha256(encodeUtf8(`${label}\0${text}`))
  return base32nopad.encode(hash.subarray(0, nameBytes)).toLowerCase()
}

/** A name that came from elsewhere could hold a wildcard: a permission made of it would cover everybody. */
function checkName(name: string): string {
  if (!isBrokerName(name))
    throw new KezError("schema.value", "Cannot use the name: expected 32 characters of a-z and 2-7")
  return name
}

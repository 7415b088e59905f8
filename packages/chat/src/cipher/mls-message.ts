/** MLS messages at the border: size first, then the one spelling, then which of the five kinds it is. RFC 9420 §6. */
import { KezError } from "@kez/core"
import {
  decodeMlsMessage,
  encodeMlsMessage,
  type GroupInfo,
  type KeyPackage,
  type MLSMessage,
  type PrivateMessage,
  type PublicMessage,
  type Welcome,
} from "ts-mls"
import { equalBytes } from "../bytes.ts"
import { tryReadApplication } from "./private-message.ts"

const hint = "It was cut or altered on its way, or made by another program. Ask for it again."

/** The message of at most `maxBytes` bytes. `what` names it in messages. */
export function parseMlsMessage(bytes: Uint8Array, maxBytes: number, what: string): MLSMessage {
  if (bytes.length > maxBytes) {
    throw new KezError("limit.size", `Cannot read ${what}: expected at most ${maxBytes} bytes, got ${bytes.length}`)
  }
  const message = tryDecode(bytes)
  if (message === undefined) throw encodingFault(what, "one MLS message")
  // One value, one text: lengths in a longer spelling and bytes after the end would give a message two digests.
  if (!equalBytes(encodeMlsMessage(message), bytes)) throw encodingFault(what, "one MLS message in its only spelling")
  return message
}

export function parseKeyPackageMessage(bytes: Uint8Array, maxBytes: number): KeyPackage {
  const message = parseMlsMessage(bytes, maxBytes, "the key package")
  if (message.wireformat !== "mls_key_package") throw encodingFault("the key package", "a key package")
  return message.keyPackage
}

export function parseWelcome(bytes: Uint8Array, maxBytes: number): Welcome {
  const message = parseMlsMessage(bytes, maxBytes, "the Welcome")
  if (message.wireformat !== "mls_welcome") throw encodingFault("the Welcome", "a Welcome")
  return message.welcome
}

export function parseGroupInfo(bytes: Uint8Array, maxBytes: number): GroupInfo {
  const message = parseMlsMessage(bytes, maxBytes, "the group info")
  if (message.wireformat !== "mls_group_info") throw encodingFault("the group info", "a group info")
  return message.groupInfo
}

export type Handshake =
  | { readonly by: "member"; readonly message: PrivateMessage; readonly data: Uint8Array }
  | { readonly by: "newcomer"; readonly message: PublicMessage; readonly data: Uint8Array }

/** A commit: encrypted by a member, or in the clear by a device that joins by itself. Proposals alone are not used. */
export function parseCommit(bytes: Uint8Array, maxBytes: number): Handshake {
  const message = parseMlsMessage(bytes, maxBytes, "the commit")
  if (message.wireformat === "mls_private_message" && message.privateMessage.contentType === "commit") {
    return { by: "member", message: message.privateMessage, data: message.privateMessage.authenticatedData }
  }
  if (message.wireformat === "mls_public_message") {
    const { content, senderType } = message.publicMessage
    if (senderType === "new_member_commit" && content.contentType === "commit") {
      return { by: "newcomer", message: message.publicMessage, data: content.authenticatedData }
    }
  }
  throw new KezError(
    "chat.commit",
    "Cannot accept the commit: expected an encrypted one, or a device that joins by itself",
    {
      hint: "Its sender uses another program. Nothing of it was applied.",
    },
  )
}

export function parseApplicationMessage(bytes: Uint8Array, maxBytes: number): PrivateMessage {
  const read = bytes.length > maxBytes ? undefined : tryReadApplication(bytes)
  if (read !== undefined) return read
  // Says what is wrong with it.
  const message = parseMlsMessage(bytes, maxBytes, "the message")
  if (message.wireformat === "mls_private_message" && message.privateMessage.contentType === "application") {
    return message.privateMessage
  }
  throw encodingFault("the message", "an encrypted message")
}

function tryDecode(bytes: Uint8Array): MLSMessage | undefined {
  try {
    const decoded = decodeMlsMessage(bytes, 0)
    return decoded !== undefined && decoded[1] === bytes.length ? decoded[0] : undefined
  } catch {
    return undefined // its codec throws on some faults and answers undefined on others
  }
}

function encodingFault(what: string, expected: string): KezError {
  return new KezError("chat.encoding", `Cannot read ${what}: expected ${expected}`, { hint })
}

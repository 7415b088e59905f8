/**
 * What stands in an account's archive stream, in the order in which the server put it: who the words are, what is sealed to each device, epochs, and
 * entries. Only entries are encrypted; the others are statements that their signatures prove.
 */
import { KezError } from "@kez/core"
import { fault, keyIdentity, literal, record, required } from "@kez/core/schema"
import { maxArchiveEntryBytes } from "../limits.ts"
import { decodeFrame, encodeFrame } from "../wire/frame.ts"

export type ArchiveItem =
  /** `data`: an envelope `archive_key`. */
  | { readonly kind: "key"; readonly data: Uint8Array }
  /** `data`: an envelope `device_credential`. */
  | { readonly kind: "credential"; readonly data: Uint8Array }
  /** `data`: the document of an epoch. */
  | { readonly kind: "epoch"; readonly data: Uint8Array }
  /** `data`: what `sealArchiveEntry` made for the device. */
  | { readonly kind: "entry"; readonly device: string; readonly data: Uint8Array }

const entryCheck = record<{ kind: "entry"; device: string }>({
  kind: required(literal("entry")),
  device: required(keyIdentity),
})

/** Throws `limit.size`. */
export function encodeArchiveItem({ data, ...header }: ArchiveItem): Uint8Array {
  const bytes = encodeFrame({ header, parts: [data] })
  if (bytes.length > maxArchiveEntryBytes) throw tooLong()
  return bytes
}

/** Size, then structure. Undefined: of a kind that a newer version made. Throws `limit.size`, `chat.encoding` or the codes of decoding. */
export function decodeArchiveItem(bytes: Uint8Array): ArchiveItem | undefined {
  if (bytes.length > maxArchiveEntryBytes) throw tooLong()
  const { header, parts } = decodeFrame(bytes)
  const [data] = parts
  if (data === undefined || parts.length !== 1) throw fault("schema.value", "archive item", "one part")
  if (typeof header !== "object" || header === null || !("kind" in header)) {
    throw fault("schema.missing_member", "archive item", "a member kind")
  }
  const { kind } = header
  if (kind === "entry") return { ...entryCheck(header, "archive item"), data }
  return kind === "key" || kind === "credential" || kind === "epoch" ? { kind, data } : undefined
}

function tooLong(): KezError {
  return new KezError("limit.size", `Cannot use the archive item: expected at most ${maxArchiveEntryBytes} bytes`)
}

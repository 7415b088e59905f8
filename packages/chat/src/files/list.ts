/**
 * The list of an offer of several files: a document of its own that is fetched like a file, by the hash that stands in the encrypted offer. So it
 * needs no signature: who can write in the conversation made it.
 */
import { canonicalize, decodeText, type Json, KezError, parseJson } from "@kez/core"
import { anyString, type Check, count, fault, hex32, literal, record, required } from "@kez/core/schema"
import { encodeText } from "../bytes.ts"
import { maxListBytes, maxListedFiles } from "../limits.ts"
import type { ImportedFile } from "./mover.ts"
import { componentsOf } from "./names.ts"

interface ListDocument {
  readonly type: "kez.files.list"
  readonly version: 1
  readonly files: readonly ImportedFile[]
}

const entry = record<ImportedFile>({ path: required(anyString), size: required(count), hash: required(hex32) })
const entries: Check<readonly ImportedFile[]> = (value, name) => {
  if (!Array.isArray(value)) throw fault("schema.type", name, "an array")
  if (value.length < 1 || value.length > maxListedFiles)
    throw fault("schema.value", name, `1 to ${maxListedFiles} files`)
  return value.map((one: Json) => entry(one, name))
}
const check = record<ListDocument>({
  type: required(literal("kez.files.list")),
  version: required(literal(1)),
  files: required(entries),
})

/** The same files give the same bytes. Throws `limit.size`. */
export function encodeFileList(files: readonly ImportedFile[]): Uint8Array {
  if (files.length > maxListedFiles) throw tooMany(files.length)
  const sorted = files.map(({ path, size, hash }) => ({ path, size, hash })).sort((a, b) => (a.path < b.path ? -1 : 1))
  const bytes = encodeText(canonicalize({ type: "kez.files.list", version: 1, files: sorted }))
  if (bytes.length > maxListBytes) throw tooMany(files.length)
  return bytes
}

/** What the offer said of it: another count or sum is a lie. */
export interface ListPromise {
  readonly files: number
  readonly size: number
}

/** Size, structure, then what was promised. Throws `limit.size`, `file.offer`, `file.name` or the codes of decoding. */
export function decodeFileList(bytes: Uint8Array, { files, size }: ListPromise): readonly ImportedFile[] {
  if (bytes.length > maxListBytes)
    throw new KezError("limit.size", `Cannot read the list of files: expected at most ${maxListBytes} bytes`)
  const document = check(parseJson(decodeText(bytes, maxListBytes)), "the list of files")
  for (const { path } of document.files) componentsOf(path)
  const sum = document.files.reduce((all, one) => all + one.size, 0)
  if (document.files.length === files && sum === size) return document.files
  throw new KezError("file.offer", "Cannot take the files: the list of them is not what the offer said", {
    hint: "Nothing was written. Ask for them again.",
  })
}

function tooMany(count: number): KezError {
  return new KezError(
    "limit.size",
    `Cannot offer ${count} files at once: at most ${maxListedFiles}, with short paths`,
    {
      hint: "Pack them into an archive, or send the folders one by one.",
    },
  )
}

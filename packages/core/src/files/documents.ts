/** The documents that a manifest of shared files stands for: a root that names pages, and pages that list files. SPEC §2.4 */
import { type Digest, digestOf } from "../digest.ts"
import {
  anyString,
  assertObject,
  type Check,
  count,
  fault,
  hex32,
  literal,
  record,
  required,
  shortText,
} from "../envelope/schema.ts"

import { type Json, parseJson } from "../json.ts"
import {
  maxFilePageBytes,
  maxFilePageEntries,
  maxFilePages,
  maxFilePathBytes,
  maxFilePathDepth,
  maxFileRootBytes,
  maxFileSections,
} from "../limits.ts"
import { decodeText, utf8Length } from "../text.ts"

/** A page as it is given away: encrypted, under the BLAKE3 hash of these bytes. */
export interface FilePagePlace {
  readonly hash: string
  readonly size: number
}

/** What one audience may read. */
export interface FileSection {
  readonly pages: readonly FilePagePlace[]
}

export interface FileRoot {
  readonly type: "kez.files.root"
  readonly version: 1
  readonly sections: readonly FileSection[]
}

export interface SharedFile {
  /** Relative, components divided by `/`. */
  readonly path: string
  readonly size: number
  /** BLAKE3, 64 hex. */
  readonly hash: string
  /** A hint for the eyes; nothing is opened by it. */
  readonly media_type: string
}

export interface FilePage {
  readonly type: "kez.files.page"
  readonly version: 1
  readonly entries: readonly SharedFile[]
}

const pagePlace = record<FilePagePlace>({ hash: required(hex32), size: required(count) })
const section = record<FileSection>({ pages: required(many(pagePlace, 0, maxFilePages)) })
const root = record<FileRoot>(
  {
    type: required(literal("kez.files.root")),
    version: required(literal(1)),
    sections: required(many(section, 0, maxFileSections)),
  },
  ({ sections }) => {
    const pages = sections.flatMap(({ pages }) => pages)
    if (pages.length > maxFilePages) throw fault("limit.entries", "sections", `at most ${maxFilePages} pages`)
    assertDifferent(
      "sections",
      pages.map(({ hash }) => hash),
    )
  },
)

const path: Check<string> = (value, name) => {
  const text = anyString(value, name)
  const parts = text.split("/")
  const isDown = parts.every((part) => part !== "" && part !== "." && part !== "..")
  if (!isDown || parts.length > maxFilePathDepth || utf8Length(text) > maxFilePathBytes)
    throw fault("file.name", name, "a path that leads down, not too long")
  return text
}

const entry = record<SharedFile>({
  path: required(path),
  size: required(count),
  hash: required(hex32),
  media_type: required(shortText),
})
const page = record<FilePage>(
  {
    type: required(literal("kez.files.page")),
    version: required(literal(1)),
    entries: required(many(entry, 1, maxFilePageEntries)),
  },
  ({ entries }) =>
    assertDifferent(
      "entries",
      entries.map(({ path }) => path),
    ),
)

/** Of the manifest: what the root document has to be. */
export interface RootPromise {
  readonly root: Digest
  readonly size: number
}

/** Size, what the manifest says, structure. Throws `limit.size`, `file.manifest`, `limit.entries` or the codes of decoding. [FILES-2] */
export function decodeFileRoot(bytes: Uint8Array, promise: RootPromise): FileRoot {
  if (bytes.length > maxFileRootBytes)
    throw fault("limit.size", "the root document", `at most ${maxFileRootBytes} bytes`)
  if (bytes.length !== promise.size || digestOf(bytes) !== promise.root)
    throw fault("file.manifest", "the root document", "the one that the manifest names")
  return root(parseJson(decodeText(bytes, maxFileRootBytes)), "the root document")
}

/** A page after it was opened. Throws `limit.size`, `limit.depth`, `limit.entries`, `file.name` or the codes of decoding. [FILES-3] */
export function decodeFilePage(bytes: Uint8Array): FilePage {
  const value = parseJson(decodeText(bytes, maxFilePageBytes))
  assertObject(value, "the page")
  // Lists that name lists would never end.
  if (value["type"] === "kez.files.root") throw fault("limit.depth", "the page", "a list of files, not another root")
  return page(value, "the page")
}

function many<T>(check: Check<T>, min: number, max: number): Check<readonly T[]> {
  return (value, name) => {
    if (!Array.isArray(value)) throw fault("schema.type", name, "an array")
    if (value.length > max) throw fault("limit.entries", name, `at most ${max} entries`)
    if (value.length < min) throw fault("schema.value", name, `at least ${min} entries`)
    return value.map((one: Json) => check(one, name))
  }
}

function assertDifferent(name: string, texts: readonly string[]): void {
  if (new Set(texts).size !== texts.length) throw fault("schema.value", name, "nothing twice")
}

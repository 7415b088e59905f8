/** From what is shared with whom to the pages and the root document that are given away. SPEC §2.4 */
import { canonicalize, type Digest, digestOf, KezError, limits, type SharedFile, utf8Length } from "@kez/core"
import { encodeText } from "../bytes.ts"
import { maxListedFiles } from "../limits.ts"
import { mediaTypeOf } from "./media-types.ts"
import type { ImportedFile } from "./mover.ts"
import { createPageKey, sealPage } from "./page-seal.ts"
import type { Audience } from "./share-rows.ts"

export interface Listed {
  readonly audience: Audience
  readonly files: readonly SharedFile[]
}

export interface SealedSection {
  readonly audience: Audience
  readonly key: Uint8Array
  readonly pages: readonly Uint8Array[]
}

/** What stands around the entries of a page. */
const frameBytes = 100

/** The files of an import under another first name. What a list cannot name is left out. */
export function listedFiles(
  files: readonly ImportedFile[],
  name: string,
): { readonly files: readonly SharedFile[]; readonly left: readonly string[] } {
  const all = files.map(({ path, size, hash }) => {
    const [, ...below] = path.split("/")
    return { path: [name, ...below].join("/"), size, hash, media_type: mediaTypeOf(path) }
  })
  return {
    files: all.filter(({ path }) => isListable(path)),
    left: all.filter(({ path }) => !isListable(path)).map(({ path }) => path),
  }
}

/** Whether a list can name it: what JSON cannot hold and what leads elsewhere it cannot. [FILES-3] */
export function isListable(path: string): boolean {
  const parts = path.split("/")
  const isDown = parts.every((part) => part !== "" && part !== "." && part !== "..")
  const isShort = parts.length <= limits.maxFilePathDepth && utf8Length(path) <= limits.maxFilePathBytes
  return isDown && isShort && path.isWellFormed() && !/\p{Cc}/u.test(path)
}

/** One section for each audience, its files in the order of their paths. Throws `limit.entries`. */
export function sectionsOf(shares: readonly Listed[]): readonly Listed[] {
  const byAudience = new Map<string, { audience: Audience; files: SharedFile[] }>()
  for (const { audience, files } of shares) {
    const sorted = audience === "contacts" ? audience : audience.toSorted()
    const name = circleOf(audience)
    const section = byAudience.get(name) ?? { audience: sorted, files: [] }
    byAudience.set(name, section)
    section.files.push(...files)
  }
  const sections = [...byAudience].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, section]) => section)
  const filled = sections.filter(({ files }) => files.length > 0)
  assertCircles(filled.map(({ audience }) => ({ audience, files: 1 })))
  const count = filled.reduce((sum, { files }) => sum + files.length, 0)
  if (count > maxListedFiles) throw tooMany(`${count} files`, `${maxListedFiles} files`)
  return filled.map(({ audience, files }) => ({
    audience,
    files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  }))
}

/** Throws `limit.entries` where these are for too many different circles of people. */
export function assertCircles(shares: readonly { readonly audience: Audience; readonly files: number }[]): void {
  const filled = shares.filter(({ files }) => files > 0)
  const count = new Set(filled.map(({ audience }) => circleOf(audience))).size
  if (count > limits.maxFileSections)
    throw tooMany(`with ${count} different circles of people`, `${limits.maxFileSections} circles`)
}

function circleOf(audience: Audience): string {
  return canonicalize(audience === "contacts" ? audience : audience.toSorted())
}

/** Equal for equal files to equal people. */
export function fingerprintOf(sections: readonly Listed[]): Digest {
  return digestOf(
    canonicalize(
      sections.map(({ audience, files }) => ({
        audience: typeof audience === "string" ? audience : [...audience],
        files: files.map(({ path, size, hash }) => ({ path, size, hash })),
      })),
    ),
  )
}

/** Each under a key of its own, made now: who may not read a later list has no key of it. */
export function sealSections(chain: Digest, sections: readonly Listed[]): readonly SealedSection[] {
  const sealed = sections.map(({ audience, files }) => {
    const key = createPageKey()
    return { audience, key, pages: pagesOf(files).map((page) => sealPage(key, page, chain)) }
  })
  const count = sealed.reduce((sum, { pages }) => sum + pages.length, 0)
  if (count > limits.maxFilePages) throw tooMany("files with such long paths", `${limits.maxFilePages} pages`)
  return sealed
}

export function rootDocument(
  sections: readonly { readonly pages: readonly { readonly hash: string; readonly size: number }[] }[],
): Uint8Array {
  const places = sections.map(({ pages }) => ({ pages: pages.map(({ hash, size }) => ({ hash, size })) }))
  return encodeText(canonicalize({ type: "kez.files.root", version: 1, sections: places }))
}

function pagesOf(files: readonly SharedFile[]): readonly Uint8Array[] {
  const pages: SharedFile[][] = []
  let room = 0
  for (const file of files) {
    const bytes = utf8Length(canonicalize({ ...file })) + 1
    const last = pages.at(-1)
    if (last === undefined || last.length === limits.maxFilePageEntries || bytes > room) {
      pages.push([file])
      room = limits.maxFilePageBytes - frameBytes - bytes
    } else {
      last.push(file)
      room -= bytes
    }
  }
  return pages.map((entries) =>
    encodeText(canonicalize({ type: "kez.files.page", version: 1, entries: entries.map((entry) => ({ ...entry })) })),
  )
}

function tooMany(what: string, most: string): KezError {
  return new KezError("limit.entries", `Cannot share ${what}: at most ${most}`, {
    hint: "Pack what belongs together into an archive, or share less of it.",
  })
}

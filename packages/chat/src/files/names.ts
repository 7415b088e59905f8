/** Names of files that somebody else chose, as they are written here: never outside the folder, never what a system takes for something else. */
import { KezError } from "@kez/core"
import { encodeText } from "../bytes.ts"
import { maxListedDepth, maxListedPathBytes } from "../limits.ts"

const maxNameBytes = 255
/** Separators and marks of any system, controls, characters that turn text around or cannot be seen. */
const forbidden = /[\\/:*?"<>|\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u00ad]|\p{Cs}/gu
const devices = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])$/i

/** One component, safe on every system; `file` where nothing is left of it. */
export function safeName(given: string): string {
  const written = given
    .normalize("NFC")
    .replace(forbidden, "_")
    .replace(/^[ ]+/, "")
    .replace(/[. ]+$/, "")
  if (written === "") return "file"
  const stem = (written.split(".", 1)[0] ?? "").trimEnd()
  const isOdd = written.startsWith("-") || devices.test(stem)
  return cut(isOdd ? `_${written}` : written)
}

/** Shortened in the middle, so that the extension stays. */
function cut(name: string): string {
  if (encodeText(name).length <= maxNameBytes) return name
  const dot = name.lastIndexOf(".")
  const extension = dot > 0 && encodeText(name.slice(dot)).length <= 32 ? name.slice(dot) : ""
  const room = maxNameBytes - encodeText(extension).length
  let stem = ""
  let bytes = 0
  for (const char of name.slice(0, name.length - extension.length)) {
    bytes += encodeText(char).length
    if (bytes > room) break
    stem += char
  }
  return `${stem.trimEnd()}${extension}`
}

/** How names are compared that are one file somewhere: case and the two ways to write an accent do not count. */
export function foldedName(name: string): string {
  return name.normalize("NFC").toLowerCase()
}

/** `photo (2).jpg`: the first that `isTaken` says no to. */
export function freeName(name: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(name)) return name
  const dot = name.lastIndexOf(".")
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""]
  for (let number = 2; number < 10_000; number++) {
    const next = cut(`${stem} (${number})${extension}`)
    if (!isTaken(next)) return next
  }
  throw new KezError("file.name", "Cannot write the file: too many files have its name already", {
    hint: "Choose another folder: --dir",
  })
}

/** The components of a path in a list, which is relative and leads down only. Throws `file.name`. */
export function componentsOf(path: string): readonly string[] {
  const parts = path.split("/")
  const isWrong = parts.some((part) => part === "" || part === "." || part === "..")
  if (!isWrong && parts.length <= maxListedDepth && encodeText(path).length <= maxListedPathBytes) return parts
  throw new KezError("file.name", "Cannot take the list of files: a path in it does not lead down, or is too long", {
    hint: "Nothing was written. Ask for the files one by one.",
  })
}

/**
 * Where each file of a list is written below a folder. Two that would be one file somewhere get different names; the first component is one that
 * `isTaken` says no to.
 */
export function safePaths(paths: readonly string[], isTaken: (name: string) => boolean): readonly string[] {
  const root: Level = { names: new Map(), taken: new Set() }
  const written = new Set<string>()
  return paths.map((path) => {
    const parts = componentsOf(path)
    let level = root
    const safe = parts.map((part, at) => {
      const isFile = at === parts.length - 1
      const [name, next] = enter(level, part, { isFile, isTaken: at === 0 ? isTaken : () => false })
      if (next !== undefined) level = next
      return name
    })
    if (written.has(path)) throw new KezError("file.offer", "Cannot take the list of files: it names a path twice")
    written.add(path)
    return safe.join("/")
  })
}

interface Level {
  /** Folders by the name that they were given. */
  readonly names: Map<string, readonly [name: string, level: Level]>
  readonly taken: Set<string>
}

function enter(
  level: Level,
  part: string,
  { isFile, isTaken }: { readonly isFile: boolean; readonly isTaken: (name: string) => boolean },
): readonly [name: string, next: Level | undefined] {
  const known = isFile ? undefined : level.names.get(part)
  if (known !== undefined) return known
  const name = freeName(safeName(part), (one) => level.taken.has(foldedName(one)) || isTaken(one))
  level.taken.add(foldedName(name))
  if (isFile) return [name, undefined]
  const next: Level = { names: new Map(), taken: new Set() }
  level.names.set(part, [name, next])
  return [name, next]
}

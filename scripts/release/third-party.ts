/** Licences of the crates that are in kez-iroh: whoever gives the program on has to give these with it. */
import { execFile } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { KezError } from "@kez/core"

export interface Crate {
  readonly name: string
  readonly version: string
  /** SPDX. */
  readonly licence: string
  /** Of its source, as cargo unpacked it. */
  readonly folder: string
}

const maxOutputBytes = 67_108_864
const licenceFile = /^(?:licen[cs]es?|copying|copyright|notice|unlicense)(?:[-._].*)?$/i

/** Those that are linked into the program for a target, not those that only build or test it. */
export async function cratesOf(manifest: string, target: string): Promise<readonly Crate[]> {
  const cargo = async (...args: readonly string[]): Promise<string> => {
    const given = [...args, "--locked", "--manifest-path", manifest]
    return (await promisify(execFile)("cargo", given, { maxBuffer: maxOutputBytes })).stdout
  }
  const [tree, metadata] = await Promise.all([
    cargo(
      "tree",
      "--package",
      "kez-iroh",
      "--edges",
      "normal",
      "--target",
      target,
      "--prefix",
      "none",
      "--format",
      "{p}|{l}",
    ),
    cargo("metadata", "--format-version", "1", "--filter-platform", target),
  ])
  const folders = new Map<string, string>(
    JSON.parse(metadata).packages.map((one: { name: string; version: string; manifest_path: string }) => [
      `${one.name} ${one.version}`,
      dirname(one.manifest_path),
    ]),
  )
  const lines = new Set(tree.split("\n").filter((line) => line !== ""))
  const crates = [...lines].flatMap((line) => readCrate(line, folders))
  return [...new Map(crates.map((crate) => [`${crate.name} ${crate.version}`, crate])).values()].sort((a, b) =>
    a.name === b.name ? (a.version < b.version ? -1 : 1) : a.name < b.name ? -1 : 1,
  )
}

/** `serde v1.0.229|MIT OR Apache-2.0`, with ` (*)` behind it where it stood before, and a path behind our own. */
function readCrate(line: string, folders: ReadonlyMap<string, string>): readonly Crate[] {
  const [crate = "", licence = ""] = line.replace(/ \(\*\)$/, "").split("|")
  const [, name = "", version = ""] = /^(\S+) v(\S+)/.exec(crate) ?? []
  if (name === "kez-iroh") return []
  const folder = folders.get(`${name} ${version}`)
  if (folder !== undefined && licence !== "") return [{ name, version, licence, folder }]
  throw new KezError("internal", `Cannot tell the licence of a crate: ${line}`)
}

/** One text: each licence once, with the crates that it is of. */
export function thirdPartyText(crates: readonly Crate[]): string {
  const texts = new Map<string, { readonly text: string; readonly of: string[] }>()
  const bare: string[] = []
  for (const { name, version, licence, folder } of crates) {
    const files = readdirSync(folder)
      .filter((file) => licenceFile.test(file))
      .sort()
    const found = files.flatMap((file) => tryReadText(join(folder, file)) ?? [])
    if (found.length === 0) bare.push(`${name} ${version}: ${licence}`)
    for (const text of found) {
      const key = text.replace(/\s+/g, " ").trim()
      const entry = texts.get(key) ?? { text: text.trimEnd(), of: [] }
      texts.set(key, entry)
      if (!entry.of.includes(`${name} ${version}`)) entry.of.push(`${name} ${version}`)
    }
  }
  const rule = "=".repeat(80)
  return [
    "kez-iroh contains the following crates. Where a licence offers a choice, the one that fits MIT OR Apache-2.0 is chosen.\n" +
      "The standard library of Rust is in it, too: MIT OR Apache-2.0.\n",
    ...crates.map(({ name, version, licence }) => `${name} ${version}: ${licence}`),
    ...(bare.length === 0 ? [] : ["\nCrates whose source has no text of the licence that they name:\n", ...bare]),
    ...[...texts.values()].flatMap(({ text, of }) => [`\n${rule}\n${of.join(", ")}\n${rule}\n`, text]),
    "",
  ].join("\n")
}

/** Some are folders of texts. */
function tryReadText(path: string): string | readonly string[] | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch {
    try {
      return readdirSync(path)
        .sort()
        .map((name) => readFileSync(join(path, name), "utf8"))
    } catch {
      return undefined
    }
  }
}

/** Where kez-iroh is on this computer: named by the person, in the package of this platform, or built here. docs/decisions/iroh-release.md */
import { spawnSync } from "node:child_process"
import { accessSync, constants, statSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { irohPackagesFor, mainIrohPackage } from "./iroh-packages.ts"

export interface IrohSearch {
  /** KEZ_IROH: nothing else is looked for then. */
  readonly named: string | undefined
  /** Folders that cargo builds in. */
  readonly targets: readonly string[]
  readonly platform: string
  readonly arch: string
  /** No other is taken: what it says and what is read are of one release. */
  readonly version: string
  /** A file from whose place packages are looked for; this one unless given. */
  readonly from?: string
}

/** A program that was looked at. `version`: what it says of itself; undefined where it does not run. */
export interface IrohProgram {
  readonly path: string
  readonly version: string | undefined
  readonly isProgram: boolean
}

/** `unfit`: programs that are there and cannot be used, in the order of the search. */
export interface IrohSearchResult {
  readonly path: string | undefined
  readonly unfit: readonly IrohProgram[]
}

/** A program that hangs is none. */
const versionMs = 5_000

export function findIrohProgram(search: IrohSearch): IrohSearchResult {
  const unfit: IrohProgram[] = []
  for (const path of placesOf(search)) {
    if (search.named === undefined && !isOurs(path)) continue
    const found = lookAt(path)
    if (found.version === search.version) return { path, unfit }
    if (found.isProgram || search.named !== undefined) unfit.push(found)
  }
  return { path: undefined, unfit }
}

function placesOf({ named, targets, platform, arch, from = import.meta.url }: IrohSearch): readonly string[] {
  if (named !== undefined) return [named]
  const name = platform === "win32" ? "kez-iroh.exe" : "kez-iroh"
  const packages = irohPackagesFor(platform, arch).flatMap((one) => packageFolders(one.name, from))
  return [...packages, ...targets.map((target) => join(target, "release"))].map((folder) => join(folder, name))
}

/** Beside us, or where the main package has it, which not every package manager makes one place. */
function packageFolders(name: string, from: string): readonly string[] {
  const main = tryResolve(from, mainIrohPackage)
  const all = [from, ...(main === undefined ? [] : [main])].flatMap((place) => tryResolve(place, name) ?? [])
  return [...new Set(all)].map((manifest) => dirname(manifest))
}

function tryResolve(from: string, name: string): string | undefined {
  try {
    return createRequire(from).resolve(`${name}/package.json`)
  } catch {
    return undefined
  }
}

/** Packages are looked for up to the root of the file system, where somebody else may have put one, as below /tmp. */
function isOurs(path: string): boolean {
  try {
    const { uid } = statSync(path)
    return uid === 0 || uid === process.getuid?.() || uid === statSync(import.meta.filename).uid
  } catch {
    return false
  }
}

function lookAt(path: string): IrohProgram {
  try {
    accessSync(path, constants.X_OK)
  } catch {
    return { path, version: undefined, isProgram: false }
  }
  const { stdout } = spawnSync(path, ["--version"], {
    encoding: "utf8",
    env: {},
    stdio: ["ignore", "pipe", "ignore"],
    timeout: versionMs,
    maxBuffer: 1_024,
  })
  const [, version] = /^kez-iroh (\d{1,5}\.\d{1,5}\.\d{1,5})\r?\n$/.exec(stdout ?? "") ?? []
  return { path, version, isProgram: true }
}

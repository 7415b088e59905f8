/** The project's cache, where a fetched nats-server lies beside its SHA-256, and how it gets there whole or not at all. */
import { createHash, randomBytes } from "node:crypto"
import {
  chmodSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import { pinnedVersion } from "./pins.ts"
import { isFitVersion, versionOf } from "./version.ts"

type Environment = Readonly<Record<string, string | undefined>>

/** `$XDG_CACHE_HOME/kez` or `~/.cache/kez`. */
export function cacheFolder(env: Environment): string {
  const base = env["XDG_CACHE_HOME"]
  // The specification of XDG ignores relative paths.
  return join(base?.startsWith("/") ? base : join(env["HOME"] ?? homedir(), ".cache"), "kez")
}

export function cachedProgram(folder: string): string {
  return join(
    folder,
    "nats-server",
    `v${pinnedVersion}`,
    process.platform === "win32" ? "nats-server.exe" : "nats-server",
  )
}

/** The version of the cached program, if it is there, is what was put there, and runs. */
export async function versionOfCached(folder: string): Promise<string | undefined> {
  const path = cachedProgram(folder)
  if (!existsSync(path) || !existsSync(`${path}.sha256`)) return undefined
  if (readFileSync(`${path}.sha256`, "utf8").trim() !== (await sha256Of(path))) return undefined
  const version = await versionOf(path)
  return version !== undefined && isFitVersion(version) ? version : undefined
}

/** A folder in the cache for one attempt, so that two that fetch at once do not meet. */
export async function withAttempt<T>(folder: string, run: (attempt: string) => Promise<T>): Promise<T> {
  const attempt = join(folder, "nats-server", `attempt-${randomBytes(8).toString("hex")}`)
  mkdirSync(attempt, { recursive: true, mode: 0o700 })
  try {
    return await run(attempt)
  } finally {
    rmSync(attempt, { recursive: true, force: true })
  }
}

/** Puts a checked program into its place in one step each. Who comes at the wrong moment sees no sum, and fetches again. */
export async function keepProgram(folder: string, checked: string): Promise<string> {
  const path = cachedProgram(folder)
  mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 })
  chmodSync(checked, 0o755)
  const sum = await sha256Of(checked)
  writeFileSync(`${checked}.sha256`, `${sum}\n`)
  renameSync(checked, path)
  renameSync(`${checked}.sha256`, `${path}.sha256`)
  return path
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256")
  await pipeline(createReadStream(path), hash)
  return hash.digest("hex")
}

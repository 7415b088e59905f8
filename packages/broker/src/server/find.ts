/** Finds a nats-server: one that runs elsewhere, one on PATH, the one in the cache, or fetches it once. */
import { accessSync, constants, statSync } from "node:fs"
import { delimiter, join } from "node:path"
import { KezError } from "@kez/core"
import { cachedProgram, cacheFolder, versionOfCached } from "./cache.ts"
import { type ArchiveSource, fetchArchive } from "./fetch-archive.ts"
import { fetchByGo, hasFitGo } from "./fetch-go.ts"
import { isFitVersion, minimumVersion, versionOf } from "./version.ts"

export type FoundServer =
  /** `NATS_URL`: somebody runs it, with the configuration that `writeConfiguration` made. */
  | { readonly kind: "external"; readonly url: string }
  | {
      readonly kind: "program"
      readonly path: string
      readonly version: string
      readonly from: "PATH" | "cache" | "go" | "archive"
    }

export interface FindOptions {
  /** `NATS_URL`, `PATH`, `XDG_CACHE_HOME`, `HOME` and what Go reads are taken from it. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Whether it may be fetched; otherwise the answer is undefined. */
  readonly fetch: boolean
  readonly archive?: ArchiveSource
  /** Told before something that takes long. */
  readonly onStep?: (text: string) => void
}

/** Undefined only where fetching is not allowed. Throws `broker.missing`, with the ways to go on as its hint. */
export async function findNatsServer(options: FindOptions): Promise<FoundServer | undefined> {
  const { env } = options
  const url = env["NATS_URL"]
  if (url !== undefined && url !== "") return { kind: "external", url: checkUrl(url) }
  const folder = cacheFolder(env)
  const here = (await onPath(env)) ?? (await inCache(folder, "cache"))
  if (here !== undefined || !options.fetch) return here
  return fetchServer(folder, options)
}

async function onPath(env: FindOptions["env"]): Promise<FoundServer | undefined> {
  const name = process.platform === "win32" ? "nats-server.exe" : "nats-server"
  for (const dir of (env["PATH"] ?? "").split(delimiter)) {
    const path = join(dir, name)
    if (dir === "" || !isExecutable(path)) continue
    const version = await versionOf(path)
    // An older one is passed over without a word: a distribution's own is usually too old.
    if (version !== undefined && isFitVersion(version)) return { kind: "program", path, version, from: "PATH" }
  }
  return undefined
}

async function inCache(folder: string, from: "cache" | "go" | "archive"): Promise<FoundServer | undefined> {
  const version = await versionOfCached(folder)
  return version === undefined ? undefined : { kind: "program", path: cachedProgram(folder), version, from }
}

async function fetchServer(folder: string, { env, archive, onStep = () => {} }: FindOptions): Promise<FoundServer> {
  const faults: unknown[] = []
  const attempt = async (from: "go" | "archive", step: string, run: () => Promise<string>) => {
    onStep(step)
    try {
      await run()
      return await inCache(folder, from)
    } catch (error) {
      // Bytes that are not the pinned ones are no reason to try elsewhere: somebody should look.
      if (!(error instanceof KezError) || error.code !== "broker.missing") throw error
      faults.push(error)
      return undefined
    }
  }
  const byGo = (await hasFitGo(env))
    ? await attempt("go", "building nats-server with Go, once; about a minute", () => fetchByGo(folder, env))
    : undefined
  const found = byGo ?? (await attempt("archive", "fetching nats-server, once", () => fetchArchive(folder, archive)))
  if (found !== undefined) return found
  throw new KezError(
    "broker.missing",
    `Cannot start the chat's broker: no nats-server ${minimumVersion} or newer is here, and none could be fetched`,
    {
      cause: new AggregateError(faults),
      hint: `Install nats-server ${minimumVersion} or newer from https://github.com/nats-io/nats-server/releases so that it is on PATH, or set NATS_URL to one that runs`,
    },
  )
}

function checkUrl(url: string): string {
  const { protocol, username, password } = parseUrl(url)
  if (!["nats:", "tls:"].includes(protocol)) throw urlFault()
  // Whoever reads the environment or the log would have them.
  if (username !== "" || password !== "") throw urlFault()
  return url
}

function parseUrl(url: string): URL {
  try {
    return new URL(url)
  } catch {
    throw urlFault()
  }
}

function urlFault(): KezError {
  return new KezError(
    "usage",
    "Cannot use NATS_URL: expected nats://HOST:PORT or tls://HOST:PORT without user and password",
  )
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

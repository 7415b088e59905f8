/** Where everything lies: KEZ_HOME, else XDG on Linux and macOS, %APPDATA% on Windows. */
import { createHash } from "node:crypto"
import { realpathSync } from "node:fs"
import { userInfo } from "node:os"
import { join, resolve } from "node:path"
import type { Env } from "./config.ts"
import { fault } from "./fault.ts"

export interface Paths {
  readonly config: string
  readonly configFile: string
  readonly data: string
  readonly state: string
  /** Nothing in it is missed when it is deleted. */
  readonly cache: string
  /** The sockets of agents lie here; 0700. */
  readonly runtime: string
  readonly keys: string
  readonly identities: string
  /** A folder for each account: its record, its device's key file, its messages. */
  readonly accounts: string
  readonly database: string
  /** Holds the name of the identity in use. */
  readonly current: string
  /** Holds the account in use. */
  readonly currentAccount: string
}

/** A socket's path has 104 bytes on macOS and 108 on Linux, with the zero at its end. */
const maxSocketPathBytes = 103
const socketNameBytes = 1 + 32 + ".sock".length
const nameForm = /^[a-z0-9](?:[a-z0-9_-]{0,30}[a-z0-9])?$/
const windowsDevices = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])$/

/** What `isName` wants, after "expected". */
export const nameRule =
  "1 to 32 of a-z, 0-9, - and _ that begin and end with a letter or digit, and are no device name of Windows such as con"

/** Names of identities and profiles are file names on every system. */
export function isName(text: string): boolean {
  return nameForm.test(text) && !windowsDevices.test(text)
}

export function assertName(what: string, text: string): void {
  if (isName(text)) return
  throw fault("usage", `Cannot use this ${what}: expected ${nameRule}`, {
    hint: "A name is only for this computer; nobody else sees it.",
  })
}

export function findConfigDir(env: Env): string {
  if (env.kezHome !== undefined) return resolve(env.kezHome)
  if (env.platform === "win32") return join(windowsHome(env), "kez", "config")
  return join(env.xdgConfigHome ?? join(homeOf(env), ".config"), "kez")
}

export function findPaths(env: Env, profile: string | undefined): Paths {
  if (profile !== undefined) assertName("profile name", profile)
  const config = findConfigDir(env)
  const part = profile === undefined ? [] : ["profiles", profile]
  const data = join(dataRoot(env), ...part)
  const state = join(stateRoot(env), ...part)
  return {
    config,
    configFile: join(config, "config.toml"),
    data,
    state,
    cache: join(cacheRoot(env), ...part),
    runtime: runtimeDir(env, data),
    keys: join(data, "keys"),
    identities: join(data, "identities"),
    accounts: join(data, "accounts"),
    database: join(data, "kez.db"),
    current: join(data, "current"),
    currentAccount: join(data, "account"),
  }
}

function dataRoot(env: Env): string {
  if (env.kezHome !== undefined) return resolve(env.kezHome)
  if (env.platform === "win32") return join(windowsHome(env), "kez", "data")
  return join(env.xdgDataHome ?? join(homeOf(env), ".local", "share"), "kez")
}

function stateRoot(env: Env): string {
  if (env.kezHome !== undefined) return resolve(env.kezHome)
  if (env.platform === "win32") return join(windowsHome(env), "kez", "state")
  return join(env.xdgStateHome ?? join(homeOf(env), ".local", "state"), "kez")
}

function cacheRoot(env: Env): string {
  if (env.kezHome !== undefined) return join(resolve(env.kezHome), "cache")
  if (env.platform === "win32") return join(windowsHome(env), "kez", "cache")
  return join(env.xdgCacheHome ?? join(homeOf(env), ".cache"), "kez")
}

/**
 * It depends on where the keys are and on nothing else: an agent that lay somewhere else by another environment would not be
 * found, and so not be ended.
 */
function runtimeDir(env: Env, data: string): string {
  const home = realPathOf(data)
  const preferred = join(home, "run")
  const isShort = Buffer.byteLength(preferred) + socketNameBytes <= maxSocketPathBytes
  if (isShort || env.platform === "win32") return preferred
  return `/tmp/kez-${userInfo().uid}-${shortHash(home)}`
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path // not made yet
  }
}

/** Keeps the agents of several profiles apart. */
function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12)
}

function homeOf(env: Env): string {
  if (env.userHome !== undefined) return env.userHome
  throw fault("usage", "Cannot find your home directory: HOME is not set", {
    hint: "Set KEZ_HOME to the directory that KEZ shall use.",
  })
}

function windowsHome(env: Env): string {
  return env.appData ?? join(homeOf(env), "AppData", "Roaming")
}

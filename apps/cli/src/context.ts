/** What every command is given: where things are, whom it talks to, what was asked for. Nothing here is global. */
import { type Env, loadSettings, readEnv, type Settings } from "./config.ts"
import type { ColorMode } from "./config-file.ts"
import { findConfigDir, findPaths, type Paths } from "./paths.ts"
import { createTerminal, type Terminal } from "./terminal/terminal.ts"

/** Options that every command takes, and the key sources of those that sign (program/key-options.ts adds them). */
export interface GlobalFlags {
  readonly json: boolean
  readonly quiet: boolean
  readonly noInput: boolean
  readonly plain: boolean
  readonly debug: boolean
  readonly color: ColorMode | undefined
  readonly profile: string | undefined
  /** Name of the identity to act as. */
  readonly identity: string | undefined
  readonly passphraseFile: string | undefined
  readonly passphraseFd: string | undefined
  readonly keySource: KeySource
}

/** A key for this one command, from outside the store: `@file`, `-` for stdin, or (with a warning) the value itself. */
export interface KeySource {
  readonly nsec?: string | undefined
  readonly ed25519Seed?: string | undefined
  readonly mnemonic?: string | undefined
  readonly keyFd?: string | undefined
  readonly keyFile?: string | undefined
  readonly keyType?: string | undefined
}

export interface Context {
  readonly paths: Paths
  readonly terminal: Terminal
  readonly flags: GlobalFlags
  readonly env: Env
  readonly settings: Settings
  /** Unix seconds. */
  now(): number
  /** Adds to the warnings of the outcome, once each. */
  warn(text: string): void
}

/** Builds the context of one command. `warnings` collects what `warn` is told. */
export async function createContext(flags: GlobalFlags, warnings: Set<string>): Promise<Context> {
  const env = readEnv()
  const settings = await loadSettings(`${findConfigDir(env)}/config.toml`, env, {
    profile: flags.profile,
    color: flags.color,
    plain: flags.plain || undefined,
    noInput: flags.noInput || undefined,
  })
  return {
    paths: findPaths(env, settings.profile.value),
    terminal: createTerminal({ env, settings, quiet: flags.quiet || flags.json }),
    flags,
    env,
    settings,
    now: () => Math.floor(Date.now() / 1000),
    warn: (text) => void warnings.add(text),
  }
}

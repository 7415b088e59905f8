/** The only reader of the environment; and the settings: flag, then environment, then profile, then config.toml, then default. */
import { readFileSync } from "node:fs"
import { fault } from "./fault.ts"
import { nearestOf } from "./nearest.ts"
import { isName } from "./paths.ts"

/** What the environment says. An empty variable counts as not set. */
export interface Env {
  readonly platform: NodeJS.Platform
  readonly userHome: string | undefined
  readonly appData: string | undefined
  readonly xdgConfigHome: string | undefined
  readonly xdgDataHome: string | undefined
  readonly xdgStateHome: string | undefined
  readonly xdgRuntimeDir: string | undefined
  readonly kezHome: string | undefined
  readonly profile: string | undefined
  readonly passphrase: string | undefined
  readonly noInput: boolean
  readonly ci: boolean
  readonly accessible: boolean
  readonly noColor: boolean
  readonly forceColor: boolean
  readonly term: string | undefined
  readonly resolver: string | undefined
  readonly compileCache: string | undefined
}

/** For `kez help environment`. */
export const variables: ReadonlyArray<readonly [name: string, meaning: string]> = [
  ["KEZ_HOME", "one directory for everything, instead of the places of your system"],
  ["KEZ_PROFILE", "name of the profile, as --profile"],
  ["KEZ_PASSPHRASE", "passphrase of the key file; --passphrase-file is safer"],
  ["KEZ_NO_INPUT", "1: never ask, as --no-input"],
  ["KEZ_RESOLVER", "DNS servers, separated by commas: 1.2.3.4, [::1]:53, https://…"],
  ["NO_COLOR", "any value: no colours"],
  ["FORCE_COLOR", "colours even where the output is not a terminal; 0 switches them off"],
  ["CLICOLOR_FORCE", "1: the same"],
  ["TERM", "dumb: no colours, no cleared screens"],
  ["CI", "any value but false or 0: never ask"],
  ["ACCESSIBLE", "1: plain text only, as --plain"],
  ["XDG_CONFIG_HOME", "default ~/.config; config.toml is in its kez/"],
  ["XDG_DATA_HOME", "default ~/.local/share; keys and the database are in its kez/"],
  ["XDG_STATE_HOME", "default ~/.local/state"],
  ["XDG_RUNTIME_DIR", "where the agent's socket is, in its kez/"],
]

export function readEnv(source: NodeJS.ProcessEnv = process.env, platform = process.platform): Env {
  const text = (name: string): string | undefined => (source[name] === "" ? undefined : source[name])
  const isOn = (name: string): boolean => !["0", "false", "no", undefined].includes(text(name)?.toLowerCase())
  return {
    platform,
    userHome: text("HOME") ?? text("USERPROFILE"),
    appData: text("APPDATA"),
    xdgConfigHome: text("XDG_CONFIG_HOME"),
    xdgDataHome: text("XDG_DATA_HOME"),
    xdgStateHome: text("XDG_STATE_HOME"),
    xdgRuntimeDir: text("XDG_RUNTIME_DIR"),
    kezHome: text("KEZ_HOME"),
    profile: text("KEZ_PROFILE"),
    passphrase: text("KEZ_PASSPHRASE"),
    noInput: isOn("KEZ_NO_INPUT"),
    ci: isOn("CI"),
    accessible: isOn("ACCESSIBLE"),
    noColor: text("NO_COLOR") !== undefined || source["FORCE_COLOR"] === "0",
    forceColor: isOn("FORCE_COLOR") || isOn("CLICOLOR_FORCE"),
    term: text("TERM"),
    resolver: text("KEZ_RESOLVER"),
    compileCache: text("NODE_COMPILE_CACHE"),
  }
}

export type Origin = "flag" | "environment" | "profile" | "config.toml" | "default"

export interface Setting<T> {
  readonly value: T
  readonly origin: Origin
}

export type ColorMode = "auto" | "always" | "never"

/** Everything that config.toml may say. */
export interface Settings {
  readonly profile: Setting<string | undefined>
  readonly color: Setting<ColorMode>
  /** Append-only text, for screen readers and logs. */
  readonly plain: Setting<boolean>
  readonly noInput: Setting<boolean>
  /** DNS servers; empty means those of the system. */
  readonly resolver: Setting<readonly string[]>
  /** How long `kez identity unlock` keeps the key, such as 15m. */
  readonly unlockFor: Setting<string>
}

/** What flags say about settings; undefined where none was given. */
export interface SettingFlags {
  readonly profile?: string | undefined
  readonly color?: ColorMode | undefined
  readonly plain?: boolean | undefined
  readonly noInput?: boolean | undefined
}

const colorModes: readonly string[] = ["auto", "always", "never"] satisfies readonly ColorMode[]
const durationForm = /^[1-9][0-9]{0,5}[smhd]$/

interface FileSettings {
  readonly color?: ColorMode
  readonly plain?: boolean
  readonly no_input?: boolean
  readonly resolver?: readonly string[]
  readonly unlock_for?: string
}

const members: Readonly<Record<keyof FileSettings, { readonly expected: string; fits(value: unknown): boolean }>> = {
  color: { expected: "auto, always or never", fits: (v) => typeof v === "string" && colorModes.includes(v) },
  plain: { expected: "true or false", fits: (v) => typeof v === "boolean" },
  no_input: { expected: "true or false", fits: (v) => typeof v === "boolean" },
  resolver: { expected: "a list of servers", fits: (v) => Array.isArray(v) && v.every((s) => typeof s === "string") },
  unlock_for: { expected: "a time such as 15m", fits: (v) => typeof v === "string" && durationForm.test(v) },
}

/** Reads `configFile` if there is one. Throws `input.unreadable` or `usage`, naming the nearest key for an unknown one. */
export async function loadSettings(configFile: string, env: Env, flags: SettingFlags): Promise<Settings> {
  const file = await readConfigFile(configFile)
  const profile = pick<string | undefined>(undefined, [
    ["flag", flags.profile],
    ["environment", env.profile],
    ["config.toml", file.profile],
  ])
  const own = profile.value === undefined ? {} : (file.profiles[profile.value] ?? {})
  return {
    profile,
    color: pick<ColorMode>("auto", [
      ["flag", flags.color],
      ["environment", env.noColor ? "never" : env.forceColor ? "always" : undefined],
      ["profile", own.color],
      ["config.toml", file.top.color],
    ]),
    plain: pick<boolean>(false, [
      ["flag", flags.plain],
      ["environment", env.accessible ? true : undefined],
      ["profile", own.plain],
      ["config.toml", file.top.plain],
    ]),
    noInput: pick<boolean>(false, [
      ["flag", flags.noInput],
      ["environment", env.noInput ? true : undefined],
      ["profile", own.no_input],
      ["config.toml", file.top.no_input],
    ]),
    resolver: pick<readonly string[]>(
      [],
      [
        ["environment", env.resolver?.split(",").map((server) => server.trim())],
        ["profile", own.resolver],
        ["config.toml", file.top.resolver],
      ],
    ),
    unlockFor: pick<string>("15m", [
      ["profile", own.unlock_for],
      ["config.toml", file.top.unlock_for],
    ]),
  }
}

function pick<T>(fallback: T, given: ReadonlyArray<readonly [Origin, T | undefined]>): Setting<T> {
  const first = given.find(([, value]) => value !== undefined)
  return first === undefined ? { value: fallback, origin: "default" } : { value: first[1] as T, origin: first[0] }
}

interface ConfigFile {
  readonly profile: string | undefined
  readonly top: FileSettings
  readonly profiles: Readonly<Record<string, FileSettings>>
}

async function readConfigFile(path: string): Promise<ConfigFile> {
  const text = tryRead(path)
  if (text === undefined) return { profile: undefined, top: {}, profiles: {} }
  const { parse } = await import("smol-toml")
  let table: Record<string, unknown>
  try {
    table = parse(text)
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message.split("\n", 1)[0] : ""
    throw fault("input.unreadable", `Cannot read ${path}: ${detail}`, { cause })
  }
  const { profile, profiles, ...top } = table
  if (profile !== undefined && (typeof profile !== "string" || !isName(profile))) {
    throw wrongValue(path, "profile", "the name of a profile")
  }
  return { profile, top: checkTable(path, top, ["profile", "profiles"]), profiles: checkProfiles(path, profiles) }
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw fault("input.unreadable", `Cannot read ${path}`, { cause })
  }
}

function checkProfiles(path: string, value: unknown): Record<string, FileSettings> {
  if (value === undefined) return {}
  if (!isTable(value)) throw wrongValue(path, "profiles", "tables such as [profiles.work]")
  return Object.fromEntries(
    Object.entries(value).map(([name, table]) => {
      if (!isName(name) || !isTable(table)) throw wrongValue(path, `profiles.${name}`, "a table [profiles.NAME]")
      return [name, checkTable(path, table, [])]
    }),
  )
}

/** A typing error must not switch a setting off silently: unknown keys are errors. */
function checkTable(path: string, table: Record<string, unknown>, others: readonly string[]): FileSettings {
  for (const [key, value] of Object.entries(table)) {
    if (!Object.hasOwn(members, key)) {
      const near = nearestOf(key, [...Object.keys(members), ...others])
      throw fault("usage", `Cannot use ${path}: there is no setting ${JSON.stringify(key)}`, {
        hint: near === undefined ? "kez config show --origin lists all settings." : `Did you mean ${near}?`,
      })
    }
    const member = members[key as keyof FileSettings]
    if (!member.fits(value)) throw wrongValue(path, key, member.expected)
  }
  return table
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

function wrongValue(path: string, key: string, expected: string): Error {
  return fault("usage", `Cannot use ${path}: expected ${key} to be ${expected}`)
}

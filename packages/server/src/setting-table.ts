/** The settings in force: a flag wins over the environment, that over the TOML file, that over the default. Nothing else reads the environment. */
import { readFileSync } from "node:fs"
import { KezError } from "@kez/core"
import { parse } from "smol-toml"
import { nearestOf } from "./nearest.ts"
import type { Setting } from "./setting.ts"

export type Origin = "flag" | "environment" | "file" | "default"

export interface Value {
  readonly text: string | undefined
  readonly origin: Origin
}

export type Values<Name extends string> = Readonly<Record<Name, Value>>

export interface Sources {
  /** By setting name. */
  readonly flags: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Path of the TOML file. */
  readonly file: string | undefined
}

export interface SettingTableOptions {
  /** Of variables of the environment: `KEZ_SIG_`. `…CONFIG` with it names the TOML file. */
  readonly prefix: string
  /** The name of the command, for hints. */
  readonly program: string
}

/** The settings of one program. Each has one name in three places: `--log-level`, `KEZ_SIG_LOG_LEVEL`, `log_level = "info"`. */
export interface SettingTable<Name extends string> {
  readonly names: readonly Name[]
  settingOf(name: Name): Setting
  flagOf(name: string): string
  /** Throws `usage` for a name that does not exist, with the nearest one, and for a value that does not fit. */
  readValues(sources: Sources): Values<Name>
  /** TOML of all settings with where each comes from; of a secret only that it is set. */
  formatValues(values: Values<Name>): string
}

type Texts = Readonly<Partial<Record<string, string>>>
type CheckAll = (texts: Readonly<Record<string, string>>, shown: (name: string) => string) => Texts

const maxShownCharacters = 100

export function createSettingTable<Name extends string>(
  settings: Readonly<Record<Name, Setting>>,
  options: SettingTableOptions,
): SettingTable<Name> {
  const known = new Map<string, Setting>(Object.entries(settings))
  const names = Object.keys(settings).filter((name): name is Name => known.has(name))
  const checkAll: CheckAll = (texts, shown) => {
    for (const [name, text] of Object.entries(texts)) assertFits({ name, text, shown }, { known, ...options })
    return texts
  }
  return {
    names,
    settingOf: (name) => settings[name],
    flagOf,
    readValues({ flags, env, file }) {
      const fromEnv = readEnvironment(env, { known, checkAll, prefix: options.prefix })
      const fromFile = file === undefined ? {} : readToml(file, checkAll)
      const fromFlags = checkAll(flags, flagOf)
      const pick = (name: Name): Value => {
        if (fromFlags[name] !== undefined) return { text: fromFlags[name], origin: "flag" }
        if (fromEnv[name] !== undefined) return { text: fromEnv[name], origin: "environment" }
        if (fromFile[name] !== undefined) return { text: fromFile[name], origin: "file" }
        return { text: settings[name].usual, origin: "default" }
      }
      return Object.fromEntries(names.map((name) => [name, pick(name)])) as Values<Name>
    },
    formatValues(values) {
      const lines = names.map((name) => {
        const { text, origin } = values[name]
        if (text === undefined) return `# ${name} is not set`
        return `${name} = ${formatToml(settings[name].isSecret === true ? "[redacted]" : text)}  # ${origin}`
      })
      return `${lines.join("\n")}\n`
    },
  }
}

export function flagOf(name: string): string {
  return `--${name.replaceAll("_", "-")}`
}

function formatToml(text: string): string {
  return /^(?:\d+|true|false)$/.test(text) ? text : JSON.stringify(text)
}

interface EnvironmentRules {
  readonly known: ReadonlyMap<string, Setting>
  readonly checkAll: CheckAll
  readonly prefix: string
}

/** `DATABASE_URL` alone is understood too: many hosts set it. Names without our prefix are not ours to judge. */
function readEnvironment(env: Sources["env"], { known, checkAll, prefix }: EnvironmentRules): Texts {
  const ours = Object.entries(env).filter(([name]) => name.startsWith(prefix) && name !== `${prefix}CONFIG`)
  const found: Record<string, string> = {}
  for (const bare of known.has("database_url") ? ["DATABASE_URL", "DATABASE_URL_FILE"] : []) {
    const value = env[bare]
    if (value !== undefined && value !== "") ours.unshift([`${prefix}${bare}`, value])
  }
  for (const [variable, value] of ours) {
    if (value === undefined || value === "") continue
    const name = variable.slice(prefix.length).toLowerCase()
    const secret = name.endsWith("_file") ? name.slice(0, -"_file".length) : undefined
    if (secret !== undefined && known.get(secret)?.isSecret === true) found[secret] = readSecret(value)
    else found[name] = value
  }
  return checkAll(found, (name) => `${prefix}${name.toUpperCase()}`)
}

function readSecret(path: string): string {
  try {
    return readFileSync(path, "utf8").trim()
  } catch (cause) {
    throw new KezError("input.unreadable", `Cannot read ${path}`, { cause })
  }
}

function readToml(path: string, checkAll: CheckAll): Texts {
  let table: Record<string, unknown>
  try {
    table = parse(readFileSync(path, "utf8"))
  } catch (cause) {
    const isMissing = cause instanceof Error && "code" in cause && cause.code === "ENOENT"
    const detail = isMissing ? "there is no such file" : cause instanceof Error ? cause.message.split("\n", 1)[0] : ""
    throw new KezError("input.unreadable", `Cannot read ${path}: ${detail}`, { cause })
  }
  const texts = Object.entries(table).map(([name, value]) => [name, asText(name, value)] as const)
  return checkAll(Object.fromEntries(texts), (name) => `${name} in ${path}`)
}

function asText(name: string, value: unknown): string {
  if (typeof value === "string") return value
  if (typeof value === "number" || typeof value === "boolean") return String(value)
  if (Array.isArray(value) && value.every((part) => typeof part === "string")) return value.join(",")
  throw new KezError("usage", `Cannot use ${name}: expected a text, a number, true or false`)
}

interface Typed {
  readonly name: string
  readonly text: string
  /** A name as it is written there. */
  readonly shown: (name: string) => string
}

/** A typing error must not switch a limit off silently. */
function assertFits(
  { name, text, shown }: Typed,
  { known, program }: { readonly known: ReadonlyMap<string, Setting>; readonly program: string },
): void {
  const setting = known.get(name)
  if (setting === undefined) {
    const near = nearestOf(name, [...known.keys()])
    throw new KezError("usage", `Cannot use ${shown(name)}: there is no such setting`, {
      hint: near === undefined ? `${program} --print-config lists all.` : `Did you mean ${shown(near)}?`,
    })
  }
  if (setting.fits(text)) return
  // A password may stand in any URL.
  const got = text.length > maxShownCharacters || text.includes("@") ? "" : `, got ${JSON.stringify(text)}`
  throw new KezError(
    "usage",
    `Cannot use ${shown(name)}: expected ${setting.expected}${setting.isSecret === true ? "" : got}`,
  )
}

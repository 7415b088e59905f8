/** The settings in force: a flag wins over the environment, that over the TOML file, that over the default. Nothing else reads the environment. */
import { readFileSync } from "node:fs"
import { KezError } from "@kez/core"
import { parse } from "smol-toml"
import type { HttpConfig } from "./app.ts"
import type { LogLevel } from "./log.ts"
import { nearestOf } from "./nearest.ts"
import { flagOf, isLoopback, isSettingName, type SettingName, settingNames, settings, variableOf } from "./settings.ts"
import type { StoragePlace } from "./storage/open-storage.ts"

export interface Config {
  readonly host: string
  readonly port: number
  readonly storage: StoragePlace
  readonly logLevel: LogLevel
  readonly metrics: { readonly mode: "separate" | "main" | "off"; readonly host: string; readonly port: number }
  readonly drainSeconds: number
  /** Base URLs of stores to follow. */
  readonly mirrors: readonly string[]
  readonly http: HttpConfig
}

export type Origin = "flag" | "environment" | "file" | "default"

export interface Value {
  readonly text: string | undefined
  readonly origin: Origin
}

export type Values = Readonly<Record<SettingName, Value>>

export interface Sources {
  /** By setting name. */
  readonly flags: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Path of the TOML file. */
  readonly file: string | undefined
}

const maxShownCharacters = 100
const bytesPerMib = 1_048_576

type Texts = Readonly<Partial<Record<SettingName, string>>>

/** Throws `usage` for a name that does not exist, with the nearest one, and for a value that does not fit. */
export function readValues({ flags, env, file }: Sources): Values {
  const fromEnv = readEnvironment(env)
  const fromFile = file === undefined ? {} : readToml(file)
  const fromFlags = checkAll(flags, flagOf)
  const pick = (name: SettingName): Value => {
    if (fromFlags[name] !== undefined) return { text: fromFlags[name], origin: "flag" }
    if (fromEnv[name] !== undefined) return { text: fromEnv[name], origin: "environment" }
    if (fromFile[name] !== undefined) return { text: fromFile[name], origin: "file" }
    return { text: settings[name].usual, origin: "default" }
  }
  return Object.fromEntries(settingNames.map((name) => [name, pick(name)])) as Values
}

/** Throws `usage` for settings that do not go together. */
export function toConfig(values: Values): Config {
  const textOf = (name: SettingName): string => values[name].text ?? ""
  const numberOf = (name: SettingName): number => Number(textOf(name))
  const listOf = (name: SettingName): readonly string[] =>
    textOf(name)
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "")
  const plan = (burst: SettingName, perHour: SettingName) => ({ burst: numberOf(burst), perHour: numberOf(perHour) })
  const mode = textOf("metrics") as Config["metrics"]["mode"]
  const config: Config = {
    host: textOf("host"),
    port: numberOf("port"),
    storage: {
      dataFolder: textOf("data"),
      databaseUrl: values.database_url.text,
      quotaBytes: numberOf("quota_mib") === 0 ? undefined : numberOf("quota_mib") * bytesPerMib,
    },
    logLevel: textOf("log_level") as LogLevel,
    metrics: { mode, host: textOf("metrics_host"), port: numberOf("metrics_port") },
    drainSeconds: numberOf("drain_seconds"),
    mirrors: listOf("mirror"),
    http: {
      takesPosts: textOf("mirror") === "" || textOf("mirror_posts") === "true",
      baseUrl: values.base_url.text?.replace(/\/$/, ""),
      trustProxy: listOf("trust_proxy"),
      logRequests: textOf("log_requests") === "true",
      metricsOnMain: mode === "main",
      maxConnections: numberOf("max_connections"),
      writes: {
        chain: plan("chain_burst", "chain_per_hour"),
        ip: plan("ip_burst", "ip_per_hour"),
        genesis: plan("genesis_burst", "genesis_per_hour"),
      },
      reads: plan("read_burst", "read_per_hour"),
      streams: { total: numberOf("max_streams"), perIp: numberOf("max_streams_per_ip") },
    },
  }
  if (!isLoopback(config.host) && config.http.baseUrl === undefined) {
    throw new KezError("usage", `Cannot listen at ${config.host}: others could reach it, and base_url is not set`, {
      hint: "Set KEZ_SIG_BASE_URL (for example https://sigs.example.org). Nothing was started.",
    })
  }
  return config
}

/** TOML of all settings with where each comes from; of a secret only that it is set. */
export function formatValues(values: Values): string {
  const lines = settingNames.map((name) => {
    const { text, origin } = values[name]
    if (text === undefined) return `# ${name} is not set`
    const isSecret = "isSecret" in settings[name]
    return `${name} = ${formatToml(isSecret ? "[redacted]" : text)}  # ${origin}`
  })
  return `${lines.join("\n")}\n`
}

function formatToml(text: string): string {
  return /^(?:\d+|true|false)$/.test(text) ? text : JSON.stringify(text)
}

/** `DATABASE_URL` alone is understood too: many hosts set it. Names without our prefix are not ours to judge. */
function readEnvironment(env: Sources["env"]): Texts {
  const ours = Object.entries(env).filter(([name]) => name.startsWith("KEZ_SIG_") && name !== "KEZ_SIG_CONFIG")
  const found: Record<string, string> = {}
  for (const bare of ["DATABASE_URL", "DATABASE_URL_FILE"]) {
    const value = env[bare]
    if (value !== undefined && value !== "") ours.unshift([`KEZ_SIG_${bare}`, value])
  }
  for (const [variable, value] of ours) {
    if (value === undefined || value === "") continue
    const name = variable.slice("KEZ_SIG_".length).toLowerCase()
    const secret = name.endsWith("_file") ? name.slice(0, -"_file".length) : undefined
    if (secret !== undefined && isSettingName(secret) && "isSecret" in settings[secret])
      found[secret] = readSecret(value)
    else found[name] = value
  }
  return checkAll(found, variableOf)
}

function readSecret(path: string): string {
  try {
    return readFileSync(path, "utf8").trim()
  } catch (cause) {
    throw new KezError("input.unreadable", `Cannot read ${path}`, { cause })
  }
}

function readToml(path: string): Texts {
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

/** A typing error must not switch a limit off silently. `shown` is the name as it stood there. */
function checkAll(texts: Readonly<Record<string, string>>, shown: (name: string) => string): Texts {
  for (const [name, text] of Object.entries(texts)) {
    if (!isSettingName(name)) {
      const near = nearestOf(name, settingNames)
      throw new KezError("usage", `Cannot use ${shown(name)}: there is no such setting`, {
        hint: near === undefined ? "kez-sig-server --print-config lists all." : `Did you mean ${shown(near)}?`,
      })
    }
    const { expected, fits } = settings[name]
    if (fits(text)) continue
    // A password may stand in any URL.
    const got = text.length > maxShownCharacters || text.includes("@") ? "" : `, got ${JSON.stringify(text)}`
    throw new KezError(
      "usage",
      `Cannot use ${shown(name)}: expected ${expected}${"isSecret" in settings[name] ? "" : got}`,
    )
  }
  return texts
}

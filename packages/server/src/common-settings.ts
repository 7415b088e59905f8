/** Settings that every server here has, and what they come to. */
import { type LogLevel, logLevels } from "./log.ts"
import {
  anyCount,
  anyPort,
  areNetworks,
  choice,
  isBaseUrl,
  isDatabaseUrl,
  isListenHost,
  number,
  type Setting,
  text,
} from "./setting.ts"
import type { Values } from "./setting-table.ts"

type Settings = Readonly<Record<string, Setting>>

/** Where it listens. */
export function listenSettings(port: number, baseUrlAbout: string) {
  return {
    host: { ...text("127.0.0.1", "address to listen at"), expected: "an IP address or localhost", fits: isListenHost },
    port: number(port, "port to listen at; 0: any", anyPort),
    base_url: { ...text(undefined, baseUrlAbout, "an https:// URL without a path"), fits: isBaseUrl },
  } as const satisfies Settings
}

/** Where it keeps what it knows. */
export function storageSettings(dataAbout: string) {
  return {
    data: text("./data", dataAbout, "a folder"),
    quota_mib: number(0, "the largest that the SQLite file may become, in MiB; 0: no limit but the disk", anyCount),
    database_url: {
      ...text(undefined, "PostgreSQL instead of SQLite", "a postgres:// URL"),
      fits: isDatabaseUrl,
      isSecret: true,
    },
  } as const satisfies Settings
}

/** What it says of itself, and whom it believes. */
export function operationSettings(metricsPort: number) {
  return {
    trust_proxy: {
      ...text(
        "",
        "addresses of reverse proxies whose X-Forwarded-For is believed",
        "IP addresses or networks, joined by commas",
      ),
      fits: areNetworks,
    },
    log_level: choice(logLevels, "info", "least severity of lines of the log"),
    log_requests: choice(["true", "false"], "false", "a line for each request"),
    metrics: choice(
      ["separate", "main", "off"],
      "separate",
      "where /metrics is served: on a port of its own, or to everybody",
    ),
    metrics_host: {
      ...text("127.0.0.1", "address of the separate metrics"),
      expected: "an IP address or localhost",
      fits: isListenHost,
    },
    metrics_port: number(metricsPort, "port of the separate metrics; 0: any", anyPort),
  } as const satisfies Settings
}

/** How much it takes, and how it stops. */
export const serviceSettings = {
  max_connections: number(4_000, "open connections", [1, 1_000_000]),
  drain_seconds: number(0, "from /readyz 503 to the end of accepting, for load balancers", [0, 300]),
} as const satisfies Settings

export type CommonSettingName =
  | keyof ReturnType<typeof listenSettings>
  | keyof ReturnType<typeof storageSettings>
  | keyof ReturnType<typeof operationSettings>
  | keyof typeof serviceSettings

/** A file of SQLite in `dataFolder`, unless `databaseUrl` names a PostgreSQL. */
export interface StoragePlace {
  readonly dataFolder: string
  readonly databaseUrl: string | undefined
  /** Of the SQLite file; undefined: no limit but the disk. */
  readonly quotaBytes: number | undefined
}

export interface CommonConfig {
  readonly host: string
  readonly port: number
  /** Without a slash at its end. */
  readonly baseUrl: string | undefined
  readonly storage: StoragePlace
  readonly logLevel: LogLevel
  readonly metrics: { readonly mode: "separate" | "main" | "off"; readonly host: string; readonly port: number }
  readonly drainSeconds: number
  readonly http: CommonHttpConfig
}

export interface CommonHttpConfig {
  /** Addresses whose X-Forwarded-For is believed. */
  readonly trustProxy: readonly string[]
  readonly logRequests: boolean
  readonly metricsOnMain: boolean
  readonly maxConnections: number
}

const bytesPerMib = 1_048_576

/** Values of settings in the types that programs use. */
export function readersOf<Name extends string>(values: Values<Name>) {
  const textOf = (name: Name): string => values[name].text ?? ""
  const numberOf = (name: Name): number => Number(textOf(name))
  return {
    textOf,
    numberOf,
    /** What stands between commas. */
    listOf: (name: Name): readonly string[] =>
      textOf(name)
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== ""),
    planOf: (burst: Name, perHour: Name) => ({ burst: numberOf(burst), perHour: numberOf(perHour) }),
  }
}

export function commonConfigOf(values: Values<CommonSettingName>): CommonConfig {
  const { textOf, numberOf, listOf } = readersOf(values)
  const mode = textOf("metrics") as CommonConfig["metrics"]["mode"]
  const quotaMib = numberOf("quota_mib")
  return {
    host: textOf("host"),
    port: numberOf("port"),
    baseUrl: values.base_url.text?.replace(/\/$/, ""),
    storage: {
      dataFolder: textOf("data"),
      databaseUrl: values.database_url.text,
      quotaBytes: quotaMib === 0 ? undefined : quotaMib * bytesPerMib,
    },
    logLevel: textOf("log_level") as LogLevel,
    metrics: { mode, host: textOf("metrics_host"), port: numberOf("metrics_port") },
    drainSeconds: numberOf("drain_seconds"),
    http: {
      trustProxy: listOf("trust_proxy"),
      logRequests: textOf("log_requests") === "true",
      metricsOnMain: mode === "main",
      maxConnections: numberOf("max_connections"),
    },
  }
}

/** The settings in force, as the store uses them. */

import { KezError } from "@kez/core"
import { isLoopback, type Values } from "@kez/server"
import type { LogLevel } from "@kez/server/log"
import type { HttpConfig } from "./app.ts"
import type { SettingName } from "./settings.ts"
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

const bytesPerMib = 1_048_576

/** Throws `usage` for settings that do not go together. */
export function toConfig(values: Values<SettingName>): Config {
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

/** The settings in force, as the chat server uses them. */
import { join } from "node:path"
import { KezError } from "@kez/core"
import { isLoopback, type Values } from "@kez/server"
import type { LogLevel } from "@kez/server/log"
import type { HttpConfig } from "./app.ts"
import type { BrokerConfig } from "./broker/chat-service.ts"
import type { Registration } from "./directory/service.ts"
import { standingPlan } from "./limits.ts"
import type { SettingName } from "./settings.ts"
import type { StoragePlace } from "./storage/open-database.ts"

export interface Config {
  readonly host: string
  readonly port: number
  readonly domain: string
  readonly baseUrl: string | undefined
  readonly registration: Registration
  /** Key identities. */
  readonly admins: readonly string[]
  readonly reserved: readonly string[]
  /** Base URLs. */
  readonly stores: readonly string[]
  readonly storage: StoragePlace
  readonly logKeyFile: string
  readonly logLevel: LogLevel
  readonly metrics: { readonly mode: "separate" | "main" | "off"; readonly host: string; readonly port: number }
  readonly drainSeconds: number
  readonly http: HttpConfig
  readonly told: { readonly broker: readonly string[]; readonly stores: readonly string[] }
  /** Undefined: handles, and no chat. */
  readonly broker: BrokerConfig | undefined
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
  const dataFolder = textOf("data")
  const config: Config = {
    host: textOf("host"),
    port: numberOf("port"),
    domain: textOf("domain"),
    baseUrl: values.base_url.text?.replace(/\/$/, ""),
    registration: textOf("registration") as Registration,
    admins: listOf("admins"),
    reserved: listOf("reserved"),
    stores: listOf("stores"),
    storage: {
      dataFolder,
      databaseUrl: values.database_url.text,
      quotaBytes: numberOf("quota_mib") === 0 ? undefined : numberOf("quota_mib") * bytesPerMib,
    },
    logKeyFile: values.log_key.text ?? join(dataFolder, "directory.key"),
    logLevel: textOf("log_level") as LogLevel,
    metrics: { mode, host: textOf("metrics_host"), port: numberOf("metrics_port") },
    drainSeconds: numberOf("drain_seconds"),
    http: {
      trustProxy: listOf("trust_proxy"),
      logRequests: textOf("log_requests") === "true",
      metricsOnMain: mode === "main",
      maxConnections: numberOf("max_connections"),
      limits: {
        read: plan("read_burst", "read_per_hour"),
        write: plan("write_burst", "write_per_hour"),
        standing: standingPlan,
      },
    },
    told: {
      broker: values.broker_urls.text === undefined ? listOf("nats_url") : listOf("broker_urls"),
      stores: values.public_stores.text === undefined ? listOf("stores") : listOf("public_stores"),
    },
    broker:
      values.nats_url.text === undefined
        ? undefined
        : {
            url: values.nats_url.text,
            keysFolder: values.broker_keys.text ?? join(dataFolder, "broker", "keys"),
            replicas: numberOf("replicas"),
            plans: {
              all: plan("command_burst", "command_per_hour"),
              write: plan("message_burst", "message_per_hour"),
              live: plan("command_burst", "command_per_hour"),
            },
          },
  }
  if (config.broker !== undefined && config.stores.length === 0) {
    throw new KezError("usage", "Cannot serve the chat: no sigchain store is named, so that nobody could be let in", {
      hint: "Set KEZ_CHAT_STORES (for example https://sigs.example.org). Nothing was started.",
    })
  }
  if (!isLoopback(config.host) && config.domain === "localhost") {
    throw new KezError(
      "usage",
      `Cannot listen at ${config.host}: others could reach it, and handles would be of localhost`,
      {
        hint: "Set KEZ_CHAT_DOMAIN (for example chat.example.org). It is part of every handle and cannot be changed later. Nothing was started.",
      },
    )
  }
  return config
}

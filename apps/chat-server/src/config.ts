/** The settings in force, as the chat server uses them. */
import { join } from "node:path"
import { KezError } from "@kez/core"
import { isLoopback, type Values } from "@kez/server"
import { type CommonConfig, commonConfigOf, readersOf } from "@kez/server/common-settings"
import type { HttpConfig } from "./app.ts"
import type { BrokerConfig } from "./broker/chat-service.ts"
import type { Registration } from "./directory/service.ts"
import { standingPlan } from "./limits.ts"
import type { SettingName } from "./settings.ts"

export interface Config extends CommonConfig {
  readonly domain: string
  readonly registration: Registration
  /** Key identities. */
  readonly admins: readonly string[]
  readonly reserved: readonly string[]
  /** Base URLs. */
  readonly stores: readonly string[]
  readonly logKeyFile: string
  readonly http: HttpConfig
  /** Members of `/v1/server`. */
  readonly told: Told
  /** Undefined: handles, and no chat. */
  readonly broker: BrokerConfig | undefined
}

/** URLs that clients are told. */
export interface Told {
  readonly broker: readonly string[]
  readonly stores: readonly string[]
  /** For files. */
  readonly relays: readonly string[]
}

/** Throws `usage` for settings that do not go together. */
export function toConfig(values: Values<SettingName>): Config {
  const { textOf, numberOf, listOf, planOf } = readersOf(values)
  const common = commonConfigOf(values)
  const { dataFolder } = common.storage
  const config: Config = {
    ...common,
    domain: textOf("domain"),
    registration: textOf("registration") as Registration,
    admins: listOf("admins"),
    reserved: listOf("reserved"),
    stores: listOf("stores"),
    logKeyFile: values.log_key.text ?? join(dataFolder, "directory.key"),
    http: {
      ...common.http,
      limits: {
        read: planOf("read_burst", "read_per_hour"),
        write: planOf("write_burst", "write_per_hour"),
        standing: standingPlan,
      },
    },
    told: {
      broker: values.broker_urls.text === undefined ? listOf("nats_url") : listOf("broker_urls"),
      stores: values.public_stores.text === undefined ? listOf("stores") : listOf("public_stores"),
      relays: listOf("file_relays"),
    },
    broker:
      values.nats_url.text === undefined
        ? undefined
        : {
            url: values.nats_url.text,
            keysFolder: values.broker_keys.text ?? join(dataFolder, "broker", "keys"),
            replicas: numberOf("replicas"),
            plans: {
              all: planOf("command_burst", "command_per_hour"),
              write: planOf("message_burst", "message_per_hour"),
              live: planOf("command_burst", "command_per_hour"),
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

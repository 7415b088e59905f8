/** The settings in force, as the store uses them. */
import { KezError } from "@kez/core"
import { isLoopback, type Values } from "@kez/server"
import { type CommonConfig, commonConfigOf, readersOf } from "@kez/server/common-settings"
import type { HttpConfig } from "./app.ts"
import type { SettingName } from "./settings.ts"

export interface Config extends Omit<CommonConfig, "baseUrl"> {
  /** Base URLs of stores to follow. */
  readonly mirrors: readonly string[]
  readonly http: HttpConfig
}

/** Throws `usage` for settings that do not go together. */
export function toConfig(values: Values<SettingName>): Config {
  const { textOf, numberOf, listOf, planOf } = readersOf(values)
  const { baseUrl, ...common } = commonConfigOf(values)
  const config: Config = {
    ...common,
    mirrors: listOf("mirror"),
    http: {
      ...common.http,
      baseUrl,
      takesPosts: textOf("mirror") === "" || textOf("mirror_posts") === "true",
      writes: {
        chain: planOf("chain_burst", "chain_per_hour"),
        ip: planOf("ip_burst", "ip_per_hour"),
        genesis: planOf("genesis_burst", "genesis_per_hour"),
      },
      reads: planOf("read_burst", "read_per_hour"),
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

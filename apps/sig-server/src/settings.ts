/** What admins may set. Each setting has one name in three places: `--chain-burst`, `KEZ_SIG_CHAIN_BURST`, `chain_burst = 60`. */
import { anyCount, areUrls, choice, createSettingTable, number, type Setting, text } from "@kez/server"
import { listenSettings, operationSettings, serviceSettings, storageSettings } from "@kez/server/common-settings"

export const settings = {
  ...listenSettings(7878, "URL by which others reach this server"),
  ...storageSettings("folder of the SQLite file"),
  mirror: {
    ...text(
      "",
      "other stores to follow: each of their events is checked and kept here too",
      "http(s) URLs, joined by commas",
    ),
    fits: areUrls,
  },
  mirror_posts: choice(["true", "false"], "false", "a store that follows others takes posts too"),
  ...operationSettings(9464),
  chain_burst: number(60, "events that a chain may have at once; 0: no limit", anyCount),
  chain_per_hour: number(20, "events an hour that a chain may have after that", anyCount),
  ip_burst: number(240, "posts from one address at once; 0: no limit", anyCount),
  ip_per_hour: number(1_200, "posts an hour from one address after that", anyCount),
  genesis_burst: number(20, "new chains from one address at once; 0: no limit", anyCount),
  genesis_per_hour: number(20, "new chains an hour from one address after that", anyCount),
  read_burst: number(10_000, "reads from one address at once; 0: no limit", anyCount),
  read_per_hour: number(360_000, "reads an hour from one address after that", anyCount),
  max_streams: number(1_000, "open streams", anyCount),
  max_streams_per_ip: number(20, "open streams from one address", anyCount),
  ...serviceSettings,
} as const satisfies Readonly<Record<string, Setting>>

export type SettingName = keyof typeof settings
export const settingTable = createSettingTable(settings, { prefix: "KEZ_SIG_", program: "kez-sig-server" })

/** What admins may set. Each setting has one name in three places: `--chain-burst`, `KEZ_SIG_CHAIN_BURST`, `chain_burst = 60`. */
import {
  anyCount,
  anyPort,
  areNetworks,
  areUrls,
  choice,
  createSettingTable,
  isBaseUrl,
  isDatabaseUrl,
  isListenHost,
  number,
  type Setting,
  text,
} from "@kez/server"
import { logLevels } from "@kez/server/log"

export const settings = {
  host: { ...text("127.0.0.1", "address to listen at"), expected: "an IP address or localhost", fits: isListenHost },
  port: number(7878, "port to listen at; 0: any", anyPort),
  base_url: {
    ...text(undefined, "URL by which others reach this server", "an https:// URL without a path"),
    fits: isBaseUrl,
  },
  data: text("./data", "folder of the SQLite file", "a folder"),
  quota_mib: number(
    0,
    "the largest that the SQLite file may become, in MiB; 0: no limit but the disk",
    [0, 1_000_000_000],
  ),
  database_url: {
    ...text(undefined, "PostgreSQL instead of SQLite", "a postgres:// URL"),
    fits: isDatabaseUrl,
    isSecret: true,
  },
  mirror: {
    ...text(
      "",
      "other stores to follow: each of their events is checked and kept here too",
      "http(s) URLs, joined by commas",
    ),
    fits: areUrls,
  },
  mirror_posts: choice(["true", "false"], "false", "a store that follows others takes posts too"),
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
  metrics_port: number(9464, "port of the separate metrics; 0: any", anyPort),
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
  max_connections: number(4_000, "open connections", [1, 1_000_000]),
  drain_seconds: number(0, "from /readyz 503 to the end of accepting, for load balancers", [0, 300]),
} as const satisfies Readonly<Record<string, Setting>>

export type SettingName = keyof typeof settings
export const settingTable = createSettingTable(settings, { prefix: "KEZ_SIG_", program: "kez-sig-server" })

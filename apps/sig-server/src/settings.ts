/** What admins may set. Each setting has one name in three places: `--chain-burst`, `KEZ_SIG_CHAIN_BURST`, `chain_burst = 60`. */
import { isIP } from "node:net"
import { logLevels } from "./log.ts"

export interface Setting {
  /** The value by default, as text; undefined: there is none. */
  readonly usual: string | undefined
  /** What it is for, in a few words. */
  readonly about: string
  /** Of a value that does not fit. */
  readonly expected: string
  fits(text: string): boolean
  /** Not shown, and `…_FILE` may name a file that holds it. */
  readonly isSecret?: true
}

function text(usual: string | undefined, about: string, expected = "a text"): Setting {
  return { usual, about, expected, fits: (value) => value !== "" }
}

function number(usual: number, about: string, [min, max]: readonly [min: number, max: number]): Setting {
  const fits = (value: string): boolean =>
    /^(?:0|[1-9][0-9]{0,14})$/.test(value) && Number(value) >= min && Number(value) <= max
  return { usual: String(usual), about, expected: `a number from ${min} to ${max}`, fits }
}

function choice(names: readonly string[], usual: string, about: string): Setting {
  return { usual, about, expected: names.join(", "), fits: (value) => names.includes(value) }
}

const port = [0, 65_535] as const
const many = [0, 1_000_000_000] as const

export const settings = {
  host: { ...text("127.0.0.1", "address to listen at"), expected: "an IP address or localhost", fits: isListenHost },
  port: number(7878, "port to listen at; 0: any", port),
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
    fits: areStores,
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
  metrics_port: number(9464, "port of the separate metrics; 0: any", port),
  chain_burst: number(60, "events that a chain may have at once; 0: no limit", many),
  chain_per_hour: number(20, "events an hour that a chain may have after that", many),
  ip_burst: number(240, "posts from one address at once; 0: no limit", many),
  ip_per_hour: number(1_200, "posts an hour from one address after that", many),
  genesis_burst: number(20, "new chains from one address at once; 0: no limit", many),
  genesis_per_hour: number(20, "new chains an hour from one address after that", many),
  read_burst: number(10_000, "reads from one address at once; 0: no limit", many),
  read_per_hour: number(360_000, "reads an hour from one address after that", many),
  max_streams: number(1_000, "open streams", many),
  max_streams_per_ip: number(20, "open streams from one address", many),
  max_connections: number(4_000, "open connections", [1, 1_000_000]),
  drain_seconds: number(0, "from /readyz 503 to the end of accepting, for load balancers", [0, 300]),
} as const satisfies Readonly<Record<string, Setting>>

export type SettingName = keyof typeof settings
export const settingNames = Object.keys(settings) as readonly SettingName[]

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settings, name)
}

export const flagOf = (name: string): string => `--${name.replaceAll("_", "-")}`
export const variableOf = (name: string): string => `KEZ_SIG_${name.toUpperCase()}`

function isListenHost(value: string): boolean {
  return value === "localhost" || isIP(value) !== 0
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host)
}

function isBaseUrl(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, pathname, search, hash, username, password } = new URL(value)
  const isBare = pathname === "/" && `${search}${hash}${username}${password}` === ""
  return (protocol === "https:" || protocol === "http:") && isBare
}

function areStores(value: string): boolean {
  return value === "" || value.split(",").every((part) => isStore(part.trim()))
}

function isStore(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, search, hash, username, password } = new URL(value)
  return (protocol === "https:" || protocol === "http:") && `${search}${hash}${username}${password}` === ""
}

function isDatabaseUrl(value: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(value) && URL.canParse(value)
}

function areNetworks(value: string): boolean {
  return value === "" || value.split(",").every((part) => isNetwork(part.trim()))
}

function isNetwork(value: string): boolean {
  const [address = "", bits] = value.split("/", 2)
  const family = isIP(address)
  if (family === 0) return false
  return bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

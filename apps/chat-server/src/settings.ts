/** What admins may set. Each setting has one name in three places: `--domain`, `KEZ_CHAT_DOMAIN`, `domain = "chat.example.org"`. */
import { isHost, KezError, parseKeyIdentity } from "@kez/core"
import { anyCount, areUrls, choice, createSettingTable, number, type Setting, text } from "@kez/server"
import { listenSettings, operationSettings, serviceSettings, storageSettings } from "@kez/server/common-settings"

export const settings = {
  ...listenSettings(6969, "URL by which others reach this server; https://DOMAIN unless set"),
  domain: {
    ...text("localhost", "the host in handles, as in alice@HOST; never changed later"),
    expected: "a domain, or localhost",
    fits: isHost,
  },
  registration: choice(["invite", "open", "closed"], "invite", "who may register a handle"),
  admins: { ...text("", "keys of those who may make invitations", "key identities, joined by commas"), fits: areKeys },
  reserved: { ...text("", "further handles that nobody can have", "handles, joined by commas"), fits: () => true },
  stores: {
    ...text("", "sigchain stores that chains are looked up at", "http(s) URLs, joined by commas"),
    fits: areUrls,
  },
  ...storageSettings("folder of the SQLite file and of the key of the log"),
  log_key: text(undefined, "file of the key that signs the log; directory.key in the data folder unless set", "a file"),
  nats_url: {
    ...text(undefined, "URL of the nats-server; without it there are handles, and no chat", "a nats:// URL"),
    fits: isBrokerUrl,
  },
  broker_urls: {
    ...text(
      undefined,
      "URLs of the nats-server that clients are told, joined by commas; nats_url unless set",
      "tls://, wss:// or nats:// URLs",
    ),
    fits: (value: string) => value.split(",").every((url) => isBrokerUrl(url.trim(), /^(?:nats|tls|wss?):/)),
  },
  public_stores: {
    ...text(undefined, "sigchain stores that clients are told, joined by commas; stores unless set", "http(s) URLs"),
    fits: areUrls,
  },
  file_relays: {
    ...text(
      "",
      "relays for files that clients are told, for those who choose the host's",
      "https:// URLs, joined by commas",
    ),
    fits: (value: string) => value === "" || value.split(",").every((url) => isRelayUrl(url.trim())),
  },
  broker_keys: text(undefined, "folder of the broker's keys; broker/keys in the data folder unless set", "a folder"),
  replicas: number(1, "copies of each stream of the broker: 1 alone, 3 in a cluster", [1, 5]),
  ...operationSettings(9465),
  write_burst: number(20, "registrations, moves and releases from one address at once; 0: no limit", anyCount),
  write_per_hour: number(60, "the same an hour after that", anyCount),
  read_burst: number(1_000, "look-ups from one address at once; 0: no limit", anyCount),
  read_per_hour: number(36_000, "the same an hour after that", anyCount),
  command_burst: number(600, "commands of one person over the broker at once; 0: no limit", anyCount),
  command_per_hour: number(36_000, "the same an hour after that", anyCount),
  message_burst: number(200, "messages, commits and the like of one person at once; 0: no limit", anyCount),
  message_per_hour: number(7_200, "the same an hour after that", anyCount),
  ...serviceSettings,
} as const satisfies Readonly<Record<string, Setting>>

export type SettingName = keyof typeof settings
export const program = "kez-chat-server"
export const settingTable = createSettingTable(settings, { prefix: "KEZ_CHAT_", program })

/** Without HTTPS everybody on the way would see who gives files to whom. */
function isRelayUrl(value: string): boolean {
  return /^https:\/\/[^/@?#\s]+\/?$/.test(value) && URL.canParse(value)
}

function isBrokerUrl(value: string, scheme = /^nats:/): boolean {
  return scheme.test(value) && /^[a-z]+:\/\/[^/@]+\/?$/.test(value) && URL.canParse(value)
}

function areKeys(value: string): boolean {
  return value === "" || value.split(",").every((part) => isKey(part.trim()))
}

function isKey(value: string): boolean {
  try {
    parseKeyIdentity(value)
    return true
  } catch (error) {
    if (error instanceof KezError) return false
    throw error
  }
}

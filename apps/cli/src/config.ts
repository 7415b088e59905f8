/** The only reader of the environment; and the settings: flag, then environment, then profile, then config.toml, then default. */
import {
  areFileRelays,
  areRelays,
  areStores,
  type Brokers,
  type ColorMode,
  fileRelaysExpected,
  type Hosts,
  maxStores,
  readConfigFile,
} from "./config-file.ts"
import { fault } from "./fault.ts"

/** What the environment says. An empty variable counts as not set. */
export interface Env {
  readonly platform: NodeJS.Platform
  readonly userHome: string | undefined
  readonly appData: string | undefined
  readonly xdgConfigHome: string | undefined
  readonly xdgDataHome: string | undefined
  readonly xdgStateHome: string | undefined
  readonly xdgCacheHome: string | undefined
  readonly kezHome: string | undefined
  readonly profile: string | undefined
  readonly passphrase: string | undefined
  /** A secret. */
  readonly invitation: string | undefined
  readonly noInput: boolean
  readonly ci: boolean
  readonly accessible: boolean
  readonly noColor: boolean
  readonly forceColor: boolean
  readonly term: string | undefined
  readonly resolver: string | undefined
  readonly relays: string | undefined
  readonly stores: string | undefined
  readonly fileRelays: string | undefined
  /** A secret. */
  readonly githubToken: string | undefined
  readonly blueskyAppPassword: string | undefined
  readonly mastodonToken: string | undefined
  readonly compileCache: string | undefined
  readonly iroh: string | undefined
  /** Where cargo builds, if not where scripts/iroh.sh says. */
  readonly cargoTargetDir: string | undefined
}

/** For `kez help environment`. */
export const variables: ReadonlyArray<readonly [name: string, meaning: string]> = [
  ["KEZ_HOME", "one directory for everything, instead of the places of your system"],
  ["KEZ_PROFILE", "name of the profile, as --profile"],
  ["KEZ_PASSPHRASE", "passphrase of the key file; --passphrase-file is safer"],
  ["KEZ_INVITATION", "invitation code of a chat server, for kez account create; --invitation-file is safer"],
  ["KEZ_NO_INPUT", "1: never ask, as --no-input"],
  ["KEZ_RESOLVER", "DNS servers, separated by commas: 1.2.3.4, [::1]:53, https://…"],
  ["KEZ_RELAYS", "nostr relays, separated by commas: wss://…"],
  ["KEZ_STORES", "sigchain stores, separated by commas: https://…"],
  ["KEZ_FILE_RELAYS", "relays for files, separated by commas: https://…; or host, or public"],
  [
    "GH_TOKEN, GITHUB_TOKEN",
    "sent to api.github.com, or its place in [hosts], alone: it then answers more often; never needed to verify",
  ],
  ["KEZ_BSKY_APP_PASSWORD", "for kez claim publish bluesky:…; --credential-file is safer"],
  ["KEZ_MASTODON_TOKEN", "for kez claim publish ap:…; --credential-file is safer"],
  ["KEZ_IROH", "path of kez-iroh, the program that moves files, instead of its package or what scripts/iroh.sh built"],
  ["CARGO_TARGET_DIR", "scripts/iroh.sh builds there, and kez-iroh is looked for there, too"],
  ["NO_COLOR", "any value: no colours"],
  ["FORCE_COLOR", "colours even where the output is not a terminal; 0 switches them off"],
  ["CLICOLOR_FORCE", "1: the same"],
  ["TERM", "dumb: no colours, no cleared screens"],
  ["CI", "any value but false or 0: never ask"],
  ["ACCESSIBLE", "1: plain text only, as --plain"],
  ["XDG_CONFIG_HOME", "default ~/.config; config.toml is in its kez/"],
  ["XDG_DATA_HOME", "default ~/.local/share; keys and the database are in its kez/"],
  ["XDG_STATE_HOME", "default ~/.local/state"],
  ["XDG_CACHE_HOME", "default ~/.cache; answers of platforms are kept in its kez/, and may be deleted"],
]

export function readEnv(source: NodeJS.ProcessEnv = process.env, platform = process.platform): Env {
  const text = (name: string): string | undefined => (source[name] === "" ? undefined : source[name])
  const isOn = (name: string): boolean => !["0", "false", "no", undefined].includes(text(name)?.toLowerCase())
  return {
    platform,
    userHome: text("HOME") ?? text("USERPROFILE"),
    appData: text("APPDATA"),
    xdgConfigHome: text("XDG_CONFIG_HOME"),
    xdgDataHome: text("XDG_DATA_HOME"),
    xdgStateHome: text("XDG_STATE_HOME"),
    xdgCacheHome: text("XDG_CACHE_HOME"),
    kezHome: text("KEZ_HOME"),
    profile: text("KEZ_PROFILE"),
    passphrase: text("KEZ_PASSPHRASE"),
    invitation: text("KEZ_INVITATION"),
    noInput: isOn("KEZ_NO_INPUT"),
    ci: isOn("CI"),
    accessible: isOn("ACCESSIBLE"),
    noColor: text("NO_COLOR") !== undefined || source["FORCE_COLOR"] === "0",
    forceColor: isOn("FORCE_COLOR") || isOn("CLICOLOR_FORCE"),
    term: text("TERM"),
    resolver: text("KEZ_RESOLVER"),
    relays: text("KEZ_RELAYS"),
    stores: text("KEZ_STORES"),
    fileRelays: text("KEZ_FILE_RELAYS"),
    // In the order of gh.
    githubToken: text("GH_TOKEN") ?? text("GITHUB_TOKEN"),
    blueskyAppPassword: text("KEZ_BSKY_APP_PASSWORD"),
    mastodonToken: text("KEZ_MASTODON_TOKEN"),
    compileCache: text("NODE_COMPILE_CACHE"),
    iroh: text("KEZ_IROH"),
    cargoTargetDir: text("CARGO_TARGET_DIR"),
  }
}

export type Origin = "flag" | "environment" | "profile" | "config.toml" | "default"

export interface Setting<T> {
  readonly value: T
  readonly origin: Origin
}

/** Everything that can be set. */
export interface Settings {
  readonly profile: Setting<string | undefined>
  readonly color: Setting<ColorMode>
  /** Append-only text, for screen readers and logs. */
  readonly plain: Setting<boolean>
  readonly noInput: Setting<boolean>
  /** DNS servers; empty means those of the system. */
  readonly resolver: Setting<readonly string[]>
  /** How long `kez identity unlock` keeps the key, such as 15m. */
  readonly unlockFor: Setting<string>
  /** Servers that stand for hosts; only these may be private or have another port. */
  readonly hosts: Setting<Hosts>
  /** Brokers of chat servers by their host, instead of those that the servers name. */
  readonly brokers: Setting<Brokers>
  /** Nostr relays; empty means the usual ones. */
  readonly relays: Setting<readonly string[]>
  /** Base URLs of sigchain stores: each is asked for every chain, and has to answer. SPEC VER-6 */
  readonly stores: Setting<readonly string[]>
  /** DNS servers that are asked whether a new record is seen everywhere; empty means the usual ones. */
  readonly publicResolvers: Setting<readonly string[]>
  /** Relays for files: URLs, or `host` or `public` alone; empty means none. */
  readonly fileRelays: Setting<readonly string[]>
  /** False: files go through the relay alone, and nobody else is told an address. */
  readonly fileDirect: Setting<boolean>
  /** Whether those on the local network can find this computer while it moves files. */
  readonly fileLan: Setting<boolean>
  readonly githubToken: Setting<string | undefined>
}

/** What flags say about settings; undefined where none was given. */
export interface SettingFlags {
  readonly profile?: string | undefined
  readonly color?: ColorMode | undefined
  readonly plain?: boolean | undefined
  readonly noInput?: boolean | undefined
}

/** Reads `configFile` if there is one. Throws `input.unreadable` or `usage`, naming the nearest key for an unknown one. */
export async function loadSettings(configFile: string, env: Env, flags: SettingFlags): Promise<Settings> {
  const file = await readConfigFile(configFile)
  const profile = pick<string | undefined>(undefined, [
    ["flag", flags.profile],
    ["environment", env.profile],
    ["config.toml", file.profile],
  ])
  const own = profile.value === undefined ? {} : (file.profiles[profile.value] ?? {})
  return {
    profile,
    color: pick<ColorMode>("auto", [
      ["flag", flags.color],
      ["environment", env.noColor ? "never" : env.forceColor ? "always" : undefined],
      ["profile", own.color],
      ["config.toml", file.top.color],
    ]),
    plain: pick<boolean>(false, [
      ["flag", flags.plain],
      ["environment", env.accessible ? true : undefined],
      ["profile", own.plain],
      ["config.toml", file.top.plain],
    ]),
    noInput: pick<boolean>(false, [
      ["flag", flags.noInput],
      ["environment", env.noInput ? true : undefined],
      ["profile", own.no_input],
      ["config.toml", file.top.no_input],
    ]),
    resolver: pick<readonly string[]>(
      [],
      [
        ["environment", listOf(env.resolver)],
        ["profile", own.resolver],
        ["config.toml", file.top.resolver],
      ],
    ),
    unlockFor: pick<string>("15m", [
      ["profile", own.unlock_for],
      ["config.toml", file.top.unlock_for],
    ]),
    hosts: pick<Hosts>({}, [
      ["profile", own.hosts],
      ["config.toml", file.top.hosts],
    ]),
    brokers: pick<Brokers>({}, [
      ["profile", own.brokers],
      ["config.toml", file.top.brokers],
    ]),
    relays: pick<readonly string[]>(
      [],
      [
        ["environment", readRelays(env.relays)],
        ["profile", own.relays],
        ["config.toml", file.top.relays],
      ],
    ),
    stores: pick<readonly string[]>(
      [],
      [
        ["environment", readStores(env.stores)],
        ["profile", own.stores],
        ["config.toml", file.top.stores],
      ],
    ),
    publicResolvers: pick<readonly string[]>(
      [],
      [
        ["profile", own.public_resolvers],
        ["config.toml", file.top.public_resolvers],
      ],
    ),
    fileRelays: pick<readonly string[]>(
      [],
      [
        ["environment", readFileRelays(env.fileRelays)],
        ["profile", own.file_relays],
        ["config.toml", file.top.file_relays],
      ],
    ),
    fileDirect: pick<boolean>(true, [
      ["profile", own.file_direct],
      ["config.toml", file.top.file_direct],
    ]),
    fileLan: pick<boolean>(false, [
      ["profile", own.file_lan],
      ["config.toml", file.top.file_lan],
    ]),
    githubToken: pick<string | undefined>(undefined, [["environment", env.githubToken]]),
  }
}

function pick<T>(fallback: T, given: ReadonlyArray<readonly [Origin, T | undefined]>): Setting<T> {
  const first = given.find(([, value]) => value !== undefined)
  return first === undefined ? { value: fallback, origin: "default" } : { value: first[1] as T, origin: first[0] }
}

function listOf(text: string | undefined): readonly string[] | undefined {
  return text?.split(",").map((part) => part.trim())
}

function readRelays(text: string | undefined): readonly string[] | undefined {
  const relays = listOf(text)
  if (relays === undefined || areRelays(relays)) return relays
  throw fault("usage", "Cannot use KEZ_RELAYS: expected wss:// or ws:// URLs, separated by commas")
}

function readStores(text: string | undefined): readonly string[] | undefined {
  const stores = listOf(text)
  if (stores === undefined || areStores(stores)) return stores
  throw fault("usage", `Cannot use KEZ_STORES: expected at most ${maxStores} https:// URLs, separated by commas`)
}

function readFileRelays(text: string | undefined): readonly string[] | undefined {
  const relays = listOf(text)
  if (relays === undefined || areFileRelays(relays)) return relays
  throw fault("usage", `Cannot use KEZ_FILE_RELAYS: expected ${fileRelaysExpected}, separated by commas`)
}

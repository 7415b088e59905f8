/** config.toml: what it may say. A typing error must not switch a setting off silently, so all of it is checked. */
import { readFileSync } from "node:fs"
import { isIP } from "node:net"
import { fault } from "./fault.ts"
import { nearestOf } from "./nearest.ts"
import { isName } from "./paths.ts"

export type ColorMode = "auto" | "always" | "never"

/** Host to base URL. */
export type Hosts = Readonly<Record<string, string>>

/** Host of a chat server to the URL of its broker. */
export type Brokers = Readonly<Record<string, string>>

const colorModes: readonly string[] = ["auto", "always", "never"] satisfies readonly ColorMode[]
const durationForm = /^[1-9][0-9]{0,5}[smhd]$/
const hostForm = /^[a-z0-9.-]{1,253}(?::[0-9]{1,5})?$/i
/** Each relay and each resolver is asked at each look. */
const maxPlaces = 16
/** Each store is asked for each chain, a few questions each. */
export const maxStores = 8

/** An endpoint keeps a connection to the nearest of them alone. */
export const maxFileRelays = 4
const relayWords = ["host", "public"]
export const fileRelaysExpected = `at most ${maxFileRelays} https:// URLs of relays, or one of the words host and public`

export interface FileSettings {
  readonly color?: ColorMode
  readonly plain?: boolean
  readonly no_input?: boolean
  readonly resolver?: readonly string[]
  readonly unlock_for?: string
  readonly hosts?: Hosts
  readonly brokers?: Brokers
  readonly relays?: readonly string[]
  readonly stores?: readonly string[]
  readonly public_resolvers?: readonly string[]
  readonly file_relays?: readonly string[]
  readonly file_direct?: boolean
  readonly file_lan?: boolean
}

const members: Readonly<Record<keyof FileSettings, { readonly expected: string; fits(value: unknown): boolean }>> = {
  color: { expected: "auto, always or never", fits: (v) => typeof v === "string" && colorModes.includes(v) },
  plain: { expected: "true or false", fits: (v) => typeof v === "boolean" },
  no_input: { expected: "true or false", fits: (v) => typeof v === "boolean" },
  resolver: { expected: "a list of servers", fits: isTextList },
  unlock_for: { expected: "a time such as 15m", fits: (v) => typeof v === "string" && durationForm.test(v) },
  hosts: { expected: 'a table such as localhost = "http://127.0.0.1:7878"', fits: areHosts },
  brokers: { expected: 'a table such as localhost = "nats://127.0.0.1:4222"', fits: areBrokers },
  relays: { expected: "a list of wss:// or ws:// URLs", fits: areRelays },
  stores: { expected: `a list of at most ${maxStores} https:// URLs of sigchain stores`, fits: areStores },
  public_resolvers: { expected: "a list of DNS servers such as 9.9.9.9 or [::1]:53", fits: areNameServers },
  file_relays: { expected: `a list: ${fileRelaysExpected}`, fits: areFileRelays },
  file_direct: { expected: "true or false", fits: (v) => typeof v === "boolean" },
  file_lan: { expected: "true or false", fits: (v) => typeof v === "boolean" },
}

export interface ConfigFile {
  readonly profile: string | undefined
  readonly top: FileSettings
  readonly profiles: Readonly<Record<string, FileSettings>>
}

/** Reads the file if there is one. Throws `input.unreadable` or `usage`, naming the nearest key for an unknown one. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const text = tryRead(path)
  if (text === undefined) return { profile: undefined, top: {}, profiles: {} }
  const { parse } = await import("smol-toml")
  let table: Record<string, unknown>
  try {
    table = parse(text)
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message.split("\n", 1)[0] : ""
    throw fault("input.unreadable", `Cannot read ${path}: ${detail}`, { cause })
  }
  const { profile, profiles, ...top } = table
  if (profile !== undefined && (typeof profile !== "string" || !isName(profile))) {
    throw wrongValue(path, "profile", "the name of a profile")
  }
  return { profile, top: checkTable(path, top, ["profile", "profiles"]), profiles: checkProfiles(path, profiles) }
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw fault("input.unreadable", `Cannot read ${path}`, { cause })
  }
}

function checkProfiles(path: string, value: unknown): Record<string, FileSettings> {
  if (value === undefined) return {}
  if (!isTable(value)) throw wrongValue(path, "profiles", "tables such as [profiles.work]")
  return Object.fromEntries(
    Object.entries(value).map(([name, table]) => {
      if (!isName(name) || !isTable(table)) throw wrongValue(path, `profiles.${name}`, "a table [profiles.NAME]")
      return [name, checkTable(path, table, [])]
    }),
  )
}

/** A typing error must not switch a setting off silently: unknown keys are errors. */
function checkTable(path: string, table: Record<string, unknown>, others: readonly string[]): FileSettings {
  for (const [key, value] of Object.entries(table)) {
    if (!Object.hasOwn(members, key)) {
      const near = nearestOf(key, [...Object.keys(members), ...others])
      throw fault("usage", `Cannot use ${path}: there is no setting ${JSON.stringify(key)}`, {
        hint: near === undefined ? "kez config show --origin lists all settings." : `Did you mean ${near}?`,
      })
    }
    const member = members[key as keyof FileSettings]
    if (!member.fits(value)) throw wrongValue(path, key, member.expected)
  }
  return table
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string" && text !== "")
}

/** URLs of relays, without a password in them: they are shown. */
export function areRelays(value: unknown): boolean {
  return isTextList(value) && value.length <= maxPlaces && value.every((text) => isPlainUrl(text, /^wss?:$/))
}

/** Relays for files. Without HTTPS on this computer alone: everybody on the way would see who gives files to whom. */
export function areFileRelays(value: unknown): value is readonly string[] {
  if (!isTextList(value) || value.length > maxFileRelays) return false
  return (value.length === 1 && relayWords.includes(value[0] ?? "")) || value.every(isFileRelay)
}

export function isFileRelay(text: string): boolean {
  const isHere = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?\/?$/.test(text)
  return isHere || isPlainUrl(text, /^https:$/, "no query")
}

/** Base URLs of sigchain stores. */
export function areStores(value: unknown): value is readonly string[] {
  return isTextList(value) && value.length <= maxStores && value.every(isStore)
}

/** One without a query, for paths are put below it. */
export function isStore(text: string): boolean {
  return isPlainUrl(text, /^https?:$/, "no query")
}

/** Asked directly, so that they can say for how long they cache: neither names nor DNS over HTTPS. */
function areNameServers(value: unknown): boolean {
  return isTextList(value) && value.length <= maxPlaces && value.every(isNameServer)
}

function isNameServer(text: string): boolean {
  if (isIP(text) !== 0) return true
  const [, host = "", port = ""] = /^(.*):([1-9][0-9]{0,4})$/.exec(text) ?? []
  const address = /^\[(.*)\]$/.exec(host)?.[1]
  return isIP(address ?? host) === (address === undefined ? 4 : 6) && Number(port) < 65_536
}

/** A host as it stands in URLs, with its port unless that is the usual one; its base URL has neither password nor query. */
function areHosts(value: unknown): boolean {
  if (!isTable(value)) return false
  return Object.entries(value).every(
    ([host, base]) => hostForm.test(host) && typeof base === "string" && isPlainUrl(base, /^https?:$/, "no query"),
  )
}

/** Base URLs of brokers, without a password in them: they are shown. */
function areBrokers(value: unknown): boolean {
  if (!isTable(value)) return false
  return Object.entries(value).every(
    ([host, url]) =>
      hostForm.test(host) && typeof url === "string" && isPlainUrl(url, /^(?:nats|tls|wss?):$/, "no query"),
  )
}

function isPlainUrl(text: string, protocol: RegExp, query: "query" | "no query" = "query"): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  const isBare = url.username === "" && url.password === "" && url.hash === ""
  return protocol.test(url.protocol) && isBare && (query === "query" || url.search === "")
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

function wrongValue(path: string, key: string, expected: string): Error {
  return fault("usage", `Cannot use ${path}: expected ${key} to be ${expected}`)
}

/** What settings are made of: a default, what it is for, and which texts fit. */
import { isIP } from "node:net"

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

export function text(usual: string | undefined, about: string, expected = "a text"): Setting {
  return { usual, about, expected, fits: (value) => value !== "" }
}

export function number(usual: number, about: string, [min, max]: readonly [min: number, max: number]): Setting {
  const fits = (value: string): boolean =>
    /^(?:0|[1-9][0-9]{0,14})$/.test(value) && Number(value) >= min && Number(value) <= max
  return { usual: String(usual), about, expected: `a number from ${min} to ${max}`, fits }
}

export function choice(names: readonly string[], usual: string, about: string): Setting {
  return { usual, about, expected: names.join(", "), fits: (value) => names.includes(value) }
}

export const anyPort = [0, 65_535] as const
export const anyCount = [0, 1_000_000_000] as const

export function isListenHost(value: string): boolean {
  return value === "localhost" || isIP(value) !== 0
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host)
}

export function isBaseUrl(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, pathname, search, hash, username, password } = new URL(value)
  const isBare = pathname === "/" && `${search}${hash}${username}${password}` === ""
  return (protocol === "https:" || protocol === "http:") && isBare
}

export function isDatabaseUrl(value: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(value) && URL.canParse(value)
}

export function areNetworks(value: string): boolean {
  return value === "" || value.split(",").every((part) => isNetwork(part.trim()))
}

function isNetwork(value: string): boolean {
  const [address = "", bits] = value.split("/", 2)
  const family = isIP(address)
  if (family === 0) return false
  return bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

export function areUrls(value: string): boolean {
  return value === "" || value.split(",").every((part) => isUrl(part.trim()))
}

function isUrl(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, search, hash, username, password } = new URL(value)
  return (protocol === "https:" || protocol === "http:") && `${search}${hash}${username}${password}` === ""
}

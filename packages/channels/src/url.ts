/**
 * Which URLs may be fetched, decided on the text before anything is resolved. SPEC §7.
 * Only `http` and `https`, ports 80 and 443, public names; a configured host is the one exception.
 */
import { isIP } from "node:net"
import { domainToUnicode, URL } from "node:url"
import { KezError } from "@kez/core"
import { isPublicAddress } from "./address.ts"
import { maxNameBytes, maxUrlBytes } from "./limits.ts"

/** Where a request goes. */
export interface Target {
  /** The URL as everyone names it; checks and evidence use this one. */
  readonly url: URL
  /** The URL that is connected to: the same, or under the base URL configured for the host. */
  readonly sent: URL
  /** The configured base URL. Undefined: `sent` has to be public. */
  readonly base: URL | undefined
}

/** Host (with its port unless that is the default) to base URL. */
export type HostMap = ReadonlyMap<string, URL>

/** Special-use names that never belong to a public host. RFC 6761, RFC 6762, RFC 8375, RFC 9476. */
const privateSuffixes = ["localhost", "localdomain", "local", "internal", "home.arpa", "onion", "alt", "invalid"]
const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * Reads the `hosts` configuration. Throws `net.url` for a host that stands like this in no URL (one with a scheme, a path
 * or port 443), and for a base URL with user, query or another scheme.
 */
export function parseHosts(hosts: Readonly<Record<string, string>> = {}): HostMap {
  return new Map(Object.entries(hosts).map(([host, base]) => [parseHost(host), parseBase(host, base)]))
}

/** Throws `net.url`, `net.host`, `net.port` or `net.address` unless the text is a URL that may be fetched. */
export function parseTarget(text: string, hosts: HostMap = new Map()): Target {
  const url = parseWebUrl(text)
  const mapped = hosts.get(url.host)
  if (mapped) return { url, sent: placeUnder(mapped, url), base: mapped }
  // A base URL has no rights of its own: a hostile text that names it is a text that names a private address.
  assertPublicHost(url)
  return { url, sent: url, base: undefined }
}

/** Whether a URL may be fetched although somebody else named it. What its name resolves to is checked when it is. */
export function isPublicUrl(text: string): boolean {
  try {
    return parseTarget(text).base === undefined
  } catch (error) {
    if (error instanceof KezError) return false
    throw error
  }
}

/**
 * The target of a URL that the reader named as a place of their own choice. One that `parseTarget` takes is like any other;
 * else it is taken as it is: private, on any port. The right is the request's: a text that names the same URL has none.
 */
export function parseChosenTarget(text: string, hosts: HostMap = new Map()): Target {
  try {
    return parseTarget(text, hosts)
  } catch (error) {
    if (!(error instanceof KezError) || error.code === "net.url") throw error
    const url = parseWebUrl(text)
    return { url, sent: url, base: url }
  }
}

/**
 * Where a WebSocket goes: `wss:` under the rules of `https:`. `ws:` only to a configured origin, or as one of the
 * chosen URLs, which are taken as they are. Throws like `parseTarget`.
 */
export function parseSocketTarget(text: string, hosts: HostMap, chosen: ReadonlySet<string> = new Set()): Target {
  const scheme = /^wss?:/i.exec(text)?.[0].toLowerCase()
  if (scheme === undefined) throw new KezError("net.url", "Cannot open a WebSocket: expected a wss URL")
  const web = `${scheme === "wss:" ? "https:" : "http:"}${text.slice(scheme.length)}`
  const url = parseWebUrl(web)
  const target = chosen.has(text) && !hosts.has(url.host) ? { url, sent: url, base: url } : parseTarget(web, hosts)
  if (target.base === undefined && scheme === "ws:") {
    throw new KezError("net.url", `Cannot open a WebSocket to ${url.host}: expected wss, got ws`)
  }
  return target
}

/**
 * The target of a `Location` header. Throws `net.http` for control characters, `net.redirect` for everything that
 * may not be followed: the refusal of the place itself is its cause.
 */
export function parseRedirect(from: Target, location: string, hosts: HostMap): Target {
  if (!/^[\x21-\x7e]+$/.test(location)) {
    throw new KezError("net.http", `Cannot follow ${from.url.host}: expected a Location in printable ASCII`)
  }
  const refuse = (got: string, cause?: unknown) =>
    new KezError("net.redirect", `Cannot follow ${from.url.host}: expected a redirect to a public URL, got ${got}`, {
      cause,
    })
  let target: Target
  try {
    target = parseTarget(readLocation(from, location), hosts)
  } catch (cause) {
    throw refuse(cause instanceof KezError ? cause.code : "no URL", cause)
  }
  // A public page must not be able to point into the configured private places.
  if (from.base === undefined && target.base !== undefined) throw refuse("a configured private place")
  // A network that can answer for http could otherwise take over from the certificate's owner.
  if (from.url.protocol === "https:" && target.url.protocol !== "https:") throw refuse("a lower scheme")
  return target
}

function parseWebUrl(text: string): URL {
  const refuse = (expected: string) => new KezError("net.url", `Cannot fetch: expected ${expected}`)
  if (text.length > maxUrlBytes) throw refuse(`a URL of at most ${maxUrlBytes} bytes, got ${text.length}`)
  // The URL standard drops tabs and newlines and reads a backslash as a slash: two parsers then see two hosts.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  if (/[\x00-\x20\x7f\\]/.test(text)) throw refuse("a URL without spaces, control characters and backslashes")
  const authority = /^https?:\/\/([^/?#]+)/i.exec(text)?.[1]
  if (authority === undefined || !URL.canParse(text)) throw refuse("an http or https URL with a host")
  if (authority.includes("@")) throw refuse("a URL without user and password")
  const url = new URL(text)
  url.hash = ""
  assertPlainSpelling(authority.replace(/:\d*$/, ""), url)
  return url
}

/** The host as written must be the host as parsed, else a reader and the parser would disagree about it. */
function assertPlainSpelling(written: string, url: URL): void {
  if (written.toLowerCase() === url.hostname || written.startsWith("[")) return
  if (isIP(url.hostname) !== 0) {
    throw new KezError("net.address", `Cannot fetch from ${url.hostname}: expected an address in its usual spelling`)
  }
  throw new KezError("net.host", "Cannot fetch: expected a host name in plain ASCII", {
    hint: `The same name in ASCII is ${url.hostname}.`,
  })
}

function assertPublicHost(url: URL): void {
  const port = url.port === "" ? "the default" : url.port
  if (!["the default", "80", "443"].includes(port)) {
    throw new KezError("net.port", `Cannot fetch from ${url.hostname}: expected port 80 or 443, got ${port}`)
  }
  const address = url.hostname.replace(/^\[(.*)\]$/, "$1")
  if (isIP(address) === 0) assertPublicName(url.hostname)
  else if (!isPublicAddress(address)) {
    throw new KezError("net.address", `Cannot fetch from ${address}: expected a public address, got a special one`)
  }
}

function assertPublicName(host: string): void {
  const labels = host.split(".")
  const wellFormed = host.length <= maxNameBytes && labels.length >= 2 && labels.every((part) => label.test(part))
  if (!wellFormed) throw new KezError("net.host", "Cannot fetch: expected a full domain name without a final dot")
  if (labels.some(isBrokenALabel)) throw new KezError("net.host", `Cannot fetch from ${host}: expected a valid name`)
  if (privateSuffixes.some((suffix) => host === suffix || host.endsWith(`.${suffix}`))) {
    throw new KezError("net.host", `Cannot fetch from ${host}: expected a public name, got one for local use`)
  }
}

/** Node takes labels that begin with `xn--` and are no Punycode; the URL standard refuses them, and so may others. */
function isBrokenALabel(part: string): boolean {
  return part.startsWith("xn--") && ["", part].includes(domainToUnicode(part))
}

function parseHost(text: string): string {
  const host = text.toLowerCase()
  const url = `https://${host}`
  if (URL.canParse(url) && new URL(url).host === host) return host
  throw new KezError("net.url", "Cannot use a host of the settings: expected it as in a URL: name, or name:port")
}

function parseBase(host: string, text: string): URL {
  const base = URL.canParse(text) ? new URL(text) : undefined
  const usable =
    base !== undefined && /^https?:$/.test(base.protocol) && !base.username && !base.password && !base.search
  if (!usable)
    throw new KezError("net.url", `Cannot use the base URL of ${host}: expected http(s)://host[:port][/path]`)
  base.hash = ""
  base.pathname = base.pathname.replace(/\/+$/, "")
  return base
}

/** `base.pathname` without its final slash; a URL's own pathname is never shorter than "/". */
function readPrefix(base: URL): string {
  return base.pathname === "/" ? "" : base.pathname
}

function placeUnder(base: URL, url: URL): URL {
  return new URL(`${base.origin}${readPrefix(base)}${url.pathname}${url.search}`)
}

function isUnder(base: URL, url: URL): boolean {
  return url.origin === base.origin && `${url.pathname}/`.startsWith(`${readPrefix(base)}/`)
}

/** The URL that a Location names; a mapped server that names itself by its base URL means the host it stands for. */
function readLocation(from: Target, location: string): string {
  const absolute = /^[a-z][a-z0-9+.-]*:/i.test(location)
  if (!absolute && location.includes("\\")) return location
  if (location.startsWith("//")) return `${from.url.protocol}${location}`
  if (!absolute) return new URL(location, from.url).href
  const { base, url } = from
  const named = URL.canParse(location) ? new URL(location) : undefined
  if (named === undefined || base === undefined || !isUnder(base, named)) return location
  return `${url.origin}${named.pathname.slice(readPrefix(base).length)}${named.search}`
}

/** Whether an answer says to look elsewhere. RFC 9110 §15.4 */
export function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status)
}

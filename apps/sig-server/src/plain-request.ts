/**
 * The one request that is answered without Node's HTTP: GET of a whole chain by its name, one request, nothing before it and nothing
 * behind it. This is no parser. It knows one shape, and whatever has another is for Node to read: a line that is not plain, a header that
 * says where a request ends or what becomes of the connection, a body, a second request. [G11]
 */

export interface PlainHeaders {
  readonly ifNoneMatch: string | undefined
  readonly forwardedFor: string | undefined
}

/** Of `nostr:npub1…`, `sha256:…` and `ed25519:…`: no longer name has one of these. */
export const nameLengths: ReadonlySet<number> = new Set([69, 71, 72])
export const chainsPath = "/v1/chains/"
/** All of a request. Browsers and proxies send a quarter of this. */
export const maxPlainBytes = 4_096

const start = `GET ${chainsPath}`
const version = " HTTP/1.1\r\n"

/** The name of the chain; undefined where the request is another one. What follows the name is for `readHeaders`. */
export function nameIn(request: string): string | undefined {
  if (!request.startsWith(start)) return undefined
  const end = request.indexOf(" ", start.length)
  return nameLengths.has(end - start.length) ? request.slice(start.length, end) : undefined
}

/** All that follows the name. Where the same has come before, it need not be read again. */
export function behindName(request: string, name: string): string {
  return request.slice(start.length + name.length)
}

/** A header in the plainest form: no fold, no space before the colon, no control character, nothing but ASCII. */
const line = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e]*)$/

/** With one of these a request has another end, another answer, or another connection after it. */
const unusual: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "expect",
  "http2-settings",
  "proxy-connection",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-request-id",
])

/** Undefined: not plain, or not the whole of one request. */
export function readHeaders(behind: string): PlainHeaders | undefined {
  if (!behind.startsWith(version) || !behind.endsWith("\r\n\r\n")) return undefined
  const known = new Map<string, string>()
  // An empty line between them is none that is plain.
  for (const text of behind.slice(version.length, -4).split("\r\n")) {
    const [, name = "", padded = ""] = line.exec(text) ?? []
    const key = name.toLowerCase()
    if (name === "" || known.has(key)) return undefined
    const value = padded.trim()
    if (unusual.has(key) && !(key === "connection" && value.toLowerCase() === "keep-alive")) return undefined
    known.set(key, value)
  }
  if (!known.has("host")) return undefined
  return { ifNoneMatch: known.get("if-none-match"), forwardedFor: known.get("x-forwarded-for") }
}

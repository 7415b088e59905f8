/**
 * The two requests that are answered without Node's HTTP: GET of a whole chain by its name, and POST of an event to one. This is no parser.
 * It knows two shapes, of one request that came in one piece, and whatever has another is for Node to read: a line that is not plain, a
 * header that makes the end of a request or of the connection another one, a body that is not all there, a second request. [G11]
 */
import { chainNamePattern } from "./chain-name.ts"

export interface PlainHeaders {
  readonly ifNoneMatch: string | undefined
  readonly forwardedFor: string | undefined
  readonly contentLength: string | undefined
  readonly contentType: string | undefined
}

/** Of `nostr:npub1…`, `sha256:…` and `ed25519:…`: no longer name has one of these. */
export const nameLengths: ReadonlySet<number> = new Set([69, 71, 72])
export const chainsPath = "/v1/chains/"
/** All of a request but its body. Browsers and proxies send a quarter of this. */
export const maxPlainBytes = 4_096

const start = `GET ${chainsPath}`
/** A look at it spares a post from being read twice. */
export const firstByteOfRead = start.charCodeAt(0)
const postStart = `POST ${chainsPath}`
const postEnd = "/events"
const chainName = new RegExp(chainNamePattern)
const version = " HTTP/1.1\r\n"

/** What has to be asked of a name that nobody has looked up yet. */
export function isChainName(name: string): boolean {
  return chainName.test(name)
}

/** What stands where a name would; undefined where the request is another one. What follows it is for `readHeaders`. */
export function nameIn(request: string): string | undefined {
  if (!request.startsWith(start)) return undefined
  const end = request.indexOf(" ", start.length)
  return nameLengths.has(end - start.length) ? request.slice(start.length, end) : undefined
}

/** All that follows the name. Where the same has come before, it need not be read again. */
export function behindName(request: string, name: string): string {
  return request.slice(start.length + name.length)
}

export interface PlainPost {
  readonly name: string
  /** All that follows the path, for `readHeaders`. */
  readonly behind: string
  /** What came behind the headers: the body, if they say that it is as long. */
  readonly body: Buffer
}

/** An event for a chain; undefined where the request is another one. */
export function postIn(request: Buffer): PlainPost | undefined {
  const end = request.indexOf("\r\n\r\n") + 4
  if (end < 4 || end > maxPlainBytes) return undefined
  const head = request.toString("latin1", 0, end)
  const nameEnd = head.indexOf("/", postStart.length)
  if (!head.startsWith(postStart) || !head.startsWith(postEnd, nameEnd)) return undefined
  const name = head.slice(postStart.length, nameEnd)
  if (!isChainName(name)) return undefined
  return { name, behind: head.slice(nameEnd + postEnd.length), body: request.subarray(end) }
}

/** Whether what came is the body as it is said to be, whole and with nothing behind it. */
export function isWholeBody({ contentLength, contentType }: PlainHeaders, body: Buffer): boolean {
  return contentType === "application/json" && contentLength === String(body.length)
}

/** A header in the plainest form: no fold, no space before the colon, no control character, nothing but ASCII. */
const line = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e]*)$/

/** With one of these a request has another end, another answer, or another connection after it. */
const unusual: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
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
  return {
    ifNoneMatch: known.get("if-none-match"),
    forwardedFor: known.get("x-forwarded-for"),
    contentLength: known.get("content-length"),
    contentType: known.get("content-type"),
  }
}

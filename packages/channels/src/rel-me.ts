/** `rel="me"` links of a web page: suggestions of what its owner may want to claim, never proofs. */
import { KezError, parseIdentity } from "@kez/core"
import { Parser } from "htmlparser2"
import { decodeUtf8 } from "./body.ts"
import type { Net } from "./channel.ts"
import { maxHtmlDepth, maxRelMeLinks } from "./limits.ts"

export interface RelMeSuggestion {
  /** As the page names it. */
  readonly url: string
  /** The identity that the URL looks like; absent where it looks like none. */
  readonly subject?: string
  /** Whether that page links back to this one; absent where it was not looked at. */
  readonly mutual?: boolean
}

export interface RelMeLinks {
  /** After redirects. */
  readonly url: string
  readonly suggestions: readonly RelMeSuggestion[]
}

const htmlTypes = ["text/html", "application/xhtml+xml"]

/** How many of the linked pages are asked whether they link back. */
const maxAskedBack = 8

export interface RelMeOptions {
  readonly signal: AbortSignal
  /** Looks at the first linked pages, too. */
  readonly askBack?: boolean
}

/** Throws KezError `net.*`, `limit.body`, `text.utf8`; `net.status` for an answer that is no page. */
export async function findRelMe(url: string, net: Net, { signal, askBack }: RelMeOptions): Promise<RelMeLinks> {
  const page = await fetchLinks(url, net, signal)
  if (askBack !== true) return page
  const asked = page.suggestions.map(async (one, at): Promise<RelMeSuggestion> => {
    if (at >= maxAskedBack || !one.url.startsWith("https:")) return one
    try {
      const back = await fetchLinks(one.url, net, signal)
      return { ...one, mutual: back.suggestions.some((link) => link.url === page.url || link.url === url) }
    } catch (error) {
      if (error instanceof KezError) return one
      throw error
    }
  })
  return { url: page.url, suggestions: await Promise.all(asked) }
}

async function fetchLinks(url: string, net: Net, signal: AbortSignal): Promise<RelMeLinks> {
  const answer = await net.fetch(url, { signal, accept: htmlTypes })
  if (answer.status !== 200) {
    throw new KezError("net.status", `Cannot read ${answer.url}: expected a page, got HTTP ${answer.status}`)
  }
  const html = decodeUtf8(answer.body, answer.headers["content-type"])
  return { url: answer.url, suggestions: readRelMe(html, answer.url) }
}

/** The links of a page, each once, in order; links to the page itself are left out. */
export function readRelMe(html: string, pageUrl: string): readonly RelMeSuggestion[] {
  const found = new Map<string, RelMeSuggestion>()
  let depth = 0
  const parser = new Parser({
    onopentag(name, attributes) {
      depth += 1
      if (depth > maxHtmlDepth || found.size >= maxRelMeLinks) {
        parser.pause()
        return
      }
      if (name !== "a" && name !== "link") return
      const words = (attributes["rel"] ?? "").toLowerCase().split(/[ \t\n\f\r]+/)
      const url = words.includes("me") ? tryResolve(attributes["href"], pageUrl) : undefined
      if (url === undefined || url === pageUrl || found.has(url)) return
      const subject = guessIdentity(url)
      found.set(url, subject === undefined ? { url } : { url, subject })
    },
    onclosetag() {
      depth -= 1
    },
  })
  parser.write(html)
  return [...found.values()]
}

function tryResolve(href: string | undefined, pageUrl: string): string | undefined {
  if (href === undefined || !URL.canParse(href.trim(), pageUrl)) return undefined
  const url = new URL(href.trim(), pageUrl)
  const isKept = ["https:", "nostr:"].includes(url.protocol) && url.username === "" && url.password === ""
  return isKept ? url.href : undefined
}

/** The identity, canonical, that a URL of a known form names. */
export function guessIdentity(url: string): string | undefined {
  const { protocol, host, pathname, search } = new URL(url)
  if (protocol === "nostr:") return tryIdentity(`nostr:${pathname}`)
  const path = pathname.replace(/\/$/, "")
  const [first = "", second, third] = path.split("/").slice(1)
  const isShort = second === undefined
  const name = host.replace(/^www\./, "")
  if (name === "github.com") return isShort ? tryIdentity(`github:${first}`) : undefined
  if (name === "bsky.app") {
    return first === "profile" && second !== undefined && third === undefined
      ? tryIdentity(`bluesky:${second}`)
      : undefined
  }
  const npub = /(?:^|\/)(npub1[a-z0-9]+)$/.exec(path)?.[1]
  if (npub !== undefined) return tryIdentity(`nostr:${npub}`)
  const user = /^@([^@]+)(?:@([^@]+))?$/.exec(first)
  if (user !== null && isShort) return tryIdentity(`ap:${user[1]}@${user[2] ?? host}`)
  if (first === "users" && second !== undefined && third === undefined) return tryIdentity(`ap:${second}@${host}`)
  return path === "" && search === "" ? tryIdentity(`dns:${name}`) : undefined
}

function tryIdentity(text: string): string | undefined {
  try {
    const { system, value } = parseIdentity(text)
    return `${system}:${value}`
  } catch {
    return undefined
  }
}

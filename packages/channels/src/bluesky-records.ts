/** The texts of a Bluesky account: its profile and its newest posts, at its own server or in the public copy. SPEC §7.5. */
import { limits } from "@kez/core"
import type { AtprotoAccount, NoAccount } from "./atproto-account.ts"
import { lookAtXrpc, type XrpcCall } from "./atproto-xrpc.ts"
import type { Candidate, Evidence, Net } from "./channel.ts"
import { listAt, textAt, valueAt } from "./foreign-json.ts"
import { maxFacets, maxPosts } from "./limits.ts"

export const profileCollection = "app.bsky.actor.profile"
export const postCollection = "app.bsky.feed.post"
const appView = "https://public.api.bsky.app"

export interface Post extends Candidate {
  readonly key: string
  /** Unix seconds, as its author says. */
  readonly createdAt: number | undefined
}

/** What one look gave. */
export interface PlaceLook {
  readonly texts: readonly (Candidate | Post)[]
  /** Texts that stood among the account's own and are another account's. */
  readonly foreign: readonly Candidate[]
  readonly evidence: readonly Evidence[]
  /** There was no answer, or none that may be used. */
  readonly failure?: Exclude<NoAccount, { status: "absent" }>
}

export function lookAtProfile({ did, pds }: AtprotoAccount, net: Net, signal: AbortSignal): Promise<PlaceLook> {
  return look(profileCall({ did, pds }), net, signal, (body) => {
    const text = { text: textAt(body, "value", "description") ?? "", foundAt: urlOfProfile(did) }
    return isOf(did, `${profileCollection}/self`, body) ? { own: [text], foreign: [] } : { own: [], foreign: [text] }
  })
}

export function profileCall({ did, pds }: Pick<AtprotoAccount, "did" | "pds">): XrpcCall {
  const params = { repo: did, collection: profileCollection, rkey: "self" }
  return { origin: pds, method: "com.atproto.repo.getRecord", params }
}

export function lookAtPosts({ did, pds }: AtprotoAccount, net: Net, signal: AbortSignal): Promise<PlaceLook> {
  const params = { repo: did, collection: postCollection, limit: String(maxPosts) }
  return look({ origin: pds, method: "com.atproto.repo.listRecords", params }, net, signal, (body) =>
    readPosts(did, listAt(body, "records").slice(0, maxPosts)),
  )
}

/** The public copy of the profile, which lags behind and is not the account's own server. */
export function lookAtProfileCopy({ did }: AtprotoAccount, net: Net, signal: AbortSignal): Promise<PlaceLook> {
  const call = { origin: appView, method: "app.bsky.actor.getProfile", params: { actor: did } }
  return look(call, net, signal, (body) => {
    const text = { text: textAt(body, "description") ?? "", foundAt: urlOfProfile(did) }
    return textAt(body, "did") === did ? { own: [text], foreign: [] } : { own: [], foreign: [text] }
  })
}

/** The public copy of the feed. Other accounts' posts that were reposted stand in it too. */
export function lookAtPostsCopy({ did }: AtprotoAccount, net: Net, signal: AbortSignal): Promise<PlaceLook> {
  const params = { actor: did, limit: String(maxPosts), filter: "posts_with_replies" }
  return look({ origin: appView, method: "app.bsky.feed.getAuthorFeed", params }, net, signal, (body) => {
    const posts = listAt(body, "feed").slice(0, maxPosts)
    const isOwn = (entry: unknown) => textAt(entry, "post", "author", "did") === did
    const recordOf = (entry: unknown) => ({
      uri: textAt(entry, "post", "uri"),
      value: valueAt(entry, "post", "record"),
    })
    const own = readPosts(did, posts.filter(isOwn).map(recordOf))
    const others = readPosts(
      did,
      posts.filter((entry) => !isOwn(entry)).map((entry) => ({ value: recordOf(entry).value })),
    )
    return { own: own.own, foreign: [...own.foreign, ...others.foreign] }
  })
}

interface Sorted {
  readonly own: readonly (Candidate | Post)[]
  readonly foreign: readonly Candidate[]
}

async function look(
  call: XrpcCall,
  net: Net,
  signal: AbortSignal,
  read: (body: unknown) => Sorted,
): Promise<PlaceLook> {
  const seen = await lookAtXrpc(call, net, signal)
  if ("status" in seen) {
    const { evidence } = seen
    return { texts: [], foreign: [], evidence, ...(seen.status === "absent" ? {} : { failure: seen }) }
  }
  const { own, foreign } = read(seen.body)
  if (foreign.length === 0) return { texts: own, foreign, evidence: [seen.evidence] }
  const code = "account.owner"
  const note = `${foreign.length} of the texts there are another account's, and were left out`
  return { texts: own, foreign, evidence: [{ ...seen.evidence, code, note }] }
}

/** Records as `com.atproto.repo.listRecords` gives them, sorted into the account's own and others. */
export function readPosts(
  did: string,
  records: readonly unknown[],
): { readonly own: readonly Post[]; readonly foreign: readonly Candidate[] } {
  const own: Post[] = []
  const foreign: Candidate[] = []
  for (const record of records) {
    const text = restoreHints(textAt(record, "value", "text") ?? "", listAt(record, "value", "facets"))
    const key = keyOf(did, textAt(record, "uri"))
    if (key === undefined) foreign.push({ text, foundAt: urlOfProfile(did) })
    else
      own.push({ text, foundAt: urlOfPost(did, key), key, createdAt: secondsOf(textAt(record, "value", "createdAt")) })
  }
  return { own, foreign }
}

/** The record key of a post of this account; undefined for a record of another one. */
export function keyOf(did: string, uri = ""): string | undefined {
  const prefix = `at://${did}/${postCollection}/`
  const key = uri.slice(prefix.length)
  return uri.startsWith(prefix) && /^[A-Za-z0-9._:~-]{1,512}$/.test(key) ? key : undefined
}

function isOf(did: string, path: string, record: unknown): boolean {
  return textAt(record, "uri") === `at://${did}/${path}`
}

/**
 * Clients shorten the links that they show; the whole URL stands in the facet. It is put back where the link is all of
 * a hint line (FIND-4). Facets count UTF-8 bytes.
 */
export function restoreHints(text: string, facets: readonly unknown[]): string {
  let bytes = Buffer.from(text)
  const links = facets.slice(0, maxFacets).flatMap(readLink)
  // From the end, so that the places of earlier links stay.
  for (const { start, end, url } of links.toSorted((left, right) => right.start - left.start)) {
    const before = bytes.subarray(0, start)
    const after = bytes.subarray(end)
    const isHint = /(?:^|\n)Chain: $/.test(before.toString()) && /^\r?(?:\n|$)/.test(after.toString())
    if (isHint && end <= bytes.length) bytes = Buffer.concat([before, Buffer.from(url), after])
  }
  return bytes.equals(Buffer.from(text)) ? text : bytes.toString()
}

function readLink(facet: unknown): readonly { readonly start: number; readonly end: number; readonly url: string }[] {
  const start = valueAt(facet, "index", "byteStart")
  const end = valueAt(facet, "index", "byteEnd")
  const link = listAt(facet, "features").find((feature) => textAt(feature, "$type") === "app.bsky.richtext.facet#link")
  const url = textAt(link, "uri") ?? ""
  const isLink = /^https:\/\/[!-~]+$/.test(url) && url.length <= limits.maxHintBytes
  if (!isLink || !isIndex(start) || !isIndex(end) || start >= end) return []
  return [{ start, end, url }]
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && typeof value === "number" && value >= 0
}

function secondsOf(time: string | undefined): number | undefined {
  const milliseconds = time === undefined || time.length > 64 ? Number.NaN : Date.parse(time)
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000)
}

export function urlOfProfile(did: string): string {
  return `https://bsky.app/profile/${did}`
}

export function urlOfPost(did: string, key: string): string {
  return `${urlOfProfile(did)}/post/${key}`
}

/**
 * The public look-up of Mastodon's API, for servers that give actors to signed requests only. SPEC §7.6.
 * It is the same server's word about the same profile, checked to be of the actor that WebFinger named.
 */
import { type Profile, readProfile } from "./ap-actor.ts"
import type { Candidate, Evidence, Net } from "./channel.ts"
import { listAt, parseForeign, textAt } from "./foreign-json.ts"
import { proofTextsOf, readHtml } from "./html-text.ts"
import { maxFeaturedPosts, maxProfileFields } from "./limits.ts"
import { describeFetch } from "./publication.ts"
import { type AccountLinks, foldAscii, tryHttpsUrl } from "./webfinger.ts"

export interface Lookup {
  readonly profile: Profile
  /** The server's own number of the account, for further questions to its API. */
  readonly number: string
  readonly seen: Evidence
}

export interface Pinned {
  readonly texts: readonly Candidate[]
  readonly seen: Evidence
}

const accept = ["application/json"]
const maxNumberLength = 64

/** Undefined unless the server answers for this very actor. Throws as `net.fetch` and `parseForeign`. */
export async function lookUpProfile(
  question: { readonly user: string; readonly self: string; readonly links: AccountLinks },
  net: Net,
  signal: AbortSignal,
): Promise<Lookup | undefined> {
  const { user, self, links } = question
  const { host } = new URL(self)
  const url = `https://${host}/api/v1/accounts/lookup?acct=${encodeURIComponent(user)}`
  const answer = await net.fetch(url, { signal, accept, sameHost: true })
  if (answer.status !== 200) return undefined
  const account = parseForeign(answer)
  const number = textAt(account, "id") ?? ""
  if (!isOfActor(account, self, links) || foldAscii(textAt(account, "username") ?? "") !== user) return undefined
  if (!/^[A-Za-z0-9_-]+$/.test(number) || number.length > maxNumberLength) return undefined
  const fields = listAt(account, "fields")
    .slice(0, maxProfileFields)
    .map((field) => ({ name: textAt(field, "name") ?? "", value: textAt(field, "value") ?? "" }))
  const profile = readProfile(self, [textAt(account, "note") ?? ""], fields)
  return { profile, number, seen: describeFetch(answer) }
}

/** The posts pinned to the profile; undefined when the server does not list them. Throws as `lookUpProfile`. */
export async function lookUpPinned(
  lookup: { readonly self: string; readonly number: string },
  net: Net,
  signal: AbortSignal,
): Promise<Pinned | undefined> {
  const { self, number } = lookup
  const { host } = new URL(self)
  const answer = await net.fetch(`https://${host}/api/v1/accounts/${number}/statuses?pinned=true`, {
    signal,
    accept,
    sameHost: true,
  })
  if (answer.status !== 200) return undefined
  const posts = listAt(parseForeign(answer)).slice(0, maxFeaturedPosts)
  const own = posts.filter((post) => textAt(post, "account", "id") === number)
  const texts = own.flatMap((post) => {
    const uri = tryHttpsUrl(textAt(post, "uri"))
    const foundAt = uri !== undefined && new URL(uri).host === host ? uri : self
    return proofTextsOf(readHtml(textAt(post, "content") ?? "")).map((text) => ({ text, foundAt }))
  })
  return { texts, seen: describeFetch(answer) }
}

/** Servers before Mastodon 4.2 give no `uri`; then their `url` has to be the page that WebFinger names. */
function isOfActor(account: unknown, self: string, links: AccountLinks): boolean {
  const uri = textAt(account, "uri")
  if (uri !== undefined) return tryHttpsUrl(uri) === self
  const url = tryHttpsUrl(textAt(account, "url"))
  return url !== undefined && (url === self || links.pages.includes(url))
}

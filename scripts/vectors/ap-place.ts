/** What the hosts of alice@social.example answer, for vectors/channel-ap.json: each part in its usual form, or changed. */
import { type ChannelInput, found, type WebAnswer } from "./channel-case.ts"

export const value = "alice@social.example"
export const actorUrl = "https://social.example/users/1"
export const featuredUrl = `${actorUrl}/featured`
export const proof = `kez:r1:${"ab".repeat(32)}`
const jrdType = { "content-type": "application/jrd+json" }
export const activityType = { "content-type": "application/activity+json; charset=utf-8" }
export const profiled = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'

export const webFingerUrl = (host: string, account: string) =>
  `https://${host}/.well-known/webfinger?resource=${encodeURIComponent(`acct:${account}`)}`

export interface JrdParts {
  readonly host?: string
  readonly account?: string
  readonly subject?: string | undefined
  readonly self?: string
  readonly type?: string
}

export function jrd(parts: JrdParts = {}): WebAnswer {
  const { host = "social.example", account = value, self = actorUrl, type = "application/activity+json" } = parts
  const subject = "subject" in parts ? parts.subject : `acct:${value}`
  const links = [
    { rel: "http://webfinger.net/rel/profile-page", type: "text/html", href: "https://social.example/@alice" },
    { rel: "self", type, href: self },
  ]
  return { url: webFingerUrl(host, account), headers: jrdType, body: { ...(subject && { subject }), links } }
}

export function actor(members: Readonly<Record<string, unknown>> = {}, answer: Partial<WebAnswer> = {}): WebAnswer {
  const body = { id: actorUrl, type: "Person", preferredUsername: "alice", featured: featuredUrl, ...members }
  return { url: actorUrl, headers: activityType, body, ...answer }
}

export const field = (text: string, name = "KEZ") => ({ type: "PropertyValue", name, value: text })
export const featured = (...items: readonly unknown[]): WebAnswer => ({
  url: featuredUrl,
  headers: activityType,
  body: { id: featuredUrl, type: "OrderedCollection", orderedItems: items },
})
export const post = (number: number, members: Readonly<Record<string, unknown>> = {}) => ({
  id: `${actorUrl}/statuses/${number}`,
  type: "Note",
  attributedTo: actorUrl,
  content: `<p>${proof}</p>`,
  ...members,
})
export const at = (...web: readonly WebAnswer[]): ChannelInput => ({ value, web })
export const withProof = actor({ attachment: [field(proof)] })
export const foundInProfile = found(actorUrl, [[proof, actorUrl]])
export const foundIn = (foundAt: string) => found(actorUrl, [[proof, foundAt]])

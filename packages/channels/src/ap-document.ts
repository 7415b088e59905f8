/** ActivityPub documents: fetched as what they are, never as a page or an upload, and read one member at a time. SPEC §7.6. */
import { KezError } from "@kez/core"
import type { Net } from "./channel.ts"
import type { FetchAnswer } from "./fetch-answer.ts"
import { listAt, textAt, valueAt } from "./foreign-json.ts"
import { maxActorUrlLength } from "./limits.ts"
import { tryHttpsUrl } from "./webfinger.ts"

const mediaTypes = ["application/activity+json", "application/ld+json"]
const activityStreams = "https://www.w3.org/ns/activitystreams"
const accept = `application/activity+json, application/ld+json; profile="${activityStreams}"`
/** Languages of one text that are looked at. */
const maxLanguages = 8

/**
 * Fetches a document. A server that lets people upload files would serve them as `text/plain` or `application/json`:
 * only the types that it gives its own documents are taken. Throws as `net.fetch`.
 */
export async function fetchDocument(
  url: string,
  net: Net,
  options: { readonly signal: AbortSignal; readonly sameHost?: boolean },
): Promise<FetchAnswer> {
  const answer = await net.fetch(url, { ...options, accept: mediaTypes, headers: { accept } })
  const [type, ...parameters] = (answer.headers["content-type"] ?? "").split(";")
  const isLinkedData = type?.trim().toLowerCase() === "application/ld+json"
  if (answer.status === 200 && isLinkedData && !parameters.flatMap(profilesOf).includes(activityStreams)) {
    const { host } = new URL(answer.url)
    throw new KezError("net.content_type", `Cannot read the answer of ${host}: expected an ActivityStreams profile`)
  }
  return answer
}

/** The profiles that a parameter of a media type names. Without a pattern: a header has room for one that takes hours. */
function profilesOf(parameter: string): readonly string[] {
  const equals = parameter.indexOf("=")
  if (parameter.slice(0, equals).trim().toLowerCase() !== "profile") return []
  const value = parameter.slice(equals + 1).trim()
  const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"')
  return (isQuoted ? value.slice(1, -1) : value).split(" ")
}

/** Whether the document names itself by the URL where it lies. */
export function isAtItsId(document: unknown, url: string): boolean {
  const id = textAt(document, "id")
  return url.length <= maxActorUrlLength && id !== undefined && tryHttpsUrl(id) === url
}

export function hasType(document: unknown, ...types: readonly string[]): boolean {
  return listAt(document, "type").some((type) => typeof type === "string" && types.includes(type))
}

/** The id of a member that is an id, or an object with one. */
export function idAt(document: unknown, member: string): string | undefined {
  return textAt(document, member) ?? textAt(document, member, "id")
}

/** A text of the document: `content`, or where that is missing `contentMap` with one text a language. */
export function textsAt(document: unknown, member: string): readonly string[] {
  const text = textAt(document, member)
  if (text !== undefined) return [text]
  const map = valueAt(document, `${member}Map`)
  if (typeof map !== "object" || map === null) return []
  return Object.values(map)
    .slice(0, maxLanguages)
    .filter((value): value is string => typeof value === "string")
}

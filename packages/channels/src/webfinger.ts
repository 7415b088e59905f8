/** WebFinger: which account a host means by `user@host`. SPEC §7.6, RFC 7033. */
import type { Evidence, Net, Publication } from "./channel.ts"
import type { FetchAnswer } from "./fetch-answer.ts"
import { listAt, parseForeign, textAt } from "./foreign-json.ts"
import { maxActorUrlLength, maxWebFingerLinks } from "./limits.ts"
import { describeFetch, publicationOfError, publicationOfStatus } from "./publication.ts"

/** What one host says about one account. */
export interface AccountLinks {
  /** `user@host` in lower case where the subject is an `acct:` URI, else the URI as it stands. */
  readonly subject: string | undefined
  /** The actor's URL, in the spelling of the URL standard. */
  readonly self: string | undefined
  /** Profile pages for people. */
  readonly pages: readonly string[]
  /** The host that answered, after redirects. */
  readonly host: string
}

/** Why there is no answer to go on with. */
export type Failure = Exclude<Publication, { readonly status: "found" }>

export type WebFingerLook =
  | { readonly links: AccountLinks; readonly seen: Evidence }
  | { readonly failure: Failure; readonly seen?: undefined }

const mediaTypes = ["application/jrd+json", "application/json"]
const activityType =
  /^application\/activity\+json$|^application\/ld\+json;\s*profile="https:\/\/www\.w3\.org\/ns\/activitystreams"$/i
const profilePage = "http://webfinger.net/rel/profile-page"

/** Asks `host` for `account` (`user@host`, whose host may be another). Throws only the signal's reason. */
export async function askWebFinger(
  question: { readonly host: string; readonly account: string },
  net: Net,
  signal: AbortSignal,
): Promise<WebFingerLook> {
  const { host, account } = question
  const url = `https://${host}/.well-known/webfinger?resource=${encodeURIComponent(`acct:${account}`)}`
  const place = { url, fetchedAt: net.now() }
  try {
    const answer = await net.fetch(url, { signal, accept: mediaTypes })
    const failure = publicationOfStatus(answer)
    if (failure?.status === "absent") {
      return { failure: { ...failure, evidence: [{ ...describeFetch(answer), note: `${host} knows no ${account}` }] } }
    }
    if (failure !== undefined) return { failure }
    return { links: readLinks(answer), seen: describeFetch(answer) }
  } catch (error) {
    return { failure: publicationOfError(error, place) }
  }
}

function readLinks(answer: FetchAnswer): AccountLinks {
  const jrd = parseForeign(answer)
  const links = listAt(jrd, "links").slice(0, maxWebFingerLinks)
  const hrefs = (isWanted: (link: unknown) => boolean) =>
    links.filter(isWanted).flatMap((link) => tryHttpsUrl(textAt(link, "href")) ?? [])
  const selfs = hrefs((link) => textAt(link, "rel") === "self" && activityType.test(textAt(link, "type") ?? ""))
  return {
    subject: readSubject(textAt(jrd, "subject")),
    self: selfs.find((url) => url.length <= maxActorUrlLength),
    pages: hrefs((link) => textAt(link, "rel") === profilePage),
    host: new URL(answer.url).host,
  }
}

function readSubject(subject: string | undefined): string | undefined {
  const account = subject === undefined ? undefined : /^acct:@?([^@\s]+@[^@\s]+)$/i.exec(subject)?.[1]
  return account === undefined ? subject : foldAscii(account)
}

/** The URL standard's spelling of an `https:` URL without fragment; undefined for anything else. */
export function tryHttpsUrl(text: string | undefined): string | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.protocol === "https:" && url.hash === "" && !text.includes("#") ? url.href : undefined
}

/** Only A to Z fold: a name with a Kelvin sign is another name. SPEC ID-3. */
export function foldAscii(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}

/** The posts that an account pins to its profile: its `featured` collection, at most one page of it. SPEC §7.6. */
import { fetchDocument, idAt, isAtItsId, textsAt } from "./ap-document.ts"
import type { Candidate, Evidence, Net } from "./channel.ts"
import { listAt, parseForeign, textAt, valueAt } from "./foreign-json.ts"
import { proofTextsOf, readHtml } from "./html-text.ts"
import { maxFeaturedPosts } from "./limits.ts"
import { describeFetch, publicationOfError, publicationOfStatus } from "./publication.ts"
import { type Failure, tryHttpsUrl } from "./webfinger.ts"

export interface Featured {
  readonly texts: readonly Candidate[]
  readonly evidence: readonly Evidence[]
  /** Why not everything could be looked at. */
  readonly failure?: Failure
}

interface Owner {
  readonly id: string
  readonly featured: unknown
}

type Look =
  | { readonly document: unknown; readonly url: string; readonly seen: Evidence }
  | { readonly failure: Failure }

const nothing: Featured = { texts: [], evidence: [] }

/** Throws only the signal's reason. */
export async function readFeatured(owner: Owner, net: Net, signal: AbortSignal): Promise<Featured> {
  const ask = createAsk(owner, net, signal)
  const collection = await ask(owner.featured)
  if (collection === undefined) return nothing
  if ("failure" in collection) return ofFailures([collection.failure])
  const whole = itemsOf(collection.document)
  const page = whole.length > 0 ? undefined : await ask(valueAt(collection.document, "first"))
  if (page !== undefined && "failure" in page) return ofFailures([page.failure])
  const items = page === undefined ? whole : itemsOf(page.document)
  const posts = await Promise.all(items.slice(0, maxFeaturedPosts).map((item) => readPost(item, owner, ask)))
  const failed = ofFailures(posts.flatMap(({ failure }) => failure ?? []))
  return {
    texts: posts.flatMap(({ texts }) => texts),
    evidence: [collection.seen, ...posts.flatMap(({ evidence }) => evidence), ...failed.evidence],
    ...(failed.failure === undefined ? {} : { failure: failed.failure }),
  }
}

/** Fetches what is named by a URL on the owner's own host; an embedded object is taken as it is; anything else is undefined. */
function createAsk(owner: Owner, net: Net, signal: AbortSignal): (named: unknown) => Promise<Look | undefined> {
  const { host } = new URL(owner.id)
  return async (named) => {
    const now = net.now()
    if (typeof named === "object" && named !== null) {
      return { document: named, url: owner.id, seen: { url: owner.id, fetchedAt: now } }
    }
    const url = typeof named === "string" ? tryHttpsUrl(named) : undefined
    if (url === undefined || new URL(url).host !== host) return undefined
    try {
      const answer = await fetchDocument(url, net, { signal, sameHost: true })
      const failure = publicationOfStatus(answer)
      if (failure !== undefined) return { failure }
      return { document: parseForeign(answer), url: answer.url, seen: describeFetch(answer) }
    } catch (error) {
      return { failure: publicationOfError(error, { url, fetchedAt: now }) }
    }
  }
}

async function readPost(item: unknown, owner: Owner, ask: ReturnType<typeof createAsk>): Promise<Featured> {
  const look = await ask(item)
  if (look === undefined) return nothing
  if ("failure" in look) return { ...nothing, failure: look.failure }
  const { document, seen } = look
  const isEmbedded = item === document
  const evidence = isEmbedded ? [] : [seen]
  if (!isEmbedded && !isAtItsId(document, look.url)) {
    return { texts: [], evidence: [{ ...seen, code: "account.id", note: "the post names another URL than its own" }] }
  }
  const author = idAt(document, "attributedTo")
  if (author === undefined || tryHttpsUrl(author) !== owner.id) {
    const note = `a featured post is by ${author === undefined ? "nobody" : author.slice(0, 200)}, not by ${owner.id}`
    return { texts: [], evidence: [{ ...seen, code: "account.owner", note }] }
  }
  const foundAt = isEmbedded ? placeOf(document, owner) : look.url
  const texts = textsAt(document, "content").flatMap((html) => proofTextsOf(readHtml(html)))
  return { texts: texts.map((text) => ({ text, foundAt })), evidence }
}

/** An embedded post's own word for where it lies, if that is on its owner's host. */
function placeOf(document: unknown, owner: Owner): string {
  const id = tryHttpsUrl(textAt(document, "id"))
  return id !== undefined && new URL(id).host === new URL(owner.id).host ? id : owner.id
}

function itemsOf(collection: unknown): readonly unknown[] {
  const ordered = listAt(collection, "orderedItems")
  return ordered.length > 0 ? ordered : listAt(collection, "items")
}

/** A post that was deleted is no failure: the answer is that it is not there. */
function ofFailures(failures: readonly Failure[]): Featured {
  const evidence = failures.flatMap((failure) => failure.evidence)
  const failure = failures.find(({ status }) => status !== "absent")
  return { texts: [], evidence, ...(failure === undefined ? {} : { failure }) }
}

/** Asking one place for a chain, through the guarded network: a document, a store, or the relays of a nostr key. SPEC VER-5, §8 */
import type { FetchAnswer, Net } from "@kez/channels"
import { type ChainHead, type ChainReading, type Evidence, KezError, limits, type SigchainEvent } from "@kez/core"
import { lazy } from "../lazy.ts"
import { readDocumentChain, readServed } from "./chain-document.ts"
import { readHeads, readLooseEvents, readProblem } from "./store-answers.ts"
import { chainUrl, isChainOfStore, isUnderChainId } from "./store-url.ts"

const loadChannels = lazy(() => import("@kez/channels"))

/** All losing branches together: what a store keeps of a chain, a line feed for each event. A stolen device must not fill it beyond reading. */
export const maxForksBytes: number = 2 * limits.maxChainBytes + limits.maxKnownEvents

/** A document that a place served, which may be refused. */
export interface ChainDocument {
  readonly name: string
  readonly reading: ChainReading
  readonly evidence: Evidence
}

/** What a store has beside the winning branch. */
export interface Forks {
  readonly name: string
  readonly events: readonly SigchainEvent[]
  /** Of a question that got no answer: about forks, or about one of several chains. */
  readonly fault: Evidence | undefined
}

/** What one place said, before it is known how much it matters. */
export interface Asked {
  /** A URL, or the nostr key whose relays were asked. */
  readonly url: string
  readonly outcome: "found" | "absent" | "failed"
  /** Where `found`, at least one; several where a store knows several chains of one primary, or relays several versions. */
  readonly documents: readonly ChainDocument[]
  readonly evidence: Evidence
  readonly forks: readonly Forks[]
  readonly heads: readonly ChainHead[]
}

export interface AskOptions {
  readonly timeoutMs: number
  /** The reader named this store. */
  readonly isChosen?: boolean
}

/** Never throws for what the place did: a place that fails is evidence. */
export async function askChain(net: Net, url: string, options: AskOptions): Promise<Asked> {
  if (url.startsWith("nostr:")) return askRelays(net, url, options)
  if (!isChainOfStore(url)) return askDocument(net, url, options)
  const [asked, forks, heads] = await Promise.all([
    askDocument(net, url, options),
    askForks(net, `${url}/forks`, options),
    askHeads(net, `${url}/head`, options),
  ])
  return asked.outcome === "found" && asked.documents[0]?.name === url ? { ...asked, forks: [forks], heads } : asked
}

async function askDocument(net: Net, url: string, options: AskOptions): Promise<Asked> {
  const evidence = { kind: "chain", source: url } as const
  const nothing = { url, documents: [], forks: [], heads: [] } as const
  try {
    const answer = await get(net, url, options)
    const { status, body, sha256 } = answer
    const seen = { ...evidence, ...seenIn(answer) }
    if (status === 404 || status === 410) {
      return { ...nothing, outcome: "absent", evidence: { ...seen, note: "no chain there" } }
    }
    // An id means one chain: a store that goes on to name others would have us ask for ever.
    if (status === 409 && isChainOfStore(url) && !isUnderChainId(url))
      return await askSeveral(net, { url, answer, evidence: seen }, options)
    if (status !== 200) return { ...nothing, outcome: "failed", evidence: { ...seen, code: "net.status" } }
    const found = { ...seen, sha256 }
    const document = { name: url, reading: readServed(body, sha256), evidence: found }
    return { ...nothing, outcome: "found", documents: [document], evidence: found }
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    return { ...nothing, outcome: "failed", evidence: { ...evidence, code: error.code, note: error.message } }
  }
}

interface Several {
  readonly url: string
  readonly answer: FetchAnswer
  readonly evidence: Evidence
}

/** A primary with two chains: that it is so is believed when both are here. SPEC CHAIN-19 */
async function askSeveral(net: Net, { url, answer, evidence }: Several, options: AskOptions): Promise<Asked> {
  const { chains } = readProblem(answer)
  const store = url.slice(0, url.lastIndexOf("/v1/chains/"))
  const urls = chains.map((chain) => chainUrl(store, chain)).filter((other) => other !== url)
  const asked = await Promise.all(urls.map((other) => askChain(net, other, options)))
  const documents = asked.flatMap((one) => one.documents)
  const note = `names ${chains.length} chains of this key`
  if (documents.length === 0) {
    const fault = { ...evidence, code: "net.status", note } as const
    return { url, outcome: "failed", documents, evidence: fault, forks: [], heads: [] }
  }
  // Without one of those that it names the store did not answer, whatever it says of the others. SPEC VER-6
  const silent = asked.filter(({ outcome }) => outcome !== "found")
  const unanswered = silent.map(({ url: name, evidence: fault }) => ({ name, events: [], fault }))
  const beside = {
    forks: [...asked.flatMap((one) => one.forks), ...unanswered],
    heads: asked.flatMap((one) => one.heads),
  }
  return { url, outcome: "found", documents, evidence: { ...evidence, note }, ...beside }
}

async function askForks(net: Net, name: string, options: AskOptions): Promise<Forks> {
  const evidence = { kind: "chain", source: name } as const
  try {
    const answer = await get(net, name, options, maxForksBytes)
    const { status, body } = answer
    if (status === 200) return { name, events: readLooseEvents(body), fault: undefined }
    if (status === 404 || status === 410) return { name, events: [], fault: undefined }
    return { name, events: [], fault: { ...evidence, ...seenIn(answer), code: "net.status" } }
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    return { name, events: [], fault: { ...evidence, code: error.code, note: error.message } }
  }
}

/** A store that keeps heads back makes a chain look old, which is what it looks like without them. */
async function askHeads(net: Net, url: string, { timeoutMs, isChosen }: AskOptions): Promise<readonly ChainHead[]> {
  try {
    const signal = AbortSignal.timeout(timeoutMs)
    const { status, body } = await net.fetch(url, { signal, ...(isChosen === true ? { isChosen } : {}) })
    return status === 200 ? readHeads(body) : []
  } catch (error) {
    if (error instanceof KezError) return []
    throw error
  }
}

function get(
  net: Net,
  url: string,
  { timeoutMs, isChosen }: AskOptions,
  maxBytes: number = limits.maxChainBytes,
): Promise<FetchAnswer> {
  return net.fetch(url, {
    signal: AbortSignal.timeout(timeoutMs),
    maxWireBytes: maxBytes,
    maxBodyBytes: maxBytes,
    ...(isChosen === true ? { isChosen } : {}),
  })
}

function seenIn({ status, fetchedAt }: FetchAnswer) {
  return { fetchedAt, httpStatus: status }
}

/** Relays that serve the chain of a nostr key. Several versions of it are several documents. */
async function askRelays(net: Net, key: string, { timeoutMs }: AskOptions): Promise<Asked> {
  const nothing = { url: key, documents: [], forks: [], heads: [] } as const
  const evidence = { kind: "chain", source: key, fetchedAt: net.now() } as const
  const { collectChains, withDeadline } = await loadChannels()
  try {
    const npub = key.slice("nostr:".length)
    const deadline = { timeoutMs, task: `ask the relays of ${key}` }
    const found = await withDeadline(deadline, (signal) => collectChains(npub, net, signal))
    const said = found.evidence.map(({ url, note }) => `${url}: ${note ?? "no answer"}`).join("; ")
    if (found.status !== "found") {
      const note = found.status === "absent" ? `no chain there (${said})` : said
      const code = found.evidence.find((one) => one.code !== undefined)?.code ?? "net.refused"
      const outcome = found.status === "absent" ? "absent" : "failed"
      return { ...nothing, outcome, evidence: { ...evidence, note, ...(outcome === "failed" ? { code } : {}) } }
    }
    const documents = found.documents.map((text, at) => ({
      name: at === 0 ? key : `${key} (version ${at + 1})`,
      reading: readDocumentChain(Buffer.from(text)),
      evidence: { ...evidence, source: at === 0 ? key : `${key} (version ${at + 1})` },
    }))
    return { ...nothing, outcome: "found", documents, evidence }
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    return { ...nothing, outcome: "failed", evidence: { ...evidence, code: error.code, note: error.message } }
  }
}

/** Chains from one sigchain store, over HTTP. SPEC STORE-5, STORE-7 */
import { type Digest, KezError, limits, parseChainLine, readChain, type SigchainEvent } from "@kez/core"

/** Which version of a chain a store gave: the end of its path, and how many events it has beside that. */
export interface ChainVersion {
  readonly etag: string
  readonly forks: string
}

export interface FetchedChain {
  /** The winning path and the evidence of forks. Empty: the store has no such chain. */
  readonly events: readonly SigchainEvent[]
  readonly version: ChainVersion | undefined
}

export interface FetchOptions {
  readonly timeoutMs: number
  /** The version that is known already: of the same one nothing is fetched. */
  readonly known?: ChainVersion | undefined
}

/** `same`: nothing but what is known. Throws `chain.unreachable`. */
export async function fetchChain(store: string, chain: Digest, options: FetchOptions): Promise<FetchedChain | "same"> {
  const base = `${store.replace(/\/$/, "")}/v1/chains/${chain}`
  const { timeoutMs, known } = options
  try {
    const path = await fetchText(base, timeoutMs, known)
    if (path === undefined) return { events: [], version: undefined }
    if (path === "same") return path
    const forks = await fetchText(`${base}/forks`, timeoutMs)
    const evidence = forks === undefined || forks === "same" ? [] : linesOf(forks.text)
    return { events: [...readChain(path.text).events, ...evidence], version: path.version }
  } catch (cause) {
    throw new KezError(
      "chain.unreachable",
      "Cannot check the chain now: a sigchain store that this server asks does not answer",
      { cause, hint: "Nothing was changed. Try again." },
    )
  }
}

function linesOf(text: string): readonly SigchainEvent[] {
  return text.split("\n", limits.maxKnownEvents).flatMap((line) => {
    try {
      return line === "" ? [] : [parseChainLine(line)]
    } catch (error) {
      // What is no event is no evidence either.
      if (error instanceof KezError) return []
      throw error
    }
  })
}

interface FetchedText {
  readonly text: string
  readonly version: ChainVersion | undefined
}

/** Undefined for 404. */
async function fetchText(
  url: string,
  timeoutMs: number,
  known?: ChainVersion,
): Promise<FetchedText | "same" | undefined> {
  const headers = known === undefined ? {} : { "if-none-match": known.etag }
  const answer = await fetch(url, { redirect: "error", headers, signal: AbortSignal.timeout(timeoutMs) })
  const [etag, forks] = [answer.headers.get("etag"), answer.headers.get("kez-forks")]
  if (answer.status !== 200) {
    await answer.body?.cancel()
    if (answer.status === 404) return undefined
    if (answer.status === 304 && known !== undefined) {
      // The ETag does not cover what is known beside the path.
      return forks === known.forks ? "same" : fetchText(url, timeoutMs)
    }
    throw new KezError("net.status", `Cannot use the answer of a store: status ${answer.status}`)
  }
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length
    if (bytes > limits.maxChainBytes)
      throw new KezError("limit.body", "Cannot use the answer of a store: it is too long")
    chunks.push(chunk)
  }
  const version = etag === null || forks === null ? undefined : { etag, forks }
  return { text: Buffer.concat(chunks).toString("utf8"), version }
}

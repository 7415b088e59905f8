/** The feed of events of a sigchain store: where it ends, and what is new in it. SPEC STORE-12 */
import { isDigest, type Json, KezError, parseJson } from "@kez/core"
import { assertObject } from "@kez/core/schema"
import { chainFetchMs, feedPageEvents, maxFeedPageBytes } from "../limits.ts"

export interface FeedLine {
  readonly chain: string
  readonly cursor: number
  /** As it came: a line never changes, unless the store is another one than before. */
  readonly text: string
}

/** Events above a cursor. Throws where the store does not answer as it should. */
export async function readFeed(store: string, after: number, limit = feedPageEvents): Promise<readonly FeedLine[]> {
  const url = `${store.replace(/\/$/, "")}/v1/events?after=${after}&limit=${limit}`
  const answer = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(chainFetchMs) })
  if (answer.status !== 200) {
    await answer.body?.cancel()
    throw new KezError("net.status", `Cannot read the feed of a store: status ${answer.status}`)
  }
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length
    if (bytes > maxFeedPageBytes)
      throw new KezError("limit.body", "Cannot read the feed of a store: a page is too long")
    chunks.push(chunk)
  }
  const lines = Buffer.concat(chunks).toString("utf8").split("\n")
  return lines.filter((line) => line !== "").map(lineOf)
}

/** The cursor of its last event, found by asking whether there is one above: a store with a million events is not read for that. */
export async function findEnd(store: string): Promise<number> {
  const isBeyond = async (cursor: number): Promise<boolean> => (await readFeed(store, cursor, 1)).length === 0
  let high = 1
  while (!(await isBeyond(high)) && high < Number.MAX_SAFE_INTEGER / 2) high *= 2
  let low = 0
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (await isBeyond(middle)) high = middle
    else low = middle + 1
  }
  return low
}

function lineOf(text: string): FeedLine {
  const value: Json = parseJson(text)
  assertObject(value, "a line of the feed")
  const { chain, cursor } = value
  if (typeof chain !== "string" || !isDigest(chain) || typeof cursor !== "number") {
    throw new KezError("schema.value", "Cannot read the feed of a store: expected a chain and a cursor in each line")
  }
  return { chain, cursor, text }
}

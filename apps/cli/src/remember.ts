/** What a verification leaves behind, written before its result is shown. SPEC VER-10 */
import type { ChainMark, Verdict } from "@kez/core"
import type { Served } from "./chain-sources.ts"
import { keepServed } from "./chains/keep-served.ts"
import type { Context } from "./context.ts"
import { readStore, writeStore } from "./store/access.ts"
import { saveMark } from "./store/marks.ts"
import { loadProven, type Proven, saveProven } from "./store/verdicts.ts"

export interface Found {
  readonly verdict: Verdict
  /** Documents of the chains that were asked about. */
  readonly served: readonly Served[]
  /** The marks that the verdict was judged against. */
  readonly marks: readonly ChainMark[]
  readonly accountId: string | undefined
  /** Whether the account's own place showed a proof. */
  readonly published: boolean
}

/** Stores the events, the sources, the mark and a proof seen; returns when the account was proven before. */
export async function remember(context: Context, found: Found): Promise<Proven | undefined> {
  const { verdict } = found
  const last = await readStore(context, undefined, (store) => loadProven(store, verdict.subject))
  const proven = provenBy(found)
  const mark = newMark(found)
  // Without anything new nothing is written, and no store is made.
  if (proven === undefined && mark === undefined && found.served.length === 0) return last
  const now = context.now()
  await writeStore(context, (store) => {
    keepServed(store, found.served, now)
    if (mark !== undefined) saveMark(store, mark, markBefore(found, mark))
    if (proven !== undefined) saveProven(store, proven)
  })
  return last
}

function newMark(found: Found): ChainMark | undefined {
  const { mark } = found.verdict
  return mark === undefined || mark.digest === markBefore(found, mark)?.digest ? undefined : mark
}

function markBefore({ marks }: Found, mark: ChainMark): ChainMark | undefined {
  return marks.find(({ chain }) => chain === mark.chain)
}

function provenBy({ verdict, published, accountId }: Found): Proven | undefined {
  const { status, subject, primary, chain, checkedAt } = verdict
  if (status !== "valid" || !published || primary === undefined) return undefined
  return { subject, primary, chain: chain?.id, accountId, provenAt: checkedAt }
}

/** The signed head of one's own chain, kept fresh without asking anybody anything. SPEC §5.8 */
import type { Net } from "@kez/channels"
import {
  type ChainHead,
  type ChainReplay,
  type Digest,
  judgeHead,
  KezError,
  limits,
  parseTime,
  type Signer,
} from "@kez/core"
import type { Answer } from "../consult.ts"
import type { Context } from "../context.ts"
import { currentIdentity, signerFor } from "../keys/signers.ts"
import { chainOfKey, refreshHead } from "../own-chain.ts"
import { hasStore, withStore } from "../store/access.ts"
import { inTransaction, type Store } from "../store/database.ts"
import { loadHeads } from "../store/heads.ts"
import { loadMark } from "../store/marks.ts"
import { pushHead } from "./push-chain.ts"

/** With less than this left a head is signed anew: readers have the rest of its life to find the next one. */
const renewSeconds = limits.maxHeadLifetimeSeconds / 2
/** A refresh beside another command does not hold it up for long. */
const quietMs = 3_000

/** The signer of the identity in use where nobody has to be asked; undefined where it is locked or not here. */
export async function trySigner(context: Context): Promise<Signer | undefined> {
  const { keyType: _, ...given } = context.flags.keySource
  const isGiven = Object.values(given).some((source) => source !== undefined)
  // With nobody to ask, a locked key is an error at once. A key that came along was read already, and can be read once only.
  const nobody: Context = { ...context, terminal: { ...context.terminal, interactive: false }, warn: () => {} }
  try {
    return await signerFor(isGiven ? context : nobody)
  } catch (error) {
    if (isKnown(error)) return undefined
    throw error
  }
}

/**
 * The head of the chain that holds longest, which is a new one where its life is half over and the key is at hand. Nothing is
 * signed for a chain that lost events here, or is an undecided fork. To be called in a transaction.
 */
export async function freshHead(
  store: Store,
  replay: ChainReplay,
  { now, signer }: { readonly now: number; readonly signer: () => Promise<Signer | undefined> },
): Promise<ChainHead | undefined> {
  const best = liveHead(store, replay, now)
  if (best !== undefined && parseTime(best.payload.expires_at) - now >= renewSeconds) return best
  const mark = loadMark(store, replay.chain)
  if (mark !== undefined && !replay.knows(mark.digest)) return best
  const by = await signer()
  return (by === undefined ? undefined : await refreshHead(store, replay, { signer: by, now })) ?? best
}

/** Whoever verifies an account of their own identity refreshes its head on the way. Never throws, never asks. */
export async function refreshOwnHead(
  context: Context,
  answers: readonly Answer[],
  { stores, net }: { readonly stores: readonly string[]; net(): Promise<Net> },
): Promise<void> {
  const chains = answers.flatMap(({ verdict, isWhole }) => (isWhole === true ? (verdict.chain?.id ?? []) : []))
  if (stores.length === 0 || chains.length === 0 || !hasStore(context)) return
  try {
    const head = await renewedHead(context, chains)
    if (head === undefined) return
    const network = await net()
    const taken = await Promise.all(stores.map((store) => pushHead(network, store, head, quietMs)))
    const count = taken.filter(Boolean).length
    context.terminal.progress(`signed anew where your chain ends; ${count} of ${stores.length} stores took it`)
  } catch (error) {
    if (!isKnown(error)) throw error
  }
}

/** A new head where one was due; undefined for a chain that is not one's own, or needs none. */
async function renewedHead(context: Context, chains: readonly Digest[]): Promise<ChainHead | undefined> {
  const { key } = await currentIdentity(context)
  const now = context.now()
  return withStore(context, (store) =>
    inTransaction(store, async () => {
      const replay = chainOfKey(store, key)
      if (replay === undefined || !chains.includes(replay.chain)) return undefined
      const before = liveHead(store, replay, now)
      const head = await freshHead(store, replay, { now, signer: () => trySigner(context) })
      return head === undefined || head.payload.issued_at === before?.payload.issued_at ? undefined : head
    }),
  )
}

/** The head in force that names the end of the chain and holds longest. */
function liveHead(store: Store, replay: ChainReplay, now: number): ChainHead | undefined {
  const live = loadHeads(store, replay.chain, now).filter((head) => {
    try {
      return judgeHead(head, replay, now).says === "live"
    } catch (error) {
      if (error instanceof KezError) return false
      throw error
    }
  })
  const expiry = ({ payload }: ChainHead) => parseTime(payload.expires_at)
  return live.toSorted((a, b) => expiry(b) - expiry(a))[0]
}

/** Errors with a code: of a store without an identity, of a key that is locked, of a file that others may read. */
function isKnown(error: unknown): boolean {
  return error instanceof Error && error.name === "KezError"
}
